/** Whether an agent gets on, in one record and in words. Health is looked at and never stored; decisions on it are events. */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { Spent } from './limits.ts';
import type { AgentView } from './squadState.ts';

/**
 * `idle` has no task. `waiting`: for a person, for a run to go on, or for its turn at the model. `beating`: signs of life
 * come. `silent`: none came for a while. `stuck`: they come, and it gets nowhere. `error`: the supervisor, or a person,
 * must start it again.
 */
export type HealthWord = 'idle' | 'waiting' | 'beating' | 'silent' | 'stuck' | 'error';

export interface HealthStatus {
  readonly agentId: string;
  readonly word: HealthWord;
  /** When it became so, ISO 8601. */
  readonly since: string;
  /** When it last did something it had not done just before; absent where nothing of it was seen in this process. */
  readonly lastProgressAt?: string;
  readonly currentCall?: { readonly kind: 'model' | 'tool'; readonly name: string; readonly since: string };
  readonly taskId?: string;
  /** Why it is stuck, or in error. */
  readonly reason?: string;
  /** In its life. */
  readonly restarts: number;
  readonly draining: boolean;
  /** In its life, the present task included. */
  readonly spent: DeepReadonly<Spent>;
}

/** Health in a few words: "silent for 2 min", "works, read_file", "in circles". */
export function describeHealth({ word, since, currentCall, reason, restarts }: HealthStatus, nowMs: number): string {
  const lasting = describeLasting(nowMs - Date.parse(since));
  const again = restarts === 0 ? '' : `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}`;
  switch (word) {
    case 'idle':
      return `idle${again}`;
    case 'waiting':
      return `waits${again}`;
    case 'beating':
      return `alive${currentCall ? `, ${currentCall.kind === 'model' ? 'asks its model' : currentCall.name}` : ''}${again}`;
    case 'silent':
      return `silent for ${lasting}${again}`;
    case 'stuck':
      return `in circles for ${lasting}${again}`;
    case 'error':
      return `in trouble: ${reason ?? 'it could not go on.'}${again}`;
  }
}

/** What there is to say of an agent beside what it does, as far as the registry alone tells; '' where that is nothing. */
export function agentNotes({ status, trouble, restarts, draining }: AgentView): string {
  return [
    ...(status === 'error' ? [`in trouble: ${trouble?.reason ?? 'it could not go on.'}`] : []),
    ...(restarts === 0 ? [] : [restarts === 1 ? 'restarted once' : `restarted ${restarts} times`]),
    ...(draining ? ['goes after its task'] : []),
  ].join(', ');
}

function describeLasting(ms: number): string {
  return ms < 120_000 ? `${Math.max(0, Math.round(ms / 1000))} s` : `${Math.round(ms / 60_000)} min`;
}
