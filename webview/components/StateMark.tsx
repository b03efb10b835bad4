/** A state as a shape of its own, so that it reads without colour: hollow is undecided, filled is final or calls you. */
import type { ComponentChildren } from 'preact';
import type { Mark } from '../../src/domain/phaseWords.ts';

const ring = { cx: 8, cy: 8, r: 6, fill: 'none' };
const tick = 'M5.3 8.2 7.2 10.1 10.8 6.1';

const SHAPES: Readonly<Record<Mark, ComponentChildren>> = {
  waiting: <circle {...ring} class="hollow" stroke-dasharray="1.5 2.27" />,
  ready: <circle {...ring} class="plain" />,
  working: (
    <>
      <circle {...ring} class="moves" />
      <circle cx="8" cy="8" r="2.5" class="moves solid" />
    </>
  ),
  you: (
    <>
      <circle cx="8" cy="8" r="7" class="calls solid" />
      <circle cx="8" cy="6.2" r="1.9" class="cut solid" />
      <path d="M4.6 11.6a3.4 3.1 0 0 1 6.8 0z" class="cut solid" />
    </>
  ),
  proving: (
    <>
      <circle {...ring} class="moves" stroke-dasharray="7 2.42" />
      <path d={tick} class="moves" />
    </>
  ),
  merging: (
    <>
      <circle {...ring} class="moves" />
      <path d="M6.2 5v6M9.8 5c0 3-3.6 2.4-3.6 4.6" class="moves" />
    </>
  ),
  proven: (
    <>
      <circle cx="8" cy="8" r="7" class="good solid" />
      <path d={tick} class="cut" />
    </>
  ),
  failed: (
    <>
      <circle cx="8" cy="8" r="7" class="bad solid" />
      <path d="M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8" class="cut" />
    </>
  ),
  paused: (
    <>
      <circle {...ring} class="hollow" />
      <path d="M6.5 5.6v4.8M9.5 5.6v4.8" class="hollow" />
    </>
  ),
  cancelled: (
    <>
      <circle {...ring} class="hollow" />
      <path d="M3.8 12.2l8.4-8.4" class="hollow" />
    </>
  ),
};

/** `label` is said; without one the words beside it are enough and the mark is silent. */
export function StateMark({ mark, label }: { readonly mark: Mark; readonly label?: string }) {
  return (
    <svg
      class="mark"
      viewBox="0 0 16 16"
      {...(label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label })}
    >
      {SHAPES[mark]}
    </svg>
  );
}
