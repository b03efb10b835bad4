/** Many messages in one, for an inbox that overflows: who wrote how often, and how the first of them begin. */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { describeMessage, type MessageContent, type MessageRecord } from './message.ts';

const LINES = 20;
const SENDERS = 20;
const LINE_LENGTH = 120;

/** The same for the same messages in the same order; a digest among them counts as what it stands for. */
export function digestOf(messages: readonly DeepReadonly<MessageRecord>[]): MessageContent {
  const counts = new Map<string, number>();
  const lines: string[] = [];
  let count = 0;
  for (const { sender, content } of messages) {
    const parts =
      content.kind === 'digest'
        ? content
        : { count: 1, senders: [{ id: sender.id, count: 1 }], lines: [`${sender.id}: ${firstLine(content)}`] };
    count += parts.count;
    lines.push(...parts.lines);
    for (const { id, count: more } of parts.senders) {
      counts.set(id, (counts.get(id) ?? 0) + more);
    }
  }
  const senders = [...counts].map(([id, sent]) => ({ id, count: sent }));
  const rest = senders.slice(SENDERS).reduce((sum, sender) => sum + sender.count, 0);
  return {
    kind: 'digest',
    count,
    senders: [...senders.slice(0, SENDERS), ...(rest > 0 ? [{ id: 'others', count: rest }] : [])],
    lines: lines.slice(0, LINES),
  };
}

function firstLine(content: DeepReadonly<MessageRecord['content']>): string {
  const [line = ''] = describeMessage(content).split('\n');
  return line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH - 1)}…` : line;
}
