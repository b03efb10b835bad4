/**
 * Reads text from the web: one GET after the other, each to the address that was checked and to no other, without cookies or
 * credentials, bounded in size and time. It decides nothing: whoever calls says where a request may go.
 */
import { lookup } from 'node:dns/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { messageOf, ToolRefusal } from '../domain/errors.ts';
import type { Clock } from '../ports.ts';
import type { AddressOf, Web, WebPage } from './web.ts';

/** The machine's own, for the hosts. */
export interface Network {
  /** Rejects where nobody knows the name. */
  resolve(host: string): Promise<readonly string[]>;
  /** Where an address and a port are connected to: themselves, mostly. */
  placeOf(address: string, port: number): { readonly host: string; readonly port: number };
}

export const systemNetwork: Network = {
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  placeOf: (host, port) => ({ host, port }),
};

const LONGEST_MS = 30_000;
const MOST_BYTES = 5 * 1024 * 1024;
const MOST_HOPS = 5;
const TEXT_TYPES =
  /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml|yaml|javascript)$|application\/(?:ecmascript|x-(?:yaml|sh|javascript))$)/;

type Answer = { readonly leadsTo: string } | { readonly type: string; readonly charset: string; readonly body: Buffer };

export class WebReader implements Web {
  private readonly clock: Pick<Clock, 'sleep'>;
  private readonly network: Network;

  constructor(options: { clock: Pick<Clock, 'sleep'>; network: Network }) {
    this.clock = options.clock;
    this.network = options.network;
  }

  resolve(host: string, signal: AbortSignal): Promise<readonly string[]> {
    const ask = (bounded: AbortSignal): Promise<readonly string[]> =>
      orAborted(this.network.resolve(host), bounded).catch((error: unknown) => {
        bounded.throwIfAborted();
        throw new ToolRefusal(`Nobody knows the host ${host} (${codeOf(error)}). Look at its name.`);
      });
    return this.inTime(ask, signal);
  }

  read(url: URL, addressOf: AddressOf, signal: AbortSignal): Promise<WebPage> {
    return this.inTime(async (bounded) => {
      let at = url;
      for (let hops = 0; hops <= MOST_HOPS; hops++) {
        const answer = await this.get(at, await addressOf(at, bounded), bounded);
        if (!('leadsTo' in answer)) {
          return pageOf(at, answer);
        }
        if (!URL.canParse(answer.leadsTo, at)) {
          throw new ToolRefusal(`${at.href} leads on to what is no address. Look for the text elsewhere.`);
        }
        at = new URL(answer.leadsTo, at);
        // Stays here and is sent to nobody.
        at.hash = '';
      }
      throw new ToolRefusal(
        `${url.href} leads on and on; it was left after ${MOST_HOPS} hops. Look for the text elsewhere.`,
      );
    }, signal);
  }

  /** Never follows; never asks for an address. */
  private async get(url: URL, address: string, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const isSecure = url.protocol === 'https:';
    const place = this.network.placeOf(address, Number(url.port) || (isSecure ? 443 : 80));
    const options = {
      ...place,
      path: url.pathname + url.search,
      // A connection of its own: nothing of an earlier one, to another address of the same name, is used again.
      agent: false as const,
      signal,
      headers: {
        host: url.host,
        accept: 'text/html, text/*, application/json, application/xml;q=0.9, */*;q=0.1',
        'accept-encoding': 'identity',
        'user-agent': 'DevSquad',
      },
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      // The certificate must be the name's, and not the address's.
      // An address in its place has none.
      const named = url.hostname.replace(/^\[|\]$/g, '') === address ? {} : { servername: url.hostname };
      const request = isSecure ? https.get({ ...options, ...named }) : http.get(options);
      request.on('response', resolve);
      request.on('error', reject);
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new ToolRefusal(`${url.host} cannot be read from (${codeOf(error)}). Try another address, or do without.`);
    });
    try {
      return await answerOf(url, response);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ToolRefusal
        ? error
        : new ToolRefusal(`${url.host} broke off (${codeOf(error)}). Try once more, or another address.`);
    } finally {
      response.destroy();
    }
  }

  /** The work, which ends when the time is over, also where something in it does not listen to its signal. */
  private async inTime<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const [late, over] = [new AbortController(), new AbortController()];
    const timer = this.clock.sleep(LONGEST_MS, AbortSignal.any([signal, over.signal])).then(
      () => {
        late.abort(new ToolRefusal(`It took longer than ${LONGEST_MS / 1000} s. Look for the text elsewhere.`));
      },
      () => undefined,
    );
    try {
      return await work(AbortSignal.any([signal, late.signal]));
    } finally {
      over.abort();
      await timer;
    }
  }
}

async function answerOf(url: URL, response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  if (status >= 300 && status < 400 && headers.location !== undefined) {
    return { leadsTo: headers.location };
  }
  if (status < 200 || status >= 300) {
    throw new ToolRefusal(`${url.href} answers with status ${status}. Look at the address, or look elsewhere.`);
  }
  const [type = '', ...parameters] = (headers['content-type'] ?? 'text/plain').split(';');
  if (!TEXT_TYPES.test(type.trim().toLowerCase())) {
    throw new ToolRefusal(`${url.href} is no text; only text is read.`);
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new ToolRefusal(
      `${url.href} comes packed although it was asked for as it is, so it is not read. Look elsewhere.`,
    );
  }
  const charset = parameters.map((each) => /^\s*charset\s*=\s*"?([\w:.-]+)"?\s*$/i.exec(each)?.[1]).find(Boolean);
  return { type: type.trim().toLowerCase(), charset: charset ?? '', body: await bodyOf(url, response) };
}

async function bodyOf(url: URL, response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const refuseMoreThan = (count: number): void => {
    if (count > MOST_BYTES) {
      throw new ToolRefusal(`${url.href} is longer than ${MOST_BYTES / 1024 / 1024} MB. Look for a shorter page.`);
    }
  };
  refuseMoreThan(Number(response.headers['content-length'] ?? 0));
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    refuseMoreThan(bytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function pageOf(url: URL, { type, charset, body }: Extract<Answer, { body: Buffer }>): WebPage {
  const isHtml = type === 'text/html' || type === 'application/xhtml+xml';
  const text = decode(url, body, charset || (isHtml ? charsetInHtml(body) : ''));
  if (text.includes('\0')) {
    throw new ToolRefusal(`${url.href} is no text; only text is read.`);
  }
  return { url: url.href, isHtml, text };
}

function charsetInHtml(body: Buffer): string {
  return /<meta[^>]{0,200}charset\s*=\s*["']?([\w:.-]+)/i.exec(body.subarray(0, 2048).toString('latin1'))?.[1] ?? '';
}

function decode(url: URL, body: Buffer, charset: string): string {
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(charset || 'utf-8');
  } catch {
    throw new ToolRefusal(`${url.href} is written in ${charset}, which nobody here reads. Look elsewhere.`);
  }
  return decoder.decode(body);
}

/** What the system calls it: never words of the other side. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : messageOf(error);
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}
