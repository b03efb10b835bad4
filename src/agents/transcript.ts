/**
 * The conversation of one attempt, read back from the events that made it. Nothing is kept twice: the living state knows
 * the sequences, the ledger has the texts.
 */
import type { ConversationEntry, ToolCall } from '../domain/conversation.ts';
import type { EventOf, SquadEvent } from '../domain/events.ts';
import { fingerprintOf } from '../domain/progress.ts';
import type { TaskView } from '../domain/squadState.ts';
import { asInformation, withoutInvisible } from '../guardrails/textHygiene.ts';
import type { Ledger } from '../ports.ts';
import { EVERY_TOOL } from '../tools/toolCatalogue.ts';

/** How the runtime's own remarks in a conversation begin. */
export const NUDGE = 'From the host:';

export class Transcript {
  readonly entries: ConversationEntry[] = [];
  /** Entries up to and with the last mail. */
  mail = { upTo: 0 };
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
        this.mail = { upTo: this.entries.length };
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

  /** What each answer asked for, oldest first. */
  answers(): string[] {
    return this.entries.flatMap((entry) => (entry.role === 'assistant' ? [fingerprintOf(entry.toolCalls)] : []));
  }

  /** The same of the answers that came after the newest mail. */
  answersSinceMail(): string[] {
    const earlier = this.entries.slice(0, this.mail.upTo).filter(({ role }) => role === 'assistant').length;
    return this.answers().slice(earlier);
  }

  /** Whether the runtime has said something about the newest answer already. */
  wasNudged(): boolean {
    const last = this.entries.findLastIndex((entry) => entry.role === 'assistant');
    return this.entries.slice(last + 1).some(({ role, text }) => role === 'user' && text.startsWith(NUDGE));
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
      return [{ role: 'tool', callId: event.callId, text: toldOf(event) }];
    case 'tool-calls-put-off':
      return event.calls.map(({ callId }) => ({ role: 'tool', callId, text: event.reason }));
    default:
      throw new Error(`Event ${event.sequence} (${event.type}) is no part of a conversation.`);
  }
}

/** Tools that answer with what others wrote: files, programs, pages. */
const ANSWERS_WITH_TEXTS: ReadonlySet<string> = new Set(
  EVERY_TOOL.filter(({ effect }) => effect !== 'write').map(({ name }) => name),
);

/** What came of a call, as its model is told: others' words are marked as such, the host's own are not. */
function toldOf({ tool, outcome, result }: EventOf<'tool-call-ended'>): string {
  return outcome !== 'refused' && ANSWERS_WITH_TEXTS.has(tool)
    ? asInformation(tool, result)
    : withoutInvisible(result).text;
}
