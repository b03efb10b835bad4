/** The whole edge: what the core asks of the world. A host implements these; everything else runs the same everywhere. */
import type { Event } from './base/emitter.ts';
import type { AgentType } from './domain/agent.ts';
import type { ConversationEntry, ModelAnswer } from './domain/conversation.ts';
import type { EventDraft, EventType, SquadEvent } from './domain/events.ts';
import type { RunOptions } from './domain/run.ts';
import type { SquadView } from './domain/squadState.ts';

/** Time, chance and ids. Outside the hosts nothing else may be asked for them. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Ten hex digits, unique within a squad. */
  newId(): string;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Where diagnostics go. Never given keys, prompts or file contents. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string, cause?: unknown): void;
}

export interface Appended {
  readonly events: readonly SquadEvent[];
  /** Resolves once the events survive a power cut; rejects when the ledger closed before. Safe to leave alone. */
  readonly durable: Promise<void>;
}

/** The truth. `append` stamps, applies and queues in one turn, so a check and its append need no lock. */
export interface Ledger {
  readonly state: SquadView;
  /** Whether `append` may be called: false once a write failed, another owner took over, or it was closed. */
  readonly isOpen: boolean;
  /** Throws LedgerClosedError once the ledger is closed. */
  append(...drafts: EventDraft[]): Appended;
  /** Called right before every effect. Throws LedgerClosedError once another process has taken the squad over. */
  assertOwner(): void;
  /** Fires in the turn of `append`, after the state has changed, once per event in order. */
  readonly onDidAppend: Event<SquadEvent>;
  /** Resolves once everything up to that event is durable, or where none is named everything appended so far. */
  flushed(upTo?: number): Promise<void>;
  /** An event of the past, from disk. Rejects when there is none with that sequence, with an EventGoneError when there was. */
  read(sequence: number): Promise<SquadEvent>;
}

/** An event as it goes to the disk. */
export interface WrittenEvent {
  readonly sequence: number;
  readonly type: EventType;
  /** The whole event as JSON, in UTF-8; not to be changed. */
  readonly json: Uint8Array;
}

/** A ledger that also shows what it writes, for who hands events on without making their bytes again. */
export interface WrittenLedger extends Ledger {
  /** Fires once per event in order, after the state has changed and before `onDidAppend`; not durable yet. */
  readonly onDidWrite: Event<WrittenEvent>;
}

/** A tool as a model is offered it. `parameters` is a JSON schema of an object. */
export interface ToolDeclaration {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ModelRequest {
  /** On whose behalf: sent as headers where the door has headers. `taskKey` is `plan` while planning. */
  readonly purpose: {
    readonly role: AgentType;
    readonly agentId: string;
    readonly taskId: string;
    readonly taskKey: string;
  };
  readonly conversation: readonly ConversationEntry[];
  readonly tools: readonly ToolDeclaration[];
  readonly maxOutputTokens: number;
}

export interface ModelReply {
  readonly answer: ModelAnswer;
  /** What the provider says the call cost; absent where it says nothing, and then the caller counts. */
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
}

/**
 * One model behind any door. `ask` resolves with a whole, shape-checked answer or rejects with a ModelError; when the
 * signal is aborted it rejects with the signal's reason and sends nothing more. It never retries by itself. `onText` is
 * given '' for what came and is no text: a sign of life.
 */
export interface LanguageModel {
  readonly id: string;
  readonly label: string;
  readonly maxInputTokens: number;
  readonly maxOutputTokens: number;
  ask(request: ModelRequest, onText: (delta: string) => void, signal: AbortSignal): Promise<ModelReply>;
  /** Tokens of a text, by the model's own count where there is one. */
  countTokens(text: string): Promise<number>;
}

export interface LanguageModels {
  /** `purpose`: on whose behalf, where one is known. Rejects with a HumanError when the chosen model is not there or cannot call tools. */
  select(choice: RunOptions['model'], signal: AbortSignal, purpose?: ModelRequest['purpose']): Promise<LanguageModel>;
}
