/** How a model server can fail: one row per fault. Texts are as real servers send them. */
import type { ServerResponse } from 'node:http';

export type Fault =
  /** An answer with that status; `retryAfter` goes out as it is. */
  | { fault: 'status'; status: number; message?: string; code?: string; param?: string; retryAfter?: string }
  | { fault: 'html' }
  | { fault: 'empty' }
  | { fault: 'cut' }
  | { fault: 'malformed-sse' }
  | { fault: 'wrong-shape' }
  | { fault: 'error-in-stream'; message: string; code?: string | number }
  | { fault: 'truncated-arguments'; finishReason?: string }
  /** The connection is closed hard: before any answer, or in the middle of it. */
  | { fault: 'reset'; when: 'at-once' | 'mid-stream' | 'after-finish' }
  /** Nothing more comes: no headers at all, or after the first words. */
  | { fault: 'stall'; when: 'before-headers' | 'mid-stream' }
  /** A word every so often, without end. */
  | { fault: 'slow-drip'; everyMs: number }
  | { fault: 'endless'; bytes: number };

export function sendFault(response: ServerResponse, fault: Fault): void {
  switch (fault.fault) {
    case 'status':
      sendStatus(response, fault);
      return;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in</title>');
      return;
    case 'empty':
      begin(response).end(event({ content: '' }, 'stop') + DONE);
      return;
    case 'cut':
      begin(response).end(event({ content: 'I was about to' }));
      return;
    case 'malformed-sse':
      begin(response).end(`${event({ content: 'Hello' })}data: {"choices": [{"del\n\n`);
      return;
    case 'wrong-shape':
      begin(response).end(`data: {"choices": "none"}\n\n${DONE}`);
      return;
    case 'error-in-stream':
      begin(response).end(`${event({ content: 'Hello' })}data: ${JSON.stringify({ error: { ...fault } })}\n\n`);
      return;
    case 'truncated-arguments':
      begin(response).end(event(TRUNCATED_CALL) + event({}, fault.finishReason ?? 'tool_calls') + DONE);
      return;
    case 'reset':
      reset(response, fault.when);
      return;
    case 'stall':
      if (fault.when === 'mid-stream') {
        begin(response).write(event({ content: 'Hello' }));
      }
      return;
    case 'slow-drip':
      drip(response, fault.everyMs);
      return;
    case 'endless':
      begin(response);
      for (let sent = 0; sent < fault.bytes; sent += 100_000) {
        response.write(event({ content: 'x'.repeat(100_000) }));
      }
      response.end(event({}, 'stop') + DONE);
  }
}

const DONE = 'data: [DONE]\n\n';

const TRUNCATED_CALL = {
  tool_calls: [
    { index: 0, id: 'call_1', function: { name: 'write_file', arguments: '{"path":"a.txt","content":"half' } },
  ],
};

function begin(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' });
}

function event(delta: unknown, finishReason: string | null = null): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`;
}

function sendStatus(response: ServerResponse, fault: Extract<Fault, { fault: 'status' }>): void {
  const { status, message = `Status ${status}`, code, param, retryAfter } = fault;
  response
    .writeHead(status, {
      'content-type': 'application/json',
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    })
    .end(JSON.stringify({ error: { message, code, param } }));
}

function reset(response: ServerResponse, when: 'at-once' | 'mid-stream' | 'after-finish'): void {
  if (when === 'at-once') {
    response.socket?.resetAndDestroy();
    return;
  }
  const text = when === 'after-finish' ? event({ content: 'Hello' }) + event({}, 'stop') : event({ content: 'Hello' });
  begin(response).write(text);
  // Long enough for the words to arrive: a reset also throws away what the other side has not read.
  setTimeout(() => response.socket?.resetAndDestroy(), 30);
}

function drip(response: ServerResponse, everyMs: number): void {
  begin(response);
  const timer = setInterval(() => response.write(event({ content: 'drip ' })), everyMs);
  response.on('close', () => {
    clearInterval(timer);
  });
}
