/** A squad as commands, trees and pages use it, whichever process owns it: this one or another. */
import type { AgentType } from '../domain/agent.ts';
import type { RequestAnswer } from '../domain/approval.ts';
import type { HealthStatus } from '../domain/health.ts';
import type { ShownRequests } from '../inbox/inbox.ts';
import type { AgentMessage } from '../domain/message.ts';
import type { RunOptions } from '../domain/run.ts';
import type { Ledger } from '../ports.ts';
import type { PersonDoor } from '../services/runResult.ts';

/** What can be seen of a ledger without owning it. */
export type LedgerView = Pick<Ledger, 'state' | 'onDidAppend' | 'flushed' | 'read'>;

/** What a page asks of the runs. */
export interface RunControls {
  /** No new work begins in this run until `resume`; what is under way may end. */
  pause(runId: string): void | Promise<void>;
  resume(runId: string, door: PersonDoor): void | Promise<void>;
  /** Stops every run, or only the one named. */
  stopAll(door: PersonDoor, only?: string): Promise<readonly string[]>;
  resumeAll(door: PersonDoor): readonly string[] | Promise<readonly string[]>;
}

/** What a page sees of a squad. */
export interface ViewedSquad {
  readonly ledger: LedgerView;
  readonly inbox: {
    /** A request in full, and those that wait for the same: a view has only their beginnings. */
    show(requestId: string): Promise<ShownRequests>;
    answer(requestId: string, answer: RequestAnswer, door: PersonDoor): Promise<void>;
    removeRule(ruleId: string, door: PersonDoor): Promise<void>;
  };
  readonly runs: RunControls;
}

export interface SharedRuns extends RunControls {
  start(objective: string, options: RunOptions): Promise<string>;
  apply(runId: string, door: PersonDoor): Promise<void>;
  branch(runId: string, name: string, door: PersonDoor): Promise<void>;
  discard(runId: string, door: PersonDoor): Promise<void>;
  undo(runId: string, door: PersonDoor): Promise<void>;
  /** A file before or after the run; undefined where that side has none. */
  fileAt(runId: string, side: 'before' | 'after', path: string): Promise<Uint8Array | undefined>;
}

export interface SharedSquad extends ViewedSquad {
  readonly runs: SharedRuns;
  readonly team: {
    /** So many agents of a role; 0: as many as the queue asks for. */
    scale(type: AgentType, count: number): Promise<void>;
    /** As far as this process hears of it: only the owner does. */
    health(): readonly HealthStatus[];
  };
  readonly communication: {
    sendMessage(message: AgentMessage): Promise<void>;
    /** A dead letter waits again, for somebody else where one is named. */
    sendAgain(messageId: string, door: PersonDoor, receiverId?: string): Promise<void>;
  };
}
