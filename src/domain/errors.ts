/** Every error class of the core. Facts are fields; a `HumanError`'s message is meant to be read by the developer. */

/** Says what happened, what is safe, and what the person can do. Shown as it is, without a stack. */
export class HumanError extends Error {
  override name = 'HumanError';
}

/** The command line or a request was not understood. */
export class UsageError extends HumanError {
  override name = 'UsageError';
}

/** A setting of the editor says what cannot be; `setting` is its whole name. */
export class SettingError extends HumanError {
  override name = 'SettingError';
  readonly setting: string;
  constructor(setting: string, message: string, options: { cause?: unknown } = {}) {
    super(`${message} Change the setting ${setting}, and try again.`, { cause: options.cause });
    this.setting = setting;
  }
}

/** The storage folder or the workspace cannot be used as it is. */
export class StorageError extends HumanError {
  override name = 'StorageError';
}

/** Another process owns this workspace's squad and lives. */
export class SquadOwnedError extends StorageError {
  override name = 'SquadOwnedError';
  readonly pid: number;
  constructor(pid: number, host: string) {
    super(
      `Another DevSquad (${host}, process ${pid}) runs this workspace's squad. Close it, or stop its runs with "devsquad stop", and try again.`,
    );
    this.pid = pid;
  }
}

/** Another process owns this workspace's squad and does not answer; only a person may take over from it. */
export class SquadSilentError extends StorageError {
  override name = 'SquadSilentError';
  readonly pid: number;
  constructor(pid: number, host: string) {
    super(
      `Another DevSquad (${host}, process ${pid}) owns this workspace's squad and does not answer. Wait for it or end it; or take over: at a terminal and in VS Code you are asked.`,
    );
    this.pid = pid;
  }
}

/** The process that owns the squad went away, or does not answer any more, while it was asked something. */
export class OwnerLostError extends HumanError {
  override name = 'OwnerLostError';
  readonly loss: 'gone' | 'silent';
  constructor(loss: 'gone' | 'silent') {
    super(
      loss === 'gone'
        ? 'The window or terminal that did the work has just closed, so this may not have been done. Nothing acknowledged is lost; look, and try again.'
        : 'The window or terminal that does the work does not answer. Wait for it, or try again and take over.',
    );
    this.loss = loss;
  }
}

/** An event of the past was deleted, because its run is over and its archive was one of too many. */
export class EventGoneError extends StorageError {
  override name = 'EventGoneError';
}

/** The ledger closed because a write failed or its thread ended: nothing more may be done in its name. */
export class LedgerClosedError extends StorageError {
  override name = 'LedgerClosedError';
}

export type ModelFailureKind =
  | 'unreachable'
  | 'authentication'
  | 'quota'
  | 'rate-limit'
  | 'not-found'
  | 'refused'
  | 'context-overflow'
  | 'timeout'
  | 'stalled'
  | 'malformed'
  | 'server'
  | 'no-tools';

/** A model call ended without a usable answer. `retryAfterMs` is what the provider asked for. */
export class ModelError extends Error {
  override name = 'ModelError';
  readonly kind: ModelFailureKind;
  readonly retryAfterMs: number | undefined;
  /** Nobody is to try again, whatever the kind. */
  readonly isFinal: boolean;
  constructor(
    kind: ModelFailureKind,
    message: string,
    options: { retryAfterMs?: number; isFinal?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
    this.isFinal = options.isFinal ?? false;
  }
}

/** A tool or a path was refused; the message tells a model what to try instead. */
export class ToolRefusal extends Error {
  override name = 'ToolRefusal';
}

/** A program the host started could not be started at all. */
export class ProcessStartError extends HumanError {
  override name = 'ProcessStartError';
}

/** A git command ended with an exit code that its caller did not expect. */
export class GitError extends Error {
  override name = 'GitError';
  readonly args: readonly string[];
  readonly exitCode: number | null;
  readonly stderr: string;
  constructor(args: readonly string[], exitCode: number | null, stderr: string) {
    super(`git ${args[0] ?? ''} ended with ${exitCode ?? 'a signal'}: ${stderr.trim().slice(0, 2000)}`);
    this.args = args;
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/** The reason given to `AbortController.abort` when work ends on purpose. */
export class StoppedError extends Error {
  override name = 'StoppedError';
}

/** What an earlier attempt, or an earlier start of an agent, wanted to do: it counts no more and did nothing. */
export class SupersededError extends StoppedError {
  override name = 'SupersededError';
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
