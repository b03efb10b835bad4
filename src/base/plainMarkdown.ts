import { visibleText } from './visibleText.ts';

/** A text from a model or a file as Markdown that shows exactly these characters: no link, no image, no HTML, no heading. */
export function plainMarkdown(text: string): string {
  return visibleText(text).replace(/[\\`*_{}[\]()<>#+\-.!|~$&:@]/g, '\\$&');
}
