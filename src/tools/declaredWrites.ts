/** A task declares in the plan which files it may change; anything else is asked of a person. */
import picomatch from 'picomatch';
import type { RequestSubject } from '../domain/approval.ts';
import type { ToolContext } from './tool.ts';

export function undeclaredWrite(path: string, context: ToolContext): RequestSubject | undefined {
  const plain = path.replace(/^\.\//, '');
  if (context.writes.length > 0 && picomatch.isMatch(plain, [...context.writes], { dot: true })) {
    return undefined;
  }
  return {
    kind: 'write',
    path: plain,
    why:
      context.writes.length > 0
        ? `The task declared ${context.writes.join(', ')}.`
        : 'The task declared no files to write.',
  };
}

/** Whether the declared files cover all that a glob can mean; in doubt they do not. */
export function isWithin(glob: string, writes: readonly string[]): boolean {
  const plain = glob.replace(/^\.\//, '');
  const isPath = !/[*?[\]{}()!+@]/.test(plain) && !plain.split('/').includes('..');
  return (
    writes.includes('**') || writes.includes(plain) || (isPath && picomatch.isMatch(plain, [...writes], { dot: true }))
  );
}
