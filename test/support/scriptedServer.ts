/**
 * An OpenAI-compatible server on the loopback interface whose every answer is a function of the request. It can also fail
 * in all the ways that real ones do.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';
import type { ConversationEntry } from '../../src/domain/conversation.ts';
import { estimateAnswer, estimateConversation } from '../../src/llm/tokenEstimate.ts';
import { sendFault, type Fault } from './serverFaults.ts';

const bodySchema = z.object({
  model: z.string(),
  stream: z.boolean().optional(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).optional(),
  max_tokens: z.number().optional(),
  max_completion_tokens: z.number().optional(),
  tools: z.array(z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) })).default([]),
  messages: z.array(
    z.object({
      role: z.enum(['system', 'user', 'assistant', 'tool']),
      content: z.string().nullable(),
      tool_call_id: z.string().optional(),
      tool_calls: z
        .array(z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) }))
        .optional(),
    }),
  ),
});

/** What a script sees of a request. */
export interface ScriptedRequest {
  /** From 0, over the whole life of the server. */
  readonly index: number;
  readonly role: string;
  readonly agentId: string;
  /** The task's id, `plan` while planning. */
  readonly taskId: string;
  /** Names of the tools that are offered. */
  readonly tools: readonly string[];
  readonly conversation: readonly ConversationEntry[];
  readonly headers: IncomingMessage['headers'];
  readonly body: z.infer<typeof bodySchema>;
}

export interface ScriptedCall {
  readonly name: string;
  /** A text goes out as it is, so that it can be wrong. */
  readonly arguments: Readonly<Record<string, unknown>> | string;
}

export interface ScriptedAnswer {
  readonly text?: string;
  readonly toolCalls?: readonly ScriptedCall[];
  readonly finishReason?: string;
  /** One JSON answer although a stream was asked for. */
  readonly whole?: boolean;
  /** Says nothing about usage. */
  readonly withoutUsage?: boolean;
}

export type Script = (request: ScriptedRequest) => ScriptedAnswer | Fault;

export class ScriptedServer {
  /** Every request so far, oldest first. */
  readonly requests: ScriptedRequest[] = [];
  /** How many callers closed their connection before the answer was whole. */
  hangUps = 0;
  readonly baseUrl: string;
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    // A server that listens on TCP has an address of this form.
    this.baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  }

  static async start(script: Script): Promise<ScriptedServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const scripted = new ScriptedServer(server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      response.on('close', () => {
        if (!response.writableFinished) {
          scripted.hangUps++;
        }
      });
      scripted.answer(script, request, response).catch((error: unknown) => {
        response.writeHead(500, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { message: `The script failed: ${String(error)}` } }));
      });
    });
    return scripted;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(script: Script, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) {
      chunks.push(chunk as Buffer);
    }
    if (incoming.method !== 'POST' || incoming.url !== '/v1/chat/completions') {
      sendFault(response, { fault: 'status', status: 404 });
      return;
    }
    const request = toScriptedRequest(this.requests.length, incoming.headers, Buffer.concat(chunks).toString('utf8'));
    this.requests.push(request);
    const answer = script(request);
    if ('fault' in answer) {
      sendFault(response, answer);
    } else if (answer.whole === true || request.body.stream !== true) {
      sendWhole(response, request, answer);
    } else {
      sendStream(response, request, answer);
    }
  }
}

function toScriptedRequest(index: number, headers: IncomingMessage['headers'], text: string): ScriptedRequest {
  const body = bodySchema.parse(JSON.parse(text));
  const [role = '', agentId = ''] = String(headers['x-devsquad-agent'] ?? '').split('/');
  return {
    index,
    role,
    agentId,
    taskId: String(headers['x-devsquad-task'] ?? ''),
    tools: body.tools.map((tool) => tool.function.name),
    conversation: body.messages.map(toEntry),
    headers,
    body,
  };
}

function toEntry(message: z.infer<typeof bodySchema>['messages'][number]): ConversationEntry {
  const text = message.content ?? '';
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, text };
    case 'assistant': {
      const toolCalls = (message.tool_calls ?? []).map((call) => ({
        id: call.id,
        name: call.function.name,
        argumentsText: call.function.arguments,
      }));
      return { role: 'assistant', text, toolCalls };
    }
    case 'tool':
      return { role: 'tool', callId: message.tool_call_id ?? '', text };
  }
}

function callsOf(request: ScriptedRequest, answer: ScriptedAnswer) {
  const turn = request.conversation.filter((entry) => entry.role === 'assistant').length + 1;
  return (answer.toolCalls ?? []).map((call, position) => ({
    id: `call_${turn}_${position + 1}`,
    name: call.name,
    argumentsText: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
  }));
}

function usageOf(request: ScriptedRequest, answer: ScriptedAnswer) {
  return {
    prompt_tokens: estimateConversation(request.conversation),
    completion_tokens: estimateAnswer({ text: answer.text ?? '', toolCalls: callsOf(request, answer) }),
  };
}

const finishReasonOf = (answer: ScriptedAnswer): string =>
  answer.finishReason ?? (answer.toolCalls?.length ? 'tool_calls' : 'stop');

function sendWhole(response: ServerResponse, request: ScriptedRequest, answer: ScriptedAnswer): void {
  const tool_calls = callsOf(request, answer).map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.argumentsText },
  }));
  const message = { role: 'assistant', content: answer.text ?? null, ...(tool_calls.length ? { tool_calls } : {}) };
  const choices = [{ index: 0, message, finish_reason: finishReasonOf(answer) }];
  const usage = answer.withoutUsage === true ? {} : { usage: usageOf(request, answer) };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ choices, ...usage }));
}

function sendStream(response: ServerResponse, request: ScriptedRequest, answer: ScriptedAnswer): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (value: unknown): void => {
    response.write(`data: ${JSON.stringify(value)}\n\n`);
  };
  const sendDelta = (delta: unknown, finish_reason: string | null = null): void => {
    send({ choices: [{ index: 0, delta, finish_reason }] });
  };
  sendDelta({ role: 'assistant', content: '' });
  for (const content of cut(answer.text ?? '', 24)) {
    sendDelta({ content });
  }
  for (const [index, call] of callsOf(request, answer).entries()) {
    sendDelta({
      tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }],
    });
    for (const text of cut(call.argumentsText, 400)) {
      sendDelta({ tool_calls: [{ index, function: { arguments: text } }] });
    }
  }
  sendDelta({}, finishReasonOf(answer));
  if (request.body.stream_options?.include_usage === true && answer.withoutUsage !== true) {
    send({ choices: [], usage: usageOf(request, answer) });
  }
  response.end('data: [DONE]\n\n');
}

function cut(text: string, length: number): string[] {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, index) =>
    text.slice(index * length, (index + 1) * length),
  );
}
