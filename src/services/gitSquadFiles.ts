/** The files of a squad at work: a private git repository for each run in the squad's own folder, results in the workspace. */
import type { Clock, Ledger, Logger } from '../ports.ts';
import { Git } from '../workspace/git.ts';
import { Processes } from '../workspace/processes.ts';
import { RunRepository } from '../workspace/repository.ts';
import { GitRunFiles, type RunFiles } from '../workspace/runFiles.ts';
import { RunFolders } from '../workspace/runFolders.ts';
import type { Sandbox } from '../workspace/sandbox.ts';
import type { WorkspaceTools } from '../workspace/taskWorkspace.ts';
import { EndedRuns } from './endedRuns.ts';
import { ResultTurns } from './resultTurns.ts';
import { RunResult } from './runResult.ts';
import type { RunResults } from './runResults.ts';

/** What a squad needs of the world of files. */
export interface SquadFiles {
  /** The files of one run; the same object each time. */
  runFiles(runId: string): RunFiles;
  results(parts: { ledger: Ledger; clock: Clock; logger: Logger }): RunResults;
}

export class GitSquadFiles implements SquadFiles {
  private readonly workspaceRoot: string;
  private readonly folders: RunFolders;
  private readonly tools: WorkspaceTools;
  private readonly known = new Map<string, { repository: RunRepository; files: RunFiles }>();

  /**
   * `storage` is the squad's own folder; each run has a folder in it. `beforeStart` is called right before each start of a
   * program, git included; what it throws becomes that start's end.
   */
  constructor(options: {
    workspaceRoot: string;
    storage: string;
    clock: Clock;
    sandbox?: Sandbox | undefined;
    beforeStart?: () => void;
  }) {
    this.workspaceRoot = options.workspaceRoot;
    this.folders = new RunFolders(options.storage);
    const { clock, sandbox, beforeStart = () => undefined } = options;
    this.tools = {
      git: new Git({ beforeStart }),
      processes: new Processes({ clock, sandbox, beforeStart }),
      isSandboxed: sandbox !== undefined,
    };
  }

  runFiles(runId: string): RunFiles {
    return this.of(runId).files;
  }

  results({ ledger, clock, logger }: { ledger: Ledger; clock: Clock; logger: Logger }): RunResults {
    const { folders } = this;
    const repositoryOf = (runId: string): RunRepository => this.of(runId).repository;
    const turns = new ResultTurns(clock);
    const result = new RunResult({ ledger, logger, turns, folders, repositoryOf });
    const ended = new EndedRuns({ ledger, clock, logger, turns, folders, result, repositoryOf });
    return {
      open: () => ended.open(),
      diff: (run, signal) => result.diff(run, signal),
      handOver: (run) => result.handOver(run),
      tidy: (runId) => ended.tidy(runId),
      apply: (runId, door) => result.apply(runId, door),
      branch: (runId, name, door) => result.branch(runId, name, door),
      discard: (runId, door) => result.discard(runId, door),
      undo: (runId, door) => result.undo(runId, door),
      fileAt: (runId, side, path) => result.fileAt(runId, side, path),
      close: () => ended.close(),
    };
  }

  private of(runId: string): { repository: RunRepository; files: RunFiles } {
    const known = this.known.get(runId);
    if (known) {
      return known;
    }
    const { git } = this.tools;
    const folder = this.folders.pathOf(runId);
    const repository = new RunRepository({ folder, workspaceRoot: this.workspaceRoot, git });
    const made = { repository, files: new GitRunFiles(runId, repository, this.tools) };
    this.known.set(runId, made);
    return made;
  }
}
