/** A squad over a real ledger, real git and virtual time, with a run that has ended and left a result. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RUNTIME } from '../../src/domain/events.ts';
import type { RunView } from '../../src/domain/squadState.ts';
import { SquadLedger } from '../../src/ledger/squadLedger.ts';
import { GitSquadFiles } from '../../src/services/gitSquadFiles.ts';
import { createSquad, type Squad } from '../../src/squad.ts';
import { Git } from '../../src/workspace/git.ts';
import { RunRepository } from '../../src/workspace/repository.ts';
import { anyOptions, anyTask } from './builders.ts';
import { VirtualClock } from './virtualClock.ts';
import { permit } from './guardrails.ts';
import { noServers, noWeb } from './nowhere.ts';

const never = new AbortController().signal;

export class ResultBench {
  readonly folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'devsquad-result-')));
  readonly workspace = path.join(this.folder, 'workspace');
  readonly storage = path.join(this.folder, 'storage');
  readonly clock = new VirtualClock();
  /** What the squad told its log, newest last. */
  readonly warnings: string[] = [];
  private epoch = 0;
  private opened: { squad: Squad; ledger: SquadLedger } | undefined;

  constructor() {
    mkdirSync(this.workspace);
    mkdirSync(this.storage);
  }

  get squad(): Squad {
    return this.now.squad;
  }

  get ledger(): SquadLedger {
    return this.now.ledger;
  }

  run(runId = 'run-1'): RunView | undefined {
    return this.ledger.state.runs[runId];
  }

  /** The next owner opens the squad: what a start does, also after a crash. */
  async open(): Promise<void> {
    const epoch = ++this.epoch;
    const { storage, clock, workspace: workspaceRoot } = this;
    const laterOwner = path.join(storage, `epoch.${epoch + 1}`);
    const ledger = await SquadLedger.open({ storage, epoch, laterOwner, host: 'terminal', clock });
    const logger = {
      info: () => undefined,
      warn: (message: string) => this.warnings.push(message),
      error: (message: string) => this.warnings.push(message),
    };
    const models = { select: () => Promise.reject(new Error('Nobody needs a model here.')) };
    const squad = createSquad({
      permit,
      web: noWeb,
      servers: noServers,
      ledger,
      models,
      clock,
      logger,
      files: new GitSquadFiles({ workspaceRoot, storage, clock }),
    });
    this.opened = { squad, ledger };
    await squad.runs.open();
  }

  /** The host ends; what was not written down is forgotten. */
  async end(): Promise<void> {
    await this.squad.close();
    await this.ledger.close();
  }

  /** Ends and opens, with what `between` does to the disk in the meantime. */
  async restart(between: () => void = () => undefined): Promise<void> {
    await this.end();
    between();
    await this.open();
  }

  /** A run whose only task `change` did in its worktree; answers when it has ended. */
  async endRun(change: (worktree: string) => void, runId = 'run-1'): Promise<void> {
    const { ledger, workspace: workspaceRoot } = this;
    const at = new Date(this.clock.now()).toISOString();
    const folder = path.join(this.storage, 'runs', runId);
    const repository = new RunRepository({ folder, workspaceRoot, git: new Git() });
    ledger.append({ type: 'run-started', runId, actor: RUNTIME, objective: 'Greet', options: anyOptions() });
    const seed = await repository.seed({ at }, never);
    change(await repository.addWorktree('greet-1', seed.commit, never));
    const work = await repository.commitWorktree('greet-1', seed.commit, { message: 'Greet\n', at }, never);
    const files = await repository.changes(seed.tree, work.tree, never);
    const taskId = `${runId}.greet`;
    await ledger.append(
      { type: 'repository-seeded', runId, actor: RUNTIME, seed },
      { type: 'task-created', runId, taskId, actor: RUNTIME, task: anyTask({ id: taskId, runId }) },
      { type: 'task-merged', runId, taskId, attempt: 1, actor: RUNTIME, ...work },
      {
        type: 'run-ended',
        runId,
        actor: RUNTIME,
        status: 'succeeded',
        usage: { tokens: 1, requests: 1, workedMs: 1 },
        diff: { tree: work.tree, files },
      },
    ).durable;
  }

  isThere(...parts: string[]): boolean {
    return existsSync(path.join(this.storage, ...parts));
  }

  async dispose(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get now(): { squad: Squad; ledger: SquadLedger } {
    if (!this.opened) {
      throw new Error('The squad is not open.');
    }
    return this.opened;
  }
}
