/**
 * The conversation of one attempt, read back from the events that made it. Nothing is kept twice: the living state knows
 * the sequences, the ledger has the texts.
 */
import type { ConversationEntry, ToolCall } from '../domain/conversation.ts';
import type { SquadEvent } from '../domain/events.ts';
import type { TaskView } from '../domain/squadState.ts';
import type { Ledger } from '../ports.ts';

export class Transcript {
  readonly entries: ConversationEntry[] = [];
  /** Entries up to and with the last mail, and how many of all are mail. */
  mail = { upTo: 0, count: 0 };
  private readonly ledger: Ledger;
  private taken = 0;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** Takes in what has been said since the last time. */
  async catchUp(task: TaskView): Promise<void> {
    for (const sequence of task.conversation.slice(this.taken)) {
      const event = await this.ledger.read(sequence);
      this.entries.push(...entriesOf(event));
      this.taken++;
      if (event.type === 'conversation-noted' && event.messageId !== undefined) {
        this.mail = { upTo: this.entries.length, count: this.mail.count + 1 };
      }
    }
  }

  /** Calls of the last answer that have no result yet, in order. */
  unanswered(): ToolCall[] {
    const last = this.entries.findLastIndex((entry) => entry.role === 'assistant');
    const answer = this.entries[last];
    if (answer?.role !== 'assistant') {
      return [];
    }
    const answered = this.entries.slice(last + 1).filter((entry) => entry.role === 'tool').length;
    return answer.toolCalls.slice(answered);
  }

  /** Whether some calls of the last answer have a result and others have none. */
  isBetweenCalls(): boolean {
    return this.entries.at(-1)?.role === 'tool' && this.unanswered().length > 0;
  }

  /** Answers in a row, counted from the end, that called no tool. */
  idleAnswers(): number {
    const answers = this.entries.filter((entry) => entry.role === 'assistant').reverse();
    const busy = answers.findIndex((entry) => entry.toolCalls.length > 0);
    return busy < 0 ? answers.length : busy;
  }
}

function entriesOf(event: SquadEvent): ConversationEntry[] {
  switch (event.type) {
    case 'conversation-opened':
      return [
        { role: 'system', text: event.instructions },
        { role: 'user', text: event.brief },
      ];
    case 'conversation-noted':
      return [{ role: 'user', text: event.text }];
    case 'model-call-ended':
      return [{ role: 'assistant', text: event.answer.text, toolCalls: event.answer.toolCalls }];
    case 'tool-call-ended':
      return [{ role: 'tool', callId: event.callId, text: event.result }];
    case 'tool-calls-put-off':
      return event.calls.map(({ callId }) => ({ role: 'tool', callId, text: event.reason }));
    default:
      throw new Error(`Event ${event.sequence} (${event.type}) is no part of a conversation.`);
  }
}
