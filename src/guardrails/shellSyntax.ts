/**
 * A command line as the plain commands it consists of, or why nobody can tell. Only what is on a short list of forms is
 * read: words, quotes, pipes and lists. Everything else that a shell knows (substitutions, variables, globs of braces, files
 * to write, jobs, loops) is a doubt, and so is every character between two words that is no blank.
 */
import { Language, Parser, type Node, type Tree } from 'web-tree-sitter';

export interface Word {
  readonly text: string;
  /** Whether the shell makes names of files of it. */
  readonly isGlob: boolean;
}

export interface ShellReading {
  /** What could be read, in order; `words[0]` is the program. */
  readonly commands: readonly (readonly Word[])[];
  /** Why the commands are not all that it does; undefined when they are. */
  readonly doubt: string | undefined;
  /** The words of every command anywhere in it, as far as they can be told: for looking, never for allowing. */
  readonly mentioned: readonly (readonly string[])[];
}

/** The two WebAssembly files of the parser, which a host reads. */
export interface ShellGrammar {
  readonly engine: Uint8Array;
  readonly grammar: Uint8Array;
}

/** Forms in a list of commands that add nothing to what the commands do. */
const LISTS: ReadonlySet<string> = new Set(['program', 'list', 'pipeline']);
const SEPARATORS: ReadonlySet<string> = new Set([';', '\n', '&&', '||', '|']);
/** Where a redirection only joins two outputs or throws one away. */
const QUIET = /^(?:[12]?>&[12]|&?>>?\s*\/dev\/null|[12]>>?\s*\/dev\/null)$/;

export class ShellSyntax {
  private readonly parser: Parser;

  private constructor(parser: Parser) {
    this.parser = parser;
  }

  /** Rejects when the files are not those of this version. */
  static async load({ engine, grammar }: ShellGrammar): Promise<ShellSyntax> {
    await Parser.init({ wasmBinary: engine.slice().buffer });
    const parser = new Parser();
    parser.setLanguage(await Language.load(grammar));
    return new ShellSyntax(parser);
  }

  read(command: string): ShellReading {
    const tree = this.parser.parse(command);
    if (!tree) {
      return { commands: [], doubt: 'It could not be read.', mentioned: [] };
    }
    try {
      return new Reading(command, tree).result();
    } finally {
      tree.delete();
    }
  }
}

class Reading {
  private readonly source: string;
  private readonly root: Node;
  private readonly commands: Word[][] = [];
  private doubt: string | undefined;

  constructor(source: string, tree: Tree) {
    this.source = source;
    this.root = tree.rootNode;
  }

  result(): ShellReading {
    if (this.root.hasError) {
      this.doubts('It is no whole command.');
    }
    this.readList(this.root);
    return { commands: this.commands, doubt: this.doubt, mentioned: this.mentioned() };
  }

  private doubts(reason: string): void {
    this.doubt ??= reason;
  }

  private readList(node: Node): void {
    this.checkGaps(node, /^[ \t\n]*$/);
    for (const child of node.children) {
      if (LISTS.has(child.type)) {
        this.readList(child);
      } else if (child.type === 'command') {
        this.readCommand(child);
      } else if (child.type === 'redirected_statement') {
        this.readRedirected(child);
      } else if (child.type !== 'comment' && !(SEPARATORS.has(child.type) && !child.isNamed)) {
        this.doubts(doubtAbout(child));
      }
    }
  }

  private readRedirected(node: Node): void {
    this.checkGaps(node, /^[ \t]*$/);
    for (const child of node.children) {
      if (child.type === 'command') {
        this.readCommand(child);
      } else if (LISTS.has(child.type)) {
        this.readList(child);
      } else if (child.type !== 'file_redirect' || !QUIET.test(child.text)) {
        this.doubts('It reads or writes a file beside its arguments.');
      }
    }
  }

  private readCommand(node: Node): void {
    this.checkGaps(node, /^[ \t]*$/);
    const words: Word[] = [];
    for (const child of node.children) {
      const [inner] = child.children;
      const word = this.readWord(child.type === 'command_name' && inner ? inner : child);
      if (!word) {
        this.doubts(doubtAbout(child));
        return;
      }
      words.push(word);
    }
    this.commands.push(words);
  }

  private readWord(node: Node): Word | undefined {
    switch (node.type) {
      case 'word':
      case 'number':
        return node.children.length === 0 ? plainWord(node.text) : undefined;
      case 'raw_string':
        return { text: node.text.slice(1, -1), isGlob: false };
      case 'string':
        return node.children.every(({ type }) => ['string_content', '"', '$'].includes(type))
          ? quotedWord(node.text.slice(1, -1))
          : undefined;
      case 'concatenation': {
        this.checkGaps(node, /^$/);
        const parts = node.children.map((child) => this.readWord(child));
        const words = parts.filter((part) => part !== undefined);
        return words.length === parts.length
          ? { text: words.map(({ text }) => text).join(''), isGlob: words.some(({ isGlob }) => isGlob) }
          : undefined;
      }
      default:
        return undefined;
    }
  }

  /** What the parser passed over between two parts might be something that the shell does not pass over. */
  private checkGaps(node: Node, harmless: RegExp): void {
    let end = node.startIndex;
    for (const child of node.children) {
      if (!harmless.test(this.source.slice(end, child.startIndex))) {
        this.doubts('It has characters between its words that are no blanks.');
      }
      end = child.endIndex;
    }
    const last = node.type === 'program' ? this.source.length : node.endIndex;
    if (!harmless.test(this.source.slice(end, last))) {
      this.doubts('It has characters between its words that are no blanks.');
    }
  }

  private mentioned(): string[][] {
    return this.root
      .descendantsOfType(['command', 'declaration_command'])
      .map((command) => command.children.map((child) => roughText(child)));
  }
}

/** Without quotes: a backslash takes the next character as it is. */
function plainWord(source: string): Word | undefined {
  if (/[$`{}<>()&;|\n\r]/.test(source.replace(/\\[^\n]/g, '')) || /^[~=]|\\(?:\n|$)/.test(source)) {
    return undefined;
  }
  return { text: source.replace(/\\(.)/gs, '$1'), isGlob: /[*?[\]]/.test(source.replace(/\\./gs, '')) };
}

/** In double quotes; a dollar that begins no name is one. */
function quotedWord(source: string): Word | undefined {
  const bare = source.replace(/\\[\\"$`]/g, '');
  if (/`|\$(?![\s"|)/\\]|$)|\\\n/.test(bare)) {
    return undefined;
  }
  return { text: source.replace(/\\([\\"$`])/g, '$1'), isGlob: false };
}

function roughText(node: Node): string {
  return node.text.replace(/\\(.)/gs, '$1').replace(/["']/g, '');
}

function doubtAbout({ type, text }: Node): string {
  switch (type) {
    case 'variable_assignment':
    case 'variable_assignments':
      return 'It sets a variable.';
    case '&':
      return 'It leaves something running.';
    case 'redirected_statement':
    case 'file_redirect':
    case 'herestring_redirect':
    case 'heredoc_redirect':
      return 'It reads or writes a file beside its arguments.';
    default:
      return /[$`]|<\(|>\(/.test(text)
        ? 'What it does is made up when it runs.'
        : 'It has a form that is more than a plain command.';
  }
}
