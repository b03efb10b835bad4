/**
 * What a run has read that changes what it may send. Text from outside can hold orders, and a secret is what such an order
 * would carry away: once a run has read both, everything that goes out asks a person. It is kept for the run and not for a
 * task, since agents write to each other and build on each other's files.
 */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { RequestSubject } from './approval.ts';

export interface Taint {
  /** Something of the web, or of a program that reached it. */
  untrusted?: true;
  /** Something that a file with secrets may hold. */
  secret?: true;
}

/** What is read by what a person allowed. */
export function taintOf(subject: DeepReadonly<RequestSubject>): Taint {
  switch (subject.kind) {
    case 'read':
      return subject.isProtected ? { secret: true } : {};
    case 'command':
      return {
        ...(subject.network || !subject.isSandboxed ? { untrusted: true } : {}),
        ...(subject.mayReadSecrets ? { secret: true } : {}),
      };
    case 'fetch':
      return { untrusted: true };
    case 'server':
      // What it answers is its author's, wherever it has it from.
      return { untrusted: true, ...(subject.mayReadSecrets ? { secret: true } : {}) };
    case 'plan':
    case 'write':
    case 'changes':
    case 'question':
    case 'raise':
      return {};
  }
}

/** Whether what goes out could carry a secret to whoever wrote what the run has read. */
export function couldCarryAway(taint: DeepReadonly<Taint> | undefined): boolean {
  return taint?.untrusted === true && taint.secret === true;
}

/** Why it asks then, whoever allowed what ahead. */
export const READ_BOTH = 'This run has read a secret and text from outside, and the one could send the other away.';
