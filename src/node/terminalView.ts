/**
 * The live view of a run on a terminal: what happened scrolls by, and below it stands, always redrawn, what is: each task
 * with its state and who works on it, and what it costs.
 */
import { visibleText } from '../base/visibleText.ts';
import { describeCost, limitOf } from '../domain/budget.ts';
import { budgetOf } from '../domain/envelopes.ts';
import { formatUsd } from '../domain/prices.ts';
import { describeRun, markOf, plannedTasksOf, taskWords, type Mark } from '../domain/phaseWords.ts';
import { isUnfinished } from '../domain/run.ts';
import type { RunView, SquadView, TaskView } from '../domain/squadState.ts';

/** Drawn at most this often. */
const INTERVAL_MS = 100;

export interface TerminalOutput {
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shape first, then one of four colours: blue moves, yellow waits for you, green is proven, red failed. */
const MARKS: Readonly<Record<Mark, readonly [mark: string, color?: number]>> = {
  waiting: ['┄'],
  ready: ['○'],
  working: ['◐', 34],
  you: ['?', 33],
  proving: ['◑', 34],
  merging: ['⋈', 34],
  proven: ['✓', 32],
  failed: ['✗', 31],
  paused: ['‖'],
  cancelled: ['⊘'],
};

export class TerminalView {
  private readonly output: TerminalOutput;
  private readonly state: () => SquadView;
  private readonly colored: boolean;
  private drawnLines = 0;
  private held = false;
  private readonly waiting: string[] = [];
  private pending: NodeJS.Timeout | undefined;

  constructor(output: TerminalOutput, state: () => SquadView, colored = process.env['NO_COLOR'] === undefined) {
    this.output = output;
    this.state = state;
    this.colored = colored;
  }

  /** Prints a line above the view; one that comes while a question is on screen waits until it is answered. */
  print(line: string): void {
    if (this.held) {
      this.waiting.push(line);
      return;
    }
    this.erase();
    this.output.write(`${line}\n`);
    this.draw();
  }

  draw(): void {
    if (!this.held) {
      this.pending ??= setTimeout(() => {
        this.pending = undefined;
        this.drawNow();
      }, INTERVAL_MS);
      // A view alone keeps no process alive.
      this.pending.unref();
    }
  }

  /** Takes the view off the screen, for a question, until `release`. */
  hold(): void {
    this.erase();
    this.held = true;
  }

  release(): void {
    this.held = false;
    for (const line of this.waiting.splice(0)) {
      this.print(line);
    }
    this.draw();
  }

  /** Takes it off for good. */
  close(): void {
    this.release();
    this.hold();
    clearTimeout(this.pending);
    this.pending = undefined;
  }

  private drawNow(): void {
    if (this.held) {
      return;
    }
    this.erase();
    // A terminal that does not know its width says 0.
    const { columns = 0 } = this.output;
    const lines = frameOf(this.state(), (columns === 0 ? 80 : columns) - 1, this.colored);
    this.output.write(lines.map((line) => `${line}\n`).join(''));
    this.drawnLines = lines.length;
  }

  /** The cursor stands below the view; goes up over its lines and clears from there. */
  private erase(): void {
    if (this.drawnLines > 0) {
      this.output.write(`\u001b[${this.drawnLines}A\u001b[J`);
      this.drawnLines = 0;
    }
  }
}

/** The lines of the view, none longer than `columns` characters; none when nothing is under way. */
export function frameOf(state: SquadView, columns: number, colored: boolean): string[] {
  return Object.values(state.runs)
    .filter((run) => isUnfinished(run))
    .flatMap((run) => [
      cut(summaryOf(run), columns),
      ...Object.values(run.tasks).map((task) => taskLine(task, run, columns, colored)),
    ]);
}

function summaryOf(run: RunView): string {
  const planned = plannedTasksOf(run);
  const proven = planned.filter(({ phase }) => phase === 'proven').length;
  const { usedTokens, reservedTokens } = run.account;
  const cap = budgetOf(run).tokens;
  return [
    `── ${describeRun(run)}`,
    ...(planned.length > 0 ? [`${proven} of ${planned.length} proven`] : []),
    `${(usedTokens + reservedTokens).toLocaleString('en')}${cap === undefined ? '' : ` of ${cap.toLocaleString('en')}`} tokens`,
    ...[moneyOf(run)].filter(Boolean),
    run.objective,
  ].join(' · ');
}

function moneyOf(run: RunView): string {
  const { account } = run;
  const cap = limitOf(budgetOf(run), 'usd');
  return cap === undefined
    ? describeCost(account)
    : `${formatUsd(account.usedMicroUsd + account.reservedMicroUsd)} of ${formatUsd(cap)}`;
}

function taskLine(task: TaskView, run: RunView, columns: number, colored: boolean): string {
  const [mark, color] = MARKS[markOf(run, task)];
  const note = task.phase === 'working' ? task.progress?.note : undefined;
  const rest = [task.title, task.agentId, taskWords(run, task), note].filter(Boolean).join(' · ');
  const sign = colored && color !== undefined ? `\u001b[${color}m${mark}\u001b[0m` : mark;
  return `${sign} ${cut(rest, columns - 2)}`;
}

function cut(text: string, columns: number): string {
  const shown = Array.from(visibleText(text).replaceAll('\n', ' '));
  return shown.length <= columns ? shown.join('') : `${shown.slice(0, Math.max(0, columns - 1)).join('')}…`;
}
