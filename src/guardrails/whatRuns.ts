/**
 * What of the workspace a command runs: scripts of its package with those before and after them, a makefile, a file that is
 * named as a program. Found by looking at every word, so that rather too much is found than too little; what such a text
 * runs in turn is followed for scripts of packages and makefiles, and what a program file calls is not.
 */
import { createHash } from 'node:crypto';
import type { RunText } from '../domain/approval.ts';
import type { ShellSyntax } from './shellSyntax.ts';

export interface Texts {
  /** By its path from the root; undefined where it is not there, outside, no text or too long. */
  textOf(path: string): string | undefined;
}

const PACKAGE_RUNNERS: ReadonlySet<string> = new Set(['npm', 'pnpm', 'yarn', 'bun']);
/** Words of those that run other scripts than the one they name. */
const LIFECYCLES: Readonly<Record<string, readonly string[]>> = {
  t: ['test'],
  tst: ['test'],
  it: ['install', 'test'],
  ...Object.fromEntries(
    ['ci', 'install', 'i', 'add', 'update', 'rebuild', 'clean-install', 'install-test'].map((word) => [
      word,
      ['install', 'prepublish', 'prepare', 'dependencies'],
    ]),
  ),
  pack: ['pack', 'prepare'],
  publish: ['publish', 'prepare', 'prepublishOnly'],
  version: ['version'],
  restart: ['restart', 'stop', 'start'],
};
const MAKERS: ReadonlySet<string> = new Set(['make', 'gmake']);
const MAKEFILES = ['GNUmakefile', 'makefile', 'Makefile'];
/** They run the file that is their first argument. */
const INTERPRETERS =
  /^(?:ba|z|da|k|fi)?sh$|^(?:node|nodejs|deno|bun|tsx|ts-node|python[\d.]*|ruby|perl|php|lua|Rscript|source|\.)$/;
/** Those with which `-c` is followed by a program's text; with the others `-e` and `-p` are. */
const TAKES_C = /sh$|^python/;
/** They run a tool of the project by its name. */
export const LAUNCHERS: ReadonlySet<string> = new Set(['npx', 'bunx', 'pnpx', 'uvx']);
/** Followed by names of tests, which the task itself writes. */
const RUNS_TESTS = /^(?:node (?:.* )?--test|python[\d.]* -m (?:pytest|unittest))(?: |$)/;
const FOLDER_OPTIONS: ReadonlySet<string> = new Set(['-C', '--prefix', '--cwd', '--dir', '--directory']);
/** Characters. */
const LONGEST_TEXT = 20_000;
const MOST_TEXTS = 30;
/** Each is looked for. */
const MOST_NAMED = 500;
const DEEPEST = 5;
/** In place of texts of which there are so many: nothing is granted of what was not read. */
const TOO_MUCH = 'more than anybody reads';

/**
 * With the hash that a grant is bound to. What cannot be read, or is too long to be read with the rest, is named only. `named`
 * are further words that count where they name a text.
 */
export function whatRuns(
  command: string,
  cwd: string,
  syntax: ShellSyntax,
  texts: Texts,
  named: readonly string[] = [],
): RunText[] {
  const search = new Search(syntax, texts);
  search.look(command, cwd, 0);
  search.lookFor(new Set(named), cwd);
  return [...search.found].map(([name, text]) => ({
    name,
    sha256: createHash('sha256')
      .update(text ?? '')
      .digest('hex'),
    ...(text === undefined || text.length > LONGEST_TEXT ? {} : { text }),
  }));
}

class Search {
  readonly found = new Map<string, string | undefined>();
  private readonly syntax: ShellSyntax;
  private readonly texts: Texts;

  constructor(syntax: ShellSyntax, texts: Texts) {
    this.syntax = syntax;
    this.texts = texts;
  }

  look(command: string, folder: string, depth: number): void {
    let current = folder;
    for (const words of this.syntax.read(command).mentioned) {
      const [program = '', where = ''] = words;
      if (program === 'cd') {
        current = joined(current, where);
        continue;
      }
      const named = words.flatMap((word, index) =>
        FOLDER_OPTIONS.has(word) ? [joined(current, words[index + 1] ?? '.')] : [],
      );
      for (const place of [current, ...named]) {
        this.lookAt(words, place, depth);
      }
    }
  }

  lookFor(files: ReadonlySet<string>, folder: string): void {
    if (files.size > MOST_NAMED) {
      this.found.set(TOO_MUCH, undefined);
      return;
    }
    for (const file of files) {
      this.program(file, folder, false);
    }
  }

  /** Any word may be the program: `env`, `sudo`, `time` and assignments stand before it. */
  private lookAt(words: readonly string[], folder: string, depth: number): void {
    for (const [index, word] of words.entries()) {
      const rest = words.slice(index + 1);
      if (PACKAGE_RUNNERS.has(word)) {
        this.packageScripts(rest, folder, depth);
      } else if (MAKERS.has(word)) {
        this.makefile(rest, folder, depth);
      } else if (INTERPRETERS.test(word) && !RUNS_TESTS.test([word, ...rest].join(' '))) {
        const file = rest.find((text) => !text.startsWith('-'));
        const option = file === undefined ? '' : (rest[rest.indexOf(file) - 1] ?? '');
        // A text of its own is all in the command.
        const isInline = (TAKES_C.test(word) ? /^-\w*c$/ : /^-\w*[ep]$|^--(?:eval|print)$/).test(option);
        if (file !== undefined && !isInline) {
          this.program(file, folder, /[./]/.test(file));
        }
      }
    }
    const [first = '', second = ''] = words.filter((word) => !/^\w+=/.test(word));
    if (first.includes('/')) {
      this.program(first, folder, true);
    }
    // Scripts of packages, and what launches tools by name, look there first.
    for (const name of LAUNCHERS.has(first) ? [first, second] : [first]) {
      this.program(`node_modules/.bin/${name}`, folder, false);
    }
  }

  private packageScripts(words: readonly string[], folder: string, depth: number): void {
    const scripts = scriptsOf(this.texts.textOf(joined(folder, 'package.json')));
    const names = words.flatMap((word) => (Object.hasOwn(LIFECYCLES, word) ? (LIFECYCLES[word] ?? []) : [word]));
    for (const name of names.flatMap((each) => [`pre${each}`, each, `post${each}`])) {
      const script = scripts.get(name);
      const title = `"${name}" of ${joined(folder, 'package.json')}`;
      if (script !== undefined && !this.found.has(title)) {
        this.add(title, script);
        this.follow(script, folder, depth);
      }
    }
  }

  private makefile(words: readonly string[], folder: string, depth: number): void {
    const given = words.flatMap((word, index) =>
      /^(?:-f|--file|--makefile)$/.test(word) ? [words[index + 1] ?? ''] : [],
    );
    for (const file of given.length > 0 ? given : MAKEFILES) {
      const path = joined(folder, file);
      const text = this.texts.textOf(path);
      if (text !== undefined && !this.found.has(path)) {
        this.add(path, text);
        for (const line of text.split('\n').filter((each) => each.startsWith('\t'))) {
          this.follow(line.replace(/^[\t@+-]+/, ''), folder, depth);
        }
      }
    }
  }

  /** `isSure`: it is a file for certain, whether it can be read or not. */
  private program(file: string, folder: string, isSure: boolean): void {
    if (file.startsWith('/')) {
      return;
    }
    const path = joined(folder, file);
    const text = this.texts.textOf(path);
    if (text !== undefined || isSure) {
      this.add(path, text);
    }
  }

  private follow(command: string, folder: string, depth: number): void {
    if (depth < DEEPEST) {
      this.look(command, folder, depth + 1);
    }
  }

  private add(name: string, text: string | undefined): void {
    if (this.found.size < MOST_TEXTS) {
      this.found.set(name, text);
    } else {
      this.found.set(TOO_MUCH, undefined);
    }
  }
}

function scriptsOf(text: string | undefined): Map<string, string> {
  if (text === undefined) {
    return new Map();
  }
  try {
    const { scripts } = JSON.parse(text) as { scripts?: unknown };
    return new Map(
      Object.entries(typeof scripts === 'object' && scripts !== null ? scripts : {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    );
  } catch {
    return new Map();
  }
}

/** From the root, without `.` and with what leads upwards resolved as far as there is a folder. */
function joined(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of [...folder.split('/'), ...path.split('/')]) {
    if (part === '..') {
      parts.pop();
    } else if (part !== '' && part !== '.') {
      parts.push(part);
    }
  }
  return parts.join('/') || '.';
}
