/**
 * Plays a run again from what the world did then: the same services, a ledger in memory, models, files, people and time
 * from the record. Equal hashes mean that from the same inputs the squad decides the same today.
 */
import { EVENT_VERSION, type SquadEvent } from '../domain/events.ts';
import { isUnfinished } from '../domain/run.ts';
import { callKey } from '../domain/task.ts';
import type { Clock } from '../ports.ts';
import { createSquad, type Squad } from '../squad.ts';
import { performTool } from '../tools/tool.ts';
import { decisionOf, Fingerprint } from './fingerprint.ts';
import {
  RecordedFiles,
  recordedPermission,
  recordedResult,
  recordedResults,
  unseenServers,
  unseenWeb,
  worldOf,
} from './recordedFiles.ts';
import { recordedModels } from './recordedModels.ts';
import { mayComeMeanwhile, Recording, RUN_STRAND, type Strand } from './recording.ts';
import { isObserved, ReplayLedger, type Difference } from './replayLedger.ts';
import { WaitingRoom } from './waitingRoom.ts';

export interface ReplayResult {
  readonly runId: string;
  /** False when the events were written by another version: then they are not played, and both hashes are absent. */
  readonly comparable: boolean;
  readonly equal: boolean;
  readonly recordedHash?: string;
  readonly replayedHash?: string;
  /** Where the two part first; absent when they do not. */
  readonly difference?: Difference;
}

/** `events`: a ledger's, from its first. Throws when they hold no such run. Rejects with the signal's reason. */
export async function replayRun(
  events: readonly SquadEvent[],
  runId: string,
  signal: AbortSignal,
): Promise<ReplayResult> {
  const recording = new Recording(events, runId);
  // What was read from a disk may be older than the type says.
  if (recording.events.some(({ version }: { version: number }) => version !== EVENT_VERSION)) {
    return { runId, comparable: false, equal: false };
  }
  return new Replay(recording).play(signal);
}

class Replay {
  private readonly recording: Recording;
  private readonly recorded = new Fingerprint();
  private readonly replayed = new Fingerprint();
  private now = 0;
  private room = new WaitingRoom();
  private ledger!: ReplayLedger;
  private squad!: Squad;
  private difference: Difference | undefined;

  constructor(recording: Recording) {
    this.recording = recording;
  }

  async play(signal: AbortSignal): Promise<ReplayResult> {
    this.open(0);
    for (let next = this.recording.next(); next && !this.difference; next = this.recording.next()) {
      signal.throwIfAborted();
      const passed = Date.parse(next.event.at) - this.now;
      if (next.event.type !== 'ledger-opened' && this.isTold(next.event) && passed > SURELY_WRITTEN_MS) {
        await this.letWritersGo();
      }
      this.now += Math.max(0, passed);
      if (next.event.type === 'ledger-opened' && next.index > 0) {
        this.recording.meet(next.index);
        this.open(next.index);
        this.ledger.tell(next.event);
        this.drive();
      } else if (this.isTold(next.event)) {
        this.recording.meet(next.index);
        if (next.event.type === 'run-paused') {
          await this.letPassedGo();
        }
        this.tell(next.event);
      } else if (next.event.type === 'run-stopped') {
        await this.letAnsweredGo();
        void this.squad.runs.stopAll(next.event.door === 'terminal' ? 'terminal' : 'editor');
      } else if (!this.letOneGo(next)) {
        this.part(next.event, 'nothing');
      }
      await settled();
      await this.letRestingGo();
      this.difference ??= this.ledger.difference;
    }
    const { runId } = this.recording;
    const [recordedHash, replayedHash] = [this.recorded.hash(), this.replayed.hash()];
    const equal = !this.difference && recordedHash === replayedHash;
    const hashes = { runId, comparable: true, equal, recordedHash, replayedHash };
    return this.difference ? { ...hashes, difference: this.difference } : hashes;
  }

  /** Another life of the squad, over the first `upTo` recorded events. What the one before still waits for never comes. */
  private open(upTo: number): void {
    const { recording } = this;
    const room = (this.room = new WaitingRoom());
    const files = new RecordedFiles(recording, room);
    this.ledger = new ReplayLedger({
      recording,
      upTo,
      room,
      onDecision: (event, twin) => {
        this.compare(event, twin);
      },
    });
    this.squad = createSquad({
      ledger: this.ledger,
      clock: this.clock(room),
      models: recordedModels(recording, room),
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
      files: { runFiles: () => files, results: () => recordedResults(recording, room) },
      web: unseenWeb,
      servers: unseenServers,
      permit: (tool, _input, context, signal) => {
        const asked = this.ledger.state.runs[context.runId]?.requests[callKey(context)]?.subject;
        const permission = () => recordedPermission(recording, context.taskId, tool, asked);
        // A host that is not known yet was looked up before anything else happened.
        return tool.effect === 'network' && !asked
          ? worldOf(recording, room, context.taskId, signal).then(permission)
          : permission();
      },
      perform: async (tool, input, context, signal) => {
        if (tool.effect === 'team') {
          return performTool(tool, input, context, signal);
        }
        await worldOf(recording, room, context.taskId, signal);
        // What comes of it stands in its end, and the end behind what a person was asked afterwards.
        return recording.nextAs(context.taskId, 'changes-held-back')
          ? { text: '' }
          : recordedResult(recording, context.taskId);
      },
    });
    void this.squad.runs.open();
  }

  /** Whether the world did it, and not the squad: another run, a person, the squad's own clocks and sensors. */
  private isTold(event: SquadEvent): boolean {
    return (
      event.type === 'ledger-opened' ||
      this.recording.strandOf(event) === undefined ||
      isObserved(event) ||
      (event.actor.kind === 'person' && event.type !== 'run-stopped') ||
      HANDED_OVER.has(event.type)
    );
  }

  /** Nobody waited for the disk any more by then. */
  private async letWritersGo(): Promise<void> {
    while (this.room.letWriterGo()) {
      await settled();
    }
  }

  /** Whoever waited for the world or a person waited for the disk no more, also when something told it to stop meanwhile. */
  private async letRestingGo(): Promise<void> {
    for (const strand of this.recording.strandsAtRest()) {
      while (this.room.letWriterGo(strand)) {
        await settled();
      }
    }
  }

  /** The answer to what was asked in a call was on the disk before something told the call to stop. */
  private async letAnsweredGo(): Promise<void> {
    for (let left = this.recording.answeredInCall().length; left > 0 && this.room.letWriterGo(undefined); left--) {
      await settled();
    }
  }

  /** Who did something in the pause had passed the place where a pause holds up before it came. */
  private async letPassedGo(): Promise<void> {
    for (let isMoving = true; isMoving;) {
      isMoving = false;
      for (const strand of this.recording.allStrands()) {
        // Its run had begun before it.
        if (
          this.recording.goesOnInPause(strand) &&
          (this.room.letWriterGo(strand) || this.room.letWriterGo(RUN_STRAND) || this.room.letWriterGo(undefined))
        ) {
          isMoving = true;
          await settled();
        }
      }
    }
  }

  /**
   * Lets whoever waits go on to this event: its own strand, or the run's, which also ends the tasks it leaves open. What
   * the run decides about a task follows from what another one did just before.
   */
  private letOneGo({ index, event }: { index: number; event: SquadEvent }): boolean {
    const { recording, room, now } = this;
    const before = recording.events[index - 1];
    return (
      (event.type === 'task-rejoined' && this.partsOf(event).some((part) => room.letWriterGo(part))) ||
      (before !== undefined && BY_THE_RUN.has(event.type) && room.letWriterGo(recording.strandOf(before))) ||
      (mayComeMeanwhile(event) && room.letWriterGo(recording.strandOf(event))) ||
      (makerOf(event) !== undefined && room.letWriterGo(makerOf(event))) ||
      room.letOneGo(recording.strandOf(event), now) ||
      room.letOneGo(RUN_STRAND, now)
    );
  }

  /** Tasks that were handed on from the event's: what one of them came to is what lets it go on. */
  private partsOf({ runId, taskId }: SquadEvent): Strand[] {
    const tasks = Object.values(this.ledger.state.runs[runId ?? '']?.tasks ?? {});
    return tasks.filter(({ parentTaskId }) => parentTaskId === taskId).map(({ id }) => id);
  }

  private tell(event: SquadEvent): void {
    this.ledger.tell(event);
    if (event.type === 'run-started' || event.type === 'run-continued' || event.type === 'run-resumed') {
      this.drive();
    }
  }

  private drive(): void {
    const run = this.ledger.state.runs[this.recording.runId];
    if (run && isUnfinished(run)) {
      this.squad.runs.resumeInterrupted(run.id);
    }
  }

  private clock(room: WaitingRoom): Clock {
    return {
      now: () => this.now,
      // Whatever chance decided then is in the events.
      random: () => 0,
      newId: () => '0000000000',
      sleep: (ms, signal) => room.wait({ time: this.now + ms }, undefined, signal),
    };
  }

  private compare(event: SquadEvent, twin: SquadEvent): void {
    const strand = this.recording.strandOf(twin) ?? RUN_STRAND;
    const [recorded, replayed] = [decisionOf(twin), decisionOf(event)];
    this.recorded.add(strand, recorded);
    this.replayed.add(strand, replayed);
    if (recorded !== replayed) {
      this.difference ??= { sequence: twin.sequence, recorded, replayed };
    }
  }

  private part({ sequence, type }: SquadEvent, replayed: string): void {
    this.difference ??= { sequence, recorded: type, replayed };
  }
}

/** When nothing happened for so long, everybody waited for the world alone. */
const SURELY_WRITTEN_MS = 1000;

/** What is written down of a task, and not by whoever works on it. */
const BY_THE_RUN: ReadonlySet<SquadEvent['type']> = new Set(['task-rejoined', 'task-ready', 'task-delegated']);

/** What handing the result over at the run's end came to. */
const HANDED_OVER: ReadonlySet<SquadEvent['type']> = new Set(['apply-started', 'apply-ended', 'branch-created']);

/** Whose agent hands a part of its task on: it makes the part, which nobody works on yet. */
function makerOf(event: SquadEvent): Strand | undefined {
  return event.type === 'task-created' ? event.task.parentTaskId : undefined;
}

/** Until nothing can go on without being let go. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
