/**
 * Texts of models and files, as VS Code's own surfaces show just these words: messages, prompts, lists and Markdown files make
 * links, icons or pictures of what looks like one, and a link there may even run a command.
 */
import { visibleText } from '../base/visibleText.ts';

/** For messages, progress and the prompts of input boxes, which make links of `[words](address)`. */
export function plainMessage(text: string): string {
  return visibleText(text).replaceAll('](', '] (');
}

/** For lists that one picks from, which make an icon of `$(name)`. */
export function plainLabel(text: string): string {
  return visibleText(text)
    .replace(/\n+/g, ' ')
    .replace(/\$\([a-z0-9-]+(?:~[a-z]+)?\)/gi, '\\$&');
}

/** For a Markdown file that people read as it is written, or in a preview that would load its pictures. */
export function plainInMarkdown(text: string): string {
  return (
    visibleText(text)
      .replaceAll('![', '!\\[')
      .replaceAll('](', ']\\(')
      .replace(/<(?=[a-z!/?])/gi, '\\<')
      // As the address of a link that is defined elsewhere, it would run at a click, in the source too.
      .replace(/command:(?=\S)/gi, (word) => word.replace(':', '\\:'))
  );
}
