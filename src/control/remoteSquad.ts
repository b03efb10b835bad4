/**
 * A squad that another process owns, as this one uses it: the same state, built by a slice and the owner's events, and
 * requests that the owner carries out. It ends when the owner is gone or does not answer any more; nothing is kept then.
 */
import { Emitter, type Event } from '../base/emitter.ts';
import type { Disposable } from '../base/disposable.ts';
import { emptyState, type SquadView } from '../domain/squadState.ts';
import { HumanError, messageOf, OwnerLostError, StorageError } from '../domain/errors.ts';
import type { SquadEvent } from '../domain/events.ts';
import type { Clock, Logger } from '../ports.ts';
import { ViewFollower } from '../protocol/channel.ts';
import {
  answerSchemas,
  ownerMessageSchema,
  WINDOW_VERSION,
  type AnswerTo,
  type OwnerMessage,
  type WindowRequest,
} from '../protocol/windowMessages.ts';
import { keepForWindow } from '../protocol/windowState.ts';
import type { LedgerView, SharedRuns, SharedSquad } from './sharedSquad.ts';

/** How often the owner is asked for a sign of life, and how long it may take. */
const PING_INTERVAL_MS = 10_000;
/** After a machine slept, what the owner said meanwhile is read first. */
const PING_GRACE_MS = 1_000;
/** From the attach to the first slice; an owner that is still opening a large ledger takes its time. */
const ATTACH_PATIENCE_MS = 60_000;

/** The line, as this end sees it. */
export interface OwnerLine {
  send(value: object): void;
  handTo(take: (value: unknown) => void): void;
  onClose(listener: () => void): void;
  close(): void;
}

export interface RemoteSquadOptions {
  readonly line: OwnerLine;
  /** From the owner's record. */
  readonly token: string;
  readonly host: 'terminal' | 'editor';
  /** Whole events instead of what the state needs, for who writes them all down. */
  readonly everyEvent: boolean;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
}

/** `gone`: it closed or died. `silent`: the line stands, and nothing comes. */
export type OwnerLoss = 'gone' | 'silent';

interface Asked {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** An answer that waits until the state here holds what it tells of. */
interface Early {
  readonly id: number;
  readonly sequence: number;
  readonly value: unknown;
}

export class RemoteSquad implements SharedSquad, Disposable {
  readonly ledger: LedgerView;
  readonly inbox: SharedSquad['inbox'];
  readonly runs: SharedRuns;
  readonly communication: SharedSquad['communication'];
  readonly team: SharedSquad['team'] = {
    scale: (role, count) => this.done({ type: 'scale', role, count }),
    // Signs of life are not sent over the line.
    health: () => [],
  };
  private readonly o: RemoteSquadOptions;
  private readonly follower = new ViewFollower(keepForWindow);
  private readonly appended = new Emitter<SquadEvent>();
  private readonly resets = new Emitter<undefined>();
  private readonly losses = new Emitter<OwnerLoss>();
  private readonly over = new AbortController();
  private readonly asked = new Map<number, Asked>();
  /** By request: what lets this line answer what it was shown. */
  private readonly nonces = new Map<string, string>();
  private early: Early[] = [];
  private readonly attached = Promise.withResolvers<undefined>();
  private lastId = 0;
  /** Lines that came in. */
  private heard = 0;

  /** The state was replaced by a newer one; events in between were not told. */
  readonly onDidReset: Event<undefined> = this.resets.event;
  /** Fires once, when the owner is lost; every request that waits is rejected before. */
  readonly onDidLose: Event<OwnerLoss> = this.losses.event;

  /** Resolves once the state is there. Rejects with OwnerLostError, or with a StorageError where the owner refuses. */
  static async attach(options: RemoteSquadOptions, signal: AbortSignal): Promise<RemoteSquad> {
    const squad = new RemoteSquad(options);
    const patience = options.clock.sleep(ATTACH_PATIENCE_MS, AbortSignal.any([signal, squad.over.signal]));
    const tooLong = patience.then(
      () => {
        throw new OwnerLostError('silent');
      },
      () => {
        signal.throwIfAborted();
      },
    );
    const { line, token, host, everyEvent } = options;
    line.send({ type: 'attach', token, version: WINDOW_VERSION, host, everyEvent });
    try {
      await Promise.race([squad.attached.promise, tooLong.then(() => squad.attached.promise)]);
    } catch (error) {
      squad.dispose();
      throw error;
    }
    void squad.watch();
    return squad;
  }

  private constructor(options: RemoteSquadOptions) {
    this.o = options;
    const state = (): SquadView => this.follower.view?.state ?? EMPTY;
    this.ledger = {
      get state() {
        return state();
      },
      onDidAppend: this.appended.event,
      // The owner tells only what is durable.
      flushed: () => Promise.resolve(),
      read: async (sequence) => (await this.ask({ type: 'read', sequence })).event,
    };
    this.runs = this.remoteRuns();
    this.inbox = {
      show: async (requestId) => {
        const { requests, nonce } = await this.ask({ type: 'show', requestId });
        this.nonces.set(requestId, nonce);
        return requests;
      },
      answer: async (requestId, answer) => {
        // Whoever refuses need not have looked.
        const nonce = this.nonces.get(requestId) ?? (await this.ask({ type: 'show', requestId })).nonce;
        this.nonces.delete(requestId);
        await this.ask({ type: 'answer', requestId, nonce, answer });
      },
      removeRule: (ruleId) => this.done({ type: 'remove-rule', ruleId }),
    };
    this.communication = {
      sendMessage: async ({ id, receiverId, type, content, priority }) => {
        await this.ask({ type: 'say', messageId: id, receiverId, messageType: type, content, priority });
      },
      sendAgain: (messageId, _door, receiverId) =>
        this.done({ type: 'send-again', messageId, ...(receiverId === undefined ? {} : { receiverId }) }),
    };
    this.attached.promise.catch(() => undefined);
    options.line.handTo((value) => {
      this.take(value);
    });
    options.line.onClose(() => {
      this.lose('gone');
    });
  }

  /** Leaves the squad to its owner. */
  dispose(): void {
    this.end(new OwnerLostError('gone'));
  }

  private remoteRuns(): SharedRuns {
    return {
      start: async (objective, options) => (await this.ask({ type: 'start', objective, options })).runId,
      pause: (runId) => this.done({ type: 'pause', runId }),
      resume: (runId) => this.done({ type: 'resume', runId }),
      stopAll: async (_door, only) => {
        const request =
          only === undefined ? ({ type: 'emergency-stop' } as const) : { type: 'stop-run' as const, runId: only };
        return (await this.ask(request)).runIds;
      },
      resumeAll: async () => (await this.ask({ type: 'recover' })).runIds,
      apply: (runId) => this.done({ type: 'apply', runId }),
      branch: (runId, name) => this.done({ type: 'branch', runId, name }),
      discard: (runId) => this.done({ type: 'discard', runId }),
      undo: (runId) => this.done({ type: 'undo', runId }),
      fileAt: async (runId, side, path) => {
        const { base64 } = await this.ask({ type: 'file', runId, side, path });
        return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
      },
    };
  }

  private async done(request: WindowRequest): Promise<void> {
    await this.ask(request);
  }

  private async ask<Request extends WindowRequest>(request: Request): Promise<AnswerTo<Request['type']>> {
    if (this.over.signal.aborted) {
      throw new OwnerLostError('gone');
    }
    const id = ++this.lastId;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
    });
    this.o.line.send({ id, request });
    const value = await answer;
    const schema = Object.hasOwn(answerSchemas, request.type)
      ? answerSchemas[request.type as keyof typeof answerSchemas]
      : undefined;
    // The schema of a type gives that type's answer, and where there is none the answer is empty.
    return (schema?.parse(value) ?? {}) as AnswerTo<Request['type']>;
  }

  private take(value: unknown): void {
    this.heard++;
    const parsed = ownerMessageSchema.safeParse(value);
    if (!parsed.success || this.over.signal.aborted) {
      if (!parsed.success) {
        this.o.logger.warn('The owner of the squad said something that this DevSquad does not know.');
      }
      return;
    }
    this.handle(parsed.data);
  }

  private handle(message: OwnerMessage): void {
    switch (message.type) {
      case 'attached':
        this.tell({ type: 'ready' });
        return;
      case 'error':
        this.attached.reject(new StorageError(message.message));
        return;
      case 'slice':
        this.follower.follow(message);
        this.attached.resolve(undefined);
        this.resets.fire(undefined);
        this.settle();
        return;
      case 'events':
        this.follow(message);
        return;
      case 'answered':
        this.early.push(message);
        this.settle();
        return;
      case 'failed':
        this.asked
          .get(message.id)
          ?.reject(message.forPerson ? new HumanError(message.message) : new Error(message.message));
        this.asked.delete(message.id);
        return;
      case 'refused':
      case 'no-squad':
        this.o.logger.warn(message.message);
    }
  }

  private follow(message: Extract<OwnerMessage, { type: 'events' }>): void {
    switch (this.follower.follow(message)) {
      case 'changed':
        for (const event of message.events) {
          this.appended.fire(event);
        }
        this.settle();
        return;
      case 'behind':
        this.tell({ type: 'catch-up', sequence: this.ledger.state.sequence });
        return;
      case 'unchanged':
    }
  }

  /** Whoever asked for something finds it in the state once the answer is there. */
  private settle(): void {
    const { sequence } = this.ledger.state;
    const due = this.early.filter((answer) => answer.sequence <= sequence);
    this.early = this.early.filter((answer) => answer.sequence > sequence);
    for (const { id, value } of due) {
      this.asked.get(id)?.resolve(value);
      this.asked.delete(id);
    }
  }

  /** Asks for a sign of life now and then, until the end. */
  private async watch(): Promise<void> {
    const { signal } = this.over;
    const { clock } = this.o;
    try {
      for (;;) {
        const before = this.heard;
        this.tell({ type: 'ping' });
        await clock.sleep(PING_INTERVAL_MS, signal);
        if (this.heard === before) {
          await clock.sleep(PING_GRACE_MS, signal);
        }
        if (this.heard === before) {
          this.lose('silent');
        }
      }
    } catch {
      // It is over.
    }
  }

  /** A request whose answer says nothing. */
  private tell(request: WindowRequest): void {
    void this.ask(request).catch((error: unknown) => {
      if (!(error instanceof OwnerLostError)) {
        this.o.logger.warn(`${request.type}: ${messageOf(error)}`);
      }
    });
  }

  private lose(loss: OwnerLoss): void {
    if (!this.over.signal.aborted) {
      this.end(new OwnerLostError(loss));
      this.losses.fire(loss);
    }
  }

  private end(error: OwnerLostError): void {
    this.over.abort(error);
    this.attached.reject(error);
    for (const asked of this.asked.values()) {
      asked.reject(error);
    }
    this.asked.clear();
    this.o.line.close();
  }
}

const EMPTY = emptyState();
