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
