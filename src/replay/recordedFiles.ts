/** Files of a run as they were recorded: each operation ends as it ended then, when the replay comes to that place. */
import type { CheckRun, RequestSubject } from '../domain/approval.ts';
import { ToolRefusal } from '../domain/errors.ts';
import type { EventOf, SquadEvent } from '../domain/events.ts';
import type { HeldChange } from '../domain/fileChange.ts';
import type { CheckResult } from '../domain/proof.ts';
import type { Seed } from '../domain/run.ts';
import type { RunResults } from '../services/runResults.ts';
import { RUN_ENDED } from '../services/runTasks.ts';
import type { Permission, Tool, ToolResult } from '../tools/tool.ts';
import type { Servers } from '../tools/servers.ts';
import type { Web } from '../tools/web.ts';
import type { MergeOutcome, TaskCommit } from '../workspace/repository.ts';
import type { CheckRunsRequest, ChecksRequest, RunFiles, TaskFiles, TaskTry } from '../workspace/runFiles.ts';
import type { TaskWorkspace } from '../workspace/taskWorkspace.ts';
import { RUN_STRAND, type Recording, type Strand } from './recording.ts';
import type { WaitingRoom } from './waitingRoom.ts';

/** The squad asked the world for something that the record does not have: it went another way than it went then. */
export class UnrecordedError extends Error {
  override name = 'UnrecordedError';
}

/** What a call of a tool came to. */
export function recordedResult(recording: Recording, strand: Strand): ToolResult {
  const ended = recording.nextAs(strand, 'tool-call-ended');
  switch (ended?.outcome) {
    case 'ok':
      return { text: ended.result };
    case 'refused':
      throw new ToolRefusal(ended.result);
    case 'failed':
      throw new Error(ended.result);
    case undefined:
      throw new UnrecordedError('The record has no end of this call.');
  }
}

/** What was said of a call before it began: it depends on files, so the record has it. `asked`: what it had asked already. */
export function recordedPermission(
  recording: Recording,
  strand: Strand,
  tool: Tool,
  asked: RequestSubject | undefined,
): Permission {
  const next = tool.permission ? recording.nextOf(strand)?.event : undefined;
  if (next?.type === 'tool-call-ended' && next.outcome === 'refused') {
    return { kind: 'refuse', reason: next.result };
  }
  const subject = asked ?? (next?.type === 'request-opened' ? next.request.subject : undefined);
  return subject ? { kind: 'ask', subject } : { kind: 'free' };
}

/** Waits until the record comes to the strand's next event. What was cut off then is cut off again, and nothing else. */
export function worldOf(recording: Recording, room: WaitingRoom, strand: Strand, signal: AbortSignal): Promise<void> {
  return room.wait('world', strand, recording.cameToAnEnd(strand) ? undefined : signal);
}

export class RecordedFiles implements RunFiles {
  private readonly recording: Recording;
  private readonly room: WaitingRoom;

  constructor(recording: Recording, room: WaitingRoom) {
    this.recording = recording;
    this.room = room;
  }

  async endSurvivors(): Promise<void> {
    await this.room.wait('disk', RUN_STRAND);
    throwIfRunFailed(this.recording);
  }

  async seed(_options: { at: string }, signal: AbortSignal): Promise<Seed> {
    await worldOf(this.recording, this.room, RUN_STRAND, signal);
    throwIfRunFailed(this.recording);
    const seeded = this.recording.nextAs(RUN_STRAND, 'repository-seeded');
    if (!seeded) {
      throw new UnrecordedError('The record has no seed.');
    }
    return seeded.seed;
  }

  async standAt(_commit: string, signal: AbortSignal): Promise<void> {
    await this.room.wait('disk', RUN_STRAND, tellsOfEnds(this.recording) ? undefined : signal);
    throwIfRunFailed(this.recording);
  }

  task(task: TaskTry): TaskFiles {
    return new RecordedTaskFiles(this.recording, this.room, task.id);
  }
}

class RecordedTaskFiles implements TaskFiles {
  private readonly recording: Recording;
  private readonly room: WaitingRoom;
  private readonly strand: Strand;

  constructor(recording: Recording, room: WaitingRoom, strand: Strand) {
    this.recording = recording;
    this.room = room;
    this.strand = strand;
  }

  async open(_base: string, _hasBegun: boolean, signal: AbortSignal): Promise<TaskWorkspace> {
    const { recording, strand } = this;
    const leavesMark = recording.nextAs(strand, 'task-started') ?? recording.nextAs(strand, 'agent-crashed');
    await this.room.wait(leavesMark ? 'world' : 'disk', strand, signal);
    const crashed = this.recording.nextAs(this.strand, 'agent-crashed');
    if (crashed) {
      throw new Error(crashed.reason);
    }
    return recordedWorkspace(this.recording, this.strand);
  }

  async holdBack(_base: string, _allowed: unknown, signal: AbortSignal): Promise<HeldChange[]> {
    await worldOf(this.recording, this.room, this.strand, signal);
    const held = this.recording.nextAs(this.strand, 'changes-held-back');
    return structuredClone(held?.changes ?? []);
  }

  async putThrough(_base: string, _changes: unknown, signal: AbortSignal): Promise<void> {
    await worldOf(this.recording, this.room, this.strand, signal);
    if (this.recording.nextAs(this.strand, 'tool-call-ended')) {
      recordedResult(this.recording, this.strand);
    }
  }

  async commit(_base: string, _note: unknown, signal: AbortSignal): Promise<TaskCommit> {
    const { commit, tree } = await this.outcome('task-committed', signal);
    return { commit, tree };
  }

  async hasChanges(from: string, to: string, signal: AbortSignal): Promise<boolean> {
    await worldOf(this.recording, this.room, this.strand, signal);
    if (this.recording.nextAs(this.strand, 'tool-call-ended')) {
      recordedResult(this.recording, this.strand);
    }
    return treeOf(this.recording, from) !== treeOf(this.recording, to);
  }

  async merge(_options: unknown, signal: AbortSignal): Promise<MergeOutcome> {
    await worldOf(this.recording, this.room, this.strand, signal);
    const { recording, strand } = this;
    const rebased = recording.nextAs(strand, 'task-rebased');
    if (rebased) {
      return { kind: 'conflict', tree: '', files: rebased.conflicts };
    }
    const checked = recording.nextAs(strand, 'check-ended');
    if (!checked && !recording.nextAs(strand, 'task-merged')) {
      recordedResult(recording, strand);
    }
    const isMerge = (event: SquadEvent): event is EventOf<'task-merged'> => event.type === 'task-merged';
    const merged = recording.ahead(strand, isMerge);
    return { kind: 'merged', commit: merged?.commit ?? '', tree: checked?.result.tree ?? merged?.tree ?? '' };
  }

  async rebase(_options: unknown, signal: AbortSignal): Promise<void> {
    await this.outcome('task-rebased', signal);
  }

  async integrate(_from: string, _to: string, signal: AbortSignal): Promise<void> {
    await this.outcome('task-merged', signal);
  }

  /** What was asked about then is in the record; what was not, was allowed. */
  async checkRuns({ checks, requestIds }: CheckRunsRequest, signal: AbortSignal): Promise<(CheckRun | undefined)[]> {
    const ended = this.recording.nextAs(this.strand, 'tool-call-ended');
    // A part that is handed on is of another strand, so the call's good end may be the next of this one.
    const isMissing = ended !== undefined && ended.outcome !== 'ok';
    const next = this.recording.nextOf(this.strand)?.event.type;
    const wentOn = next === 'plan-submitted' || next === 'request-opened' || this.recording.cameToAnEnd(this.strand);
    await this.room.wait(isMissing ? 'world' : 'disk', this.strand, wentOn ? undefined : signal);
    if (isMissing) {
      recordedResult(this.recording, this.strand);
    }
    const asked = requestIds.map((id) => this.recording.requestOf(id)?.subject);
    const plan = asked[0]?.kind === 'plan' ? asked[0] : undefined;
    return checks.map((_, index) => {
      const subject = asked[index];
      return plan
        ? plan.checks[index]?.run
        : subject?.kind === 'command'
          ? { command: subject.command, runs: subject.runs ?? [] }
          : undefined;
    });
  }

  async runChecks({ checks }: ChecksRequest, onResult: (result: CheckResult) => void, signal: AbortSignal) {
    for (let left = checks.length; left > 0; left--) {
      onResult((await this.outcome('check-ended', signal)).result);
    }
  }

  /** The event that an operation led to; where something kept it from its end then, that does so again. */
  private async outcome<Type extends 'task-committed' | 'task-rebased' | 'task-merged' | 'check-ended'>(
    type: Type,
    signal: AbortSignal,
  ): Promise<EventOf<Type>> {
    await worldOf(this.recording, this.room, this.strand, signal);
    const event = this.recording.nextAs(this.strand, type);
    if (!event) {
      recordedResult(this.recording, this.strand);
      throw new UnrecordedError(`The record has no ${type} here.`);
    }
    return event;
  }
}

/** What was read of it is in the record. */
export const unseenWeb: Web = {
  resolve: () => Promise.reject(new UnrecordedError('Nobody asks for a host in a replay.')),
  read: () => Promise.reject(new UnrecordedError('Nothing is fetched in a replay.')),
};

export const unseenServers: Servers = {
  list: () => Promise.reject(new UnrecordedError('No server is started in a replay.')),
  listed: () => undefined,
  call: () => Promise.reject(new UnrecordedError('No server is called in a replay.')),
};

export function recordedResults(recording: Recording, room: WaitingRoom): RunResults {
  const refuse = (): Promise<never> => Promise.reject(new UnrecordedError('Nobody did this before the run ended.'));
  return {
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    tidy: () => Promise.resolve(),
    diff: async (run, signal) => {
      await room.wait('world', RUN_STRAND, signal);
      throwIfRunFailed(recording);
      return run.integration ? endOf(recording)?.diff : undefined;
    },
    handOver: async () => {
      await room.wait('world', RUN_STRAND);
      return recording.nextAs(RUN_STRAND, 'result-refused')?.reason;
    },
    apply: refuse,
    branch: refuse,
    discard: refuse,
    undo: refuse,
    fileAt: refuse,
  };
}

/** The workspace's own instructions stand in what the agent was told; all else that tools see is in their results. */
function recordedWorkspace(recording: Recording, strand: Strand): TaskWorkspace {
  const isOpening = (event: SquadEvent): event is EventOf<'conversation-opened'> =>
    event.type === 'conversation-opened';
  const told = recording.ahead(strand, isOpening)?.instructions ?? '';
  const unseen = (): Promise<never> => Promise.reject(new UnrecordedError('No tool runs in a replay.'));
  return {
    instructions: /<workspace-instructions>\n([^]*)\n<\/workspace-instructions>/.exec(told)?.[1] ?? '',
    // What was permitted is in the record.
    root: '/',
    isSandboxed: recording.events.some(
      (event) => event.type === 'request-opened' && isSandboxed(event.request.subject),
    ),
    leadsTo: () => undefined,
    textOf: () => undefined,
    holdsSecrets: () => true,
    readText: unseen,
    writeText: unseen,
    listFiles: unseen,
    search: unseen,
    run: unseen,
    runTests: unseen,
    talk: unseen,
  };
}

function isSandboxed(subject: RequestSubject): boolean {
  return 'isSandboxed' in subject && subject.isSandboxed === true;
}

/** The tree of a commit, as far as the record named it; a tree is its own. */
function treeOf(recording: Recording, revision: string): string {
  for (const event of recording.events) {
    if ((event.type === 'task-committed' || event.type === 'task-merged') && event.commit === revision) {
      return event.tree;
    }
    if (event.type === 'repository-seeded' && event.seed.commit === revision) {
      return event.seed.tree;
    }
  }
  return revision;
}

/** What a run that breaks ends with: letters that a crash kept back, and what it leaves open. */
const ENDING: ReadonlySet<SquadEvent['type']> = new Set([
  'message-sent',
  'request-withdrawn',
  'task-cancelled',
  'task-proven',
  'run-ended',
]);

function endOf(recording: Recording): EventOf<'run-ended'> | undefined {
  return recording.ahead(RUN_STRAND, (event): event is EventOf<'run-ended'> => event.type === 'run-ended');
}

/** Whether the run went on to tell what a crash had kept back, also where it was told to stop meanwhile. */
function tellsOfEnds(recording: Recording): boolean {
  const next = recording.left().find(({ type }) => type !== 'run-stopped');
  return next?.type === 'message-sent' && next.message.content.kind === 'task-response';
}

function isLeftOpen(event: SquadEvent): boolean {
  return (event.type === 'task-cancelled' || event.type === 'request-withdrawn') && event.reason === RUN_ENDED;
}

/** The run broke right here then, for a reason that its end tells. */
function throwIfRunFailed(recording: Recording): void {
  const left = recording.left();
  const end = left.at(-1);
  // A crash may have come before all of the end was written down.
  const isBreaking =
    end?.type === 'run-ended' ? end.status === 'failed' && !end.diff : left.some((event) => isLeftOpen(event));
  if (isBreaking && left.every(({ type }) => ENDING.has(type))) {
    throw new Error(end?.type === 'run-ended' ? end.reason : 'The run broke.');
  }
}
