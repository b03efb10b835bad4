/** When the supervisor steps in, and what it does then: pure rules over the living state, the same on every replay. */
import type { AgentTrouble } from './agent.ts';
import type { AgentView, TaskView } from './squadState.ts';

/** Without a sign of life for so long an agent is shown as silent. */
export const SILENT_WORD_MS = 60_000;
/** It is cut and started again; longer than a model may think before its first word. */
export const SILENT_MS = 360_000;
/** The same while a tool runs; longer than the longest command or check may take. */
export const SILENT_IN_TOOL_MS = 900_000;

/** More restarts of an agent than this within the window, and it is given up. */
export const MOST_RESTARTS = 3;
export const WINDOW_MS = 1_800_000;

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;

export type Remedy =
  | { readonly kind: 'restart'; readonly delayMs: number; readonly fresh: boolean }
  /** `blames` the agent: a person should look at it. Otherwise somebody else may just as well do no better. */
  | { readonly kind: 'give-up'; readonly reason: string; readonly blames: boolean };

/**
 * What to do about an agent in `error`. A crash or silence is met with a restart where it was, later each time, and with
 * full jitter so that agents that fell together do not come back together. Circles are met with one fresh start.
 */
export function remedyFor(agent: AgentView, task: TaskView): Remedy {
  const { kind, reason, chance } = agent.trouble ?? noTrouble;
  if (kind === 'stuck') {
    return task.restartedFor === undefined
      ? { kind: 'restart', delayMs: 0, fresh: true }
      : { kind: 'give-up', reason, blames: false };
  }
  const now = Date.parse(agent.lastActiveAt);
  const recent = agent.restartedAt.filter((at) => now - Date.parse(at) <= WINDOW_MS).length;
  if (recent >= MOST_RESTARTS) {
    const minutes = WINDOW_MS / 60_000;
    return {
      kind: 'give-up',
      reason: `${agent.name} was started again ${recent} times within ${minutes} minutes and could not go on. ${reason}`,
      blames: true,
    };
  }
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** recent);
  return { kind: 'restart', delayMs: Math.round(chance * ceiling), fresh: false };
}

const noTrouble: { kind: AgentTrouble; reason: string; chance: number } = { kind: 'crashed', reason: '', chance: 0 };
