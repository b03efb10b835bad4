/**
 * Brings what an earlier DevSquad stored to today's shape, one version at a time. Whoever changes the shape of an event
 * raises EVENT_VERSION and adds a step to EVENT_UPCASTS; whoever changes the shape of the living state raises STATE_VERSION
 * and adds a step to STATE_UPCASTS. Each step stands in a file of its own here and is kept for ever: segments of the journal
 * that an image has passed are deleted, so the old image may be the only thing that knows what was in them.
 */
import { accountsOfRolesAndDays } from './accountsOfRolesAndDays.ts';

export type Upcast = (old: unknown) => unknown;
/** Under each version, what makes its shape that of the next version. */
export type Upcasts = Readonly<Record<number, Upcast>>;

export const EVENT_UPCASTS: Upcasts = {};
export const STATE_UPCASTS: Upcasts = { 1: accountsOfRolesAndDays };

/** The value in the shape of version `to`; undefined when a step is missing. */
export function upcast(value: unknown, from: number, to: number, steps: Upcasts): { value: unknown } | undefined {
  let current = value;
  for (let version = from; version < to; version++) {
    const step = steps[version];
    if (!step) {
      return undefined;
    }
    current = step(current);
  }
  return { value: current };
}
