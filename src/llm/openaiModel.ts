/**
 * A model behind an OpenAI-compatible endpoint. Streams where the server does, never retries (the gateway does), and ends
 * every call with a whole answer, a ModelError, or the signal's reason.
 */
import type * as OpenAiSdk from 'openai';
import { ModelError } from '../domain/errors.ts';
import type { Clock, LanguageModel, ModelReply, ModelRequest } from '../ports.ts';
import { AnswerAssembly } from './answerAssembly.ts';
import { CallWatch, DEFAULT_CALL_LIMITS, type CallLimits } from './callWatch.ts';
import { attributionHeaders, chatBody, FIRST_DIALECT, type Dialect } from './chatRequest.ts';
import { dialectAfter, toModelError } from './providerFailure.ts';
import { estimateTokens } from './tokenEstimate.ts';

type Sdk = typeof OpenAiSdk;
type OnText = (delta: string) => void;

export interface OpenAiModelOptions {
  /** With the version part, as `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** Local servers need none. */
  readonly apiKey?: string | undefined;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly limits?: Partial<CallLimits>;
  readonly maxInputTokens?: number;
  readonly maxOutputTokens?: number;
}

export class OpenAiModel implements LanguageModel {
  readonly id: string;
  readonly label: string;
  readonly maxInputTokens: number;
  readonly maxOutputTokens: number;
  private readonly options: OpenAiModelOptions;
  private readonly limits: CallLimits;
  private connection: Promise<{ sdk: Sdk; client: OpenAiSdk.OpenAI }> | undefined;
  private dialect: Dialect = FIRST_DIALECT;

  constructor(options: OpenAiModelOptions) {
    this.id = `openai/${options.model}`;
    this.label = `${options.model} (${hostOf(options.baseUrl)})`;
    this.maxInputTokens = options.maxInputTokens ?? 128_000;
    this.maxOutputTokens = options.maxOutputTokens ?? 16_000;
    this.options = options;
    this.limits = { ...DEFAULT_CALL_LIMITS, ...options.limits };
  }

  async ask(request: ModelRequest, onText: OnText, signal: AbortSignal): Promise<ModelReply> {
    signal.throwIfAborted();
    const watch = new CallWatch(this.options.clock, this.limits, signal);
    return watch.guard(this.exchange(request, onText, watch));
  }

  /** Four characters a token, rounded up: servers behind this door share no tokenizer. */
  countTokens(text: string): Promise<number> {
    return Promise.resolve(estimateTokens(text));
  }

  private async exchange(request: ModelRequest, onText: OnText, watch: CallWatch): Promise<ModelReply> {
    const { sdk, client } = await this.connect();
    try {
      return await this.converse(client, sdk, request, onText, watch);
    } catch (error) {
      const { baseUrl, apiKey, clock } = this.options;
      throw toModelError(error, { sdk, baseUrl, apiKey, nowMs: clock.now() });
    }
  }

  private async converse(
    client: OpenAiSdk.OpenAI,
    sdk: Sdk,
    request: ModelRequest,
    onText: OnText,
    watch: CallWatch,
  ): Promise<ModelReply> {
    const { data: stream, response } = await this.open(client, sdk, request, watch.signal);
    const asked = request.conversation.filter((entry) => entry.role === 'assistant').length;
    const assembly = new AnswerAssembly(`call-${asked + 1}-`);
    const take = (value: unknown): void => {
      watch.noteChunk();
      const text = assembly.add(value);
      if (!watch.signal.aborted) {
        onText(text);
      }
    };
    const contentType = response.headers.get('content-type') ?? '';
    if (contentType.includes('text/html')) {
      throw new ModelError(
        'malformed',
        `${this.options.baseUrl} answered with a web page, not with a model's answer. Check the base URL: most end in /v1.`,
      );
    }
    if (contentType.includes('json')) {
      take(readWhole(await response.text(), sdk));
    } else {
      await readStream(stream, take, assembly);
    }
    return assembly.complete();
  }

  /** Sends the request; speaks the server's dialect from the first refusal on. */
  private async open(client: OpenAiSdk.OpenAI, sdk: Sdk, request: ModelRequest, signal: AbortSignal) {
    for (;;) {
      const { dialect } = this;
      try {
        const body = chatBody(this.options.model, request, dialect);
        return await client.chat.completions
          .create(body, { signal, headers: attributionHeaders(request) })
          .withResponse();
      } catch (error) {
        const next = dialectAfter(error, dialect, sdk);
        if (!next || signal.aborted) {
          throw error;
        }
        this.dialect = next;
      }
    }
  }

  /** The SDK is loaded with the first call: most starts of an editor never need it. */
  private connect(): Promise<{ sdk: Sdk; client: OpenAiSdk.OpenAI }> {
    this.connection ??= import('openai').then((sdk) => ({
      sdk,
      client: new sdk.OpenAI({
        baseURL: this.options.baseUrl,
        apiKey: this.options.apiKey ?? 'none',
        ...(this.options.apiKey ? {} : { defaultHeaders: { authorization: null } }),
        maxRetries: 0,
        timeout: this.limits.deadlineMs,
        // It would write pieces of answers to the console.
        logLevel: 'off',
      }),
    }));
    return this.connection;
  }
}

/** Reads to the end; what breaks after the model has finished can only cost the usage figures. */
async function readStream(
  stream: AsyncIterable<unknown>,
  take: (value: unknown) => void,
  assembly: AnswerAssembly,
): Promise<void> {
  try {
    for await (const chunk of stream) {
      take(chunk);
    }
  } catch (error) {
    if (!assembly.isFinished) {
      throw error;
    }
  }
}

/** The answer of a server that does not stream. */
function readWhole(text: string, sdk: Sdk): unknown {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'error' in value && value.error) {
    throw new sdk.APIError(undefined, value.error, undefined, undefined);
  }
  return value;
}

function hostOf(baseUrl: string): string {
  return URL.canParse(baseUrl) ? new URL(baseUrl).host : baseUrl;
}
