/** A task declares in the plan which files it may change; anything else is asked of a person. */
import picomatch from 'picomatch';
import type { ToolContext } from './tool.ts';

export function isDeclaredWrite(path: string, { writes }: ToolContext): boolean {
  return writes.length > 0 && picomatch.isMatch(path, [...writes], { dot: true });
}

/** Whether the declared files cover all that a glob can mean; in doubt they do not. */
export function isWithin(glob: string, writes: readonly string[]): boolean {
  const plain = glob.replace(/^\.\//, '');
  const isPath = !/[*?[\]{}()!+@]/.test(plain) && !plain.split('/').includes('..');
  return (
    writes.includes('**') || writes.includes(plain) || (isPath && picomatch.isMatch(plain, [...writes], { dot: true }))
  );
}
