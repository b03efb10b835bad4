/** The mail of the run, newest first: who wrote to whom, and whether it has been taken in. */
import { useState } from 'preact/hooks';
import { describeMessage, type MessageRecord } from '../../src/domain/message.ts';
import type { DeepReadonly } from '../../src/base/deepReadonly.ts';
import type { RunView, SquadView } from '../../src/domain/squadState.ts';
import { NEWEST } from '../../src/protocol/viewState.ts';
import { Button } from '../ui/Button.tsx';
import { count, nameOf, timeOfDay } from '../words.ts';
import { usePages } from './pages.ts';

type Mail = DeepReadonly<MessageRecord>;

/** What does not fit into three lines can be unfolded. */
const SHORT = 140;

export function AgentConversationPanel({ run, state }: { readonly run: RunView; readonly state: SquadView }) {
  const mail = Object.values(run.messages).reverse();
  const { shown, more, showMore } = usePages(mail, 20);
  return (
    <section class="mail" aria-labelledby="mail-title">
      <div class="section-head">
        <h2 id="mail-title">Messages</h2>
        {mail.length > 0 && (
          <span class="muted">{mail.length < NEWEST ? count(mail.length) : `the newest ${count(NEWEST)}`}</span>
        )}
      </div>
      {mail.length === 0 && <p class="empty">No mail yet: agents write when they need each other.</p>}
      <ul>
        {shown.map((message) => (
          <Letter key={message.id} message={message} state={state} />
        ))}
      </ul>
      {more > 0 && (
        <div class="more">
          <Button small onPress={showMore}>
            {more} older
          </Button>
        </div>
      )}
    </section>
  );
}

function Letter({ message, state }: { readonly message: Mail; readonly state: SquadView }) {
  const [isOpen, setIsOpen] = useState(false);
  // A response without a word of its own is only its outcome.
  const text = describeMessage(message.content).replace(/: $/, '');
  const isLong = text.length > SHORT || text.includes('\n');
  return (
    <li class={message.status === 'failed' ? 'letter failed' : 'letter'}>
      <div class="address">
        <span class="parties" title={`${nameOf(state, message.sender)} to ${nameOf(state, message.receiver)}`}>
          {nameOf(state, message.sender)} <span class="muted">to</span> {nameOf(state, message.receiver)}
        </span>
        <span class="muted small-text">
          {message.status} · {timeOfDay(message.sentAt)}
        </span>
      </div>
      <div class={isOpen ? 'body open' : 'body'}>{text}</div>
      {isLong && (
        <button
          class="link"
          aria-expanded={isOpen}
          onClick={() => {
            setIsOpen(!isOpen);
          }}
        >
          {isOpen ? 'Less' : message.content.kind === 'stored' ? 'More of its beginning' : 'Whole text'}
        </button>
      )}
    </li>
  );
}
