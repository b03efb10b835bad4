/** What happens to a text file, for a person to read: the lines that go and come, with some around them. */
import { structuredPatch } from 'diff';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { FileTexts } from './fileChange.ts';

/** Lines before and behind each change. */
const CONTEXT = 3;

/** The lines of a unified diff, without a head; '' where the text stays as it is. */
export function describeTexts({ before = '', after = '' }: DeepReadonly<FileTexts>): string {
  const { hunks } = structuredPatch('', '', before, after, '', '', { context: CONTEXT });
  return hunks
    .map(({ newStart, lines }) => [...(newStart > 1 ? [`from line ${newStart}:`] : []), ...lines].join('\n'))
    .join('\n⋯\n');
}
