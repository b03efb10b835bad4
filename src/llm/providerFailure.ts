/** What an OpenAI-compatible server or the way to it got wrong, as a ModelError that says what the person can do. */
import type * as OpenAiSdk from 'openai';
import { messageOf, ModelError, type ModelFailureKind } from '../domain/errors.ts';
import type { Dialect } from './chatRequest.ts';
import { kindFromText, plainDetail } from './failureText.ts';

type Sdk = typeof OpenAiSdk;

export interface FailureContext {
  readonly sdk: Sdk;
  /** Where the request went, for the message. */
  readonly baseUrl: string;
  /** Cut out of whatever a server echoes. */
  readonly apiKey: string | undefined;
  /** Now, for a Retry-After that is a date. */
  readonly nowMs: number;
}

/** A ModelError for anything that a call threw; one that is already there stays as it is. */
export function toModelError(error: unknown, context: FailureContext): ModelError {
  const { sdk, baseUrl } = context;
  if (error instanceof ModelError) {
    return error;
  }
  if (error instanceof sdk.APIConnectionTimeoutError) {
    return new ModelError('timeout', `${baseUrl} did not answer in time.`, { cause: error });
  }
  if (error instanceof sdk.APIConnectionError) {
    return new ModelError('unreachable', `Cannot reach ${baseUrl}: ${deepestMessage(error)}`, { cause: error });
  }
  if (isServerAnswer(error, sdk)) {
    return fromAnswer(error, context);
  }
  if (error instanceof SyntaxError) {
    return new ModelError('malformed', `${baseUrl} sent an answer that is not valid JSON.`, { cause: error });
  }
  return new ModelError('unreachable', `The connection to ${baseUrl} broke: ${deepestMessage(error)}`, {
    cause: error,
  });
}

/**
 * How to speak to the server after it refused a request over a parameter that it does not know; undefined when that was
 * not the reason or the other form was tried already.
 */
export function dialectAfter(error: unknown, dialect: Dialect, sdk: Sdk): Dialect | undefined {
  if (!isServerAnswer(error, sdk) || (error.status !== 400 && error.status !== 422)) {
    return undefined;
  }
  const text = `${error.param ?? ''} ${error.message}`;
  if (dialect.usageInStream && text.includes('stream_options')) {
    return { ...dialect, usageInStream: false };
  }
  if (dialect.outputLimitName === 'max_tokens' && text.includes('max_completion_tokens')) {
    return { ...dialect, outputLimitName: 'max_completion_tokens' };
  }
  return undefined;
}

/** Milliseconds until a provider wants to be asked again; undefined where the headers say nothing that makes sense. */
export function readRetryAfterMs(headers: Headers | undefined, nowMs: number): number | undefined {
  const exact = headers?.get('retry-after-ms');
  const value = headers?.get('retry-after')?.trim();
  for (const ms of [
    exact ? Number(exact) : NaN,
    value && /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : NaN,
    // A date, as HTTP has it, begins with the day's name; Date.parse alone would take nearly anything.
    value && /^[A-Z][a-z]{2},? /.test(value) ? Date.parse(value) - nowMs : NaN,
  ]) {
    if (Number.isFinite(ms)) {
      return Math.max(0, Math.round(ms));
    }
  }
  return undefined;
}

/** The SDK's class leaves its parameters open to `any`; this closes them again. */
function isServerAnswer(error: unknown, sdk: Sdk): error is OpenAiSdk.APIError {
  return error instanceof sdk.APIError;
}

function fromAnswer(error: OpenAiSdk.APIError, context: FailureContext): ModelError {
  // Inside a stream the status stands in the error's code, if anywhere.
  const status = error.status ?? Number(error.code ?? NaN);
  const kind = kindOf(error, status);
  const retryAfterMs = readRetryAfterMs(error.headers, context.nowMs);
  // No cause: the SDK's error keeps the server's body, which may hold the key.
  return new ModelError(kind, `${ADVICE[kind] ?? 'The model server failed.'} ${detailOf(error, context)}`, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

const ADVICE: Partial<Record<ModelFailureKind, string>> = {
  authentication: 'The model server refused the API key; check the key and what it may use.',
  quota: 'The quota of this API key is used up; add credit or choose another model.',
  'rate-limit': 'The model server asks to slow down.',
  'not-found': 'The model server knows no such model or address; check the model name and the base URL.',
  refused: 'The model server refused the request.',
  'context-overflow': 'The conversation is longer than the model can take.',
  'no-tools': 'This model cannot call tools; choose one that can.',
};

function kindOf(error: OpenAiSdk.APIError, status: number): ModelFailureKind {
  return (
    SURE_KIND_BY_STATUS[status] ??
    kindFromText(`${error.code ?? ''} ${error.type ?? ''} ${error.message}`) ??
    KIND_BY_STATUS[status] ??
    (status >= 400 && status < 500 ? 'refused' : 'server')
  );
}

/** Whatever the text says. */
const SURE_KIND_BY_STATUS: Readonly<Record<number, ModelFailureKind>> = { 402: 'quota', 413: 'context-overflow' };

const KIND_BY_STATUS: Readonly<Record<number, ModelFailureKind>> = {
  401: 'authentication',
  403: 'authentication',
  404: 'not-found',
  408: 'timeout',
  409: 'server',
  429: 'rate-limit',
};

function detailOf(error: OpenAiSdk.APIError, { apiKey }: FailureContext): string {
  return `(${plainDetail(apiKey ? error.message.replaceAll(apiKey, '…') : error.message)})`;
}

/** fetch says only "fetch failed"; what happened is further down. */
function deepestMessage(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? deepestMessage(error.cause) : messageOf(error);
}
