/** What happened, newest first, filtered to what matters unless the person wants more. */
import { useState } from 'preact/hooks';
import type { ViewState } from '../../src/protocol/viewState.ts';
import { FILTERS, linesOf, type ActivityLine, type Filter } from '../activity.ts';
import { remember, remembered } from '../host.ts';
import { Button } from '../ui/Button.tsx';
import { Choice } from '../ui/Choice.tsx';
import { Icon } from '../ui/Icon.tsx';
import { timeOfDay } from '../words.ts';
import { usePages } from './pages.ts';
import { StateMark } from './StateMark.tsx';

export function Activity({ view }: { readonly view: ViewState }) {
  const [filter, setFilter] = useState(firstFilter);
  const lines = linesOf(view, filter);
  const { shown, more, showMore } = usePages(lines, 60);
  return (
    <section class="activity" aria-labelledby="activity-title">
      <div class="section-head">
        <h2 id="activity-title">Activity</h2>
        <Choice
          label="Show"
          values={FILTERS}
          value={filter}
          onChoose={(chosen) => {
            remember('filter', chosen);
            setFilter(chosen);
          }}
        />
      </div>
      {lines.length === 0 && <p class="empty">{EMPTY[filter]}</p>}
      <ul>
        {shown.map((line) => (
          <Line key={line.sequence} line={line} />
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

const EMPTY: Readonly<Record<Filter, string>> = {
  Important: 'Nothing needed a look yet.',
  Mail: 'No mail yet: agents write when they need each other.',
  Proof: 'No check has run yet.',
  All: 'Nothing has happened yet.',
};

function Line({ line }: { readonly line: ActivityLine }) {
  return (
    <li>
      <time class="muted" dateTime={line.at}>
        {timeOfDay(line.at)}
      </time>
      {'mark' in line.sign ? <StateMark mark={line.sign.mark} /> : <Icon name={line.sign.icon} />}
      <span class="who" title={line.who}>
        {line.who}
      </span>
      <span class="title" title={line.text}>
        {line.text}
      </span>
      <span class="detail muted">{line.detail}</span>
    </li>
  );
}

function firstFilter(): Filter {
  const chosen = remembered('filter');
  return FILTERS.find((filter) => filter === chosen) ?? 'Important';
}
