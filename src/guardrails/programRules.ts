/**
 * Programs that look and change nothing, each with the options with which that is so. What is not named here is not
 * harmless: an option that is not listed, one that is cut short, a file outside.
 */
import type { Word } from './shellSyntax.ts';
import type { PathOperation } from './pathRules.ts';

/** Answers why the path needs a look, undefined where it needs none. `deep`: and all that lies below it. */
export type LookAtPath = (op: PathOperation, path: string, deep: boolean) => string | undefined;

/** Why these arguments need a look; undefined where they need none. */
export type ProgramRule = (args: readonly Word[], lookAt: LookAtPath) => string | undefined;

type Kind = 'flag' | 'text' | 'optional' | 'path';

type OptionTable = Readonly<Record<string, Kind>>;

interface Parsed {
  readonly options: readonly { readonly name: string; readonly value: string }[];
  readonly operands: readonly Word[];
}

interface Shape {
  readonly options: OptionTable;
  /** `-5` is an option. */
  readonly takesNumber?: boolean;
  /** It has options that do harm, so that no name of a file may be taken for one. */
  readonly isTouchy?: boolean;
}

export const PROGRAM_RULES: Readonly<Record<string, ProgramRule>> = {
  ls: rule(
    {
      options: {
        ...flags('aAbBcCdDfFgGhHiklLmnNopqQrRsStuUvxXZ1'),
        ...{ '-I': 'text', '-T': 'text', '-w': 'text' },
        ...long(
          'all almost-all human-readable recursive reverse full-time group-directories-first inode size directory',
        ),
        ...long('numeric-uid-gid no-group escape literal classify'),
        ...long('color hyperlink', 'optional'),
        ...long('sort time format hide ignore time-style width tabsize indicator-style', 'text'),
      },
    },
    ({ operands }, lookAt) => firstOf(operands, ({ text }) => lookAt('list', text, false)),
  ),
  cat: rule(
    {
      options: {
        ...flags('AbeEnstTuv'),
        ...long('number number-nonblank show-all show-ends show-tabs show-nonprinting squeeze-blank'),
      },
    },
    readsOperands,
  ),
  head: rule(
    { options: { ...flags('qvz'), '-n': 'text', '-c': 'text', ...long('lines bytes', 'text') }, takesNumber: true },
    readsOperands,
  ),
  tail: rule(
    { options: { ...flags('qvz'), '-n': 'text', '-c': 'text', ...long('lines bytes', 'text') }, takesNumber: true },
    readsOperands,
  ),
  wc: rule({ options: { ...flags('clmwL'), ...long('bytes chars lines words max-line-length') } }, readsOperands),
  pwd: rule({ options: flags('LP') }, () => undefined),
  true: () => undefined,
  false: () => undefined,
  echo: (args) =>
    firstOf(args, ({ isGlob, text }) => (isGlob && text.includes('/') ? 'It lists other folders.' : undefined)),
  grep: rule(
    {
      options: {
        ...flags('EFGPivwxcLlnohHqrsabzUyTZV'),
        ...{
          '-e': 'text',
          '-f': 'path',
          '-m': 'text',
          '-A': 'text',
          '-B': 'text',
          '-C': 'text',
          '-d': 'text',
          '-D': 'text',
        },
        ...long(
          'extended-regexp fixed-strings basic-regexp perl-regexp ignore-case no-ignore-case invert-match word-regexp',
        ),
        ...long('line-regexp count files-with-matches files-without-match only-matching quiet silent no-messages'),
        ...long(
          'byte-offset with-filename no-filename line-number null text recursive line-buffered initial-tab null-data',
        ),
        ...long('color colour', 'optional'),
        ...long(
          'regexp include exclude exclude-dir max-count after-context before-context context binary-files',
          'text',
        ),
        ...long('file exclude-from', 'path'),
      },
      takesNumber: true,
    },
    ({ options, operands }, lookAt) => {
      const hasPattern = options.some(({ name }) => ['-e', '-f', '--regexp', '--file'].includes(name));
      const deep = options.some(({ name }) => name === '-r' || name === '--recursive');
      const files = operands.slice(hasPattern ? 0 : 1);
      return (
        (operands[0]?.isGlob && !hasPattern ? 'Its pattern is not quoted.' : undefined) ??
        (deep && files.length === 0 ? lookAt('read', '.', true) : undefined) ??
        firstOf(files, (file) => readOne(file, lookAt, deep))
      );
    },
  ),
  sort: rule(
    {
      options: {
        ...flags('bdfghiMnRrVcCmsuz'),
        ...{ '-k': 'text', '-t': 'text' },
        ...long(
          'ignore-leading-blanks dictionary-order ignore-case general-numeric-sort human-numeric-sort ignore-nonprinting',
        ),
        ...long('month-sort numeric-sort random-sort reverse version-sort merge stable unique zero-terminated debug'),
        ...long('check', 'optional'),
        ...long('key field-separator sort', 'text'),
      },
      isTouchy: true,
    },
    readsOperands,
  ),
  sed: rule(
    {
      options: {
        ...flags('nErsuz'),
        ...{ '-e': 'text' },
        ...long('quiet silent regexp-extended separate unbuffered null-data debug posix'),
        ...long('expression', 'text'),
      },
      isTouchy: true,
    },
    ({ options, operands }, lookAt) => {
      const scripts = options.filter(({ name }) => name === '-e' || name === '--expression').map(({ value }) => value);
      const [script, ...files] = scripts.length > 0 ? [undefined, ...operands] : operands;
      const all = script === undefined ? scripts : [script.text];
      return (
        (all.length === 0 || !all.every(onlyPrints) ? 'Its script does more than to print.' : undefined) ??
        firstOf(files, (file) => file && readOne(file, lookAt, false))
      );
    },
  ),
  find,
  git,
};

const SED_ADDRESS = String.raw`(?:\d+|\$|\d+~\d+|/(?:[^/\\\n[\]]|\\[^\nn/])+/I?)`;
const SED_COMMAND = new RegExp(
  String.raw`^\s*(?:${SED_ADDRESS}(?:\s*,\s*(?:\+?\d+|${SED_ADDRESS}))?\s*!?\s*)?` +
    String.raw`(?:[pd=qlhHgGxnNDP]|s/(?:[^/\\\n[\]]|\\[^\n/])*/(?:[^/\\\n]|\\[^\n/])*/[gpiI\d]*)?\s*$`,
);

/** Whether a script of sed consists of commands that touch no file and run nothing. */
function onlyPrints(script: string): boolean {
  return script.split(/[;\n]/).every((command) => SED_COMMAND.test(command));
}

const FIND_TESTS =
  'empty print print0 ls prune true false quit depth d daystart mount xdev readable writable executable';
const FIND_VALUES =
  'name iname path ipath wholename iwholename regex iregex regextype type xtype maxdepth mindepth size mtime mmin atime amin ctime cmin perm user group links inum lname ilname printf used';
const FIND_ACTIONS: OptionTable = {
  ...Object.fromEntries(FIND_TESTS.split(' ').map((name) => [`-${name}`, 'flag' as const])),
  ...Object.fromEntries(FIND_VALUES.split(' ').map((name) => [`-${name}`, 'text' as const])),
  ...{ '-newer': 'path', '-samefile': 'path' },
  ...{
    '-not': 'flag',
    '-a': 'flag',
    '-and': 'flag',
    '-o': 'flag',
    '-or': 'flag',
    '!': 'flag',
    '(': 'flag',
    ')': 'flag',
    ',': 'flag',
  },
};

function find(args: readonly Word[], lookAt: LookAtPath): string | undefined {
  const isExpression = ({ text }: Word): boolean => /^[-!(),]/.test(text);
  const begin = args[0]?.text === '-P' ? 1 : 0;
  const expressionAt = args.slice(begin).findIndex(isExpression);
  const starts = args.slice(begin, expressionAt < 0 ? undefined : begin + expressionAt);
  for (let index = begin + starts.length; index < args.length; index++) {
    const word = args[index];
    const kind = word && Object.hasOwn(FIND_ACTIONS, word.text) ? FIND_ACTIONS[word.text] : undefined;
    if (!word || word.isGlob || !kind) {
      return `find ${word?.text ?? ''} may do more than to look.`;
    }
    if (kind !== 'flag') {
      const value = args[++index];
      if (!value || value.isGlob) {
        return `What follows ${word.text} is not quoted.`;
      }
      const why = kind === 'path' ? lookAt('list', value.text, false) : undefined;
      if (why !== undefined) {
        return why;
      }
    }
  }
  return firstOf(starts, (start) => (start.isGlob ? whyGlob(start, true) : lookAt('list', start.text, false)));
}

const DIFF_OPTIONS: OptionTable = {
  ...flags('puswbaRzW'),
  ...{
    '-M': 'optional',
    '-C': 'optional',
    '-B': 'optional',
    '-D': 'optional',
    '-U': 'text',
    '-S': 'text',
    '-G': 'text',
    '-l': 'text',
  },
  ...long('patch no-patch raw numstat shortstat summary name-only name-status check no-color ignore-all-space text'),
  ...long(
    'ignore-space-change ignore-blank-lines ignore-space-at-eol no-renames pickaxe-regex pickaxe-all function-context',
  ),
  ...long(
    'minimal patience histogram cached staged merge-base no-ext-diff no-textconv exit-code quiet full-index binary',
  ),
  ...long('no-prefix compact-summary patch-with-stat no-relative indent-heuristic no-indent-heuristic root cc'),
  ...long(
    'stat dirstat color word-diff color-words find-renames find-copies relative abbrev ignore-submodules submodule',
    'optional',
  ),
  ...long(
    'unified diff-filter diff-algorithm src-prefix dst-prefix inter-hunk-context word-diff-regex ws-error-highlight',
    'text',
  ),
};
const LOG_OPTIONS: OptionTable = {
  ...DIFF_OPTIONS,
  ...flags('iEFPcmg'),
  ...{ '-n': 'text', '-L': 'text' },
  ...long(
    'oneline all-match invert-grep regexp-ignore-case extended-regexp fixed-strings perl-regexp all graph no-decorate',
  ),
  ...long(
    'abbrev-commit no-abbrev-commit reverse first-parent merges no-merges topo-order date-order author-date-order follow',
  ),
  ...long(
    'left-right cherry-pick cherry cherry-mark simplify-by-decoration full-history dense sparse source relative-date',
  ),
  ...long('parents children boundary show-pulls merge walk-reflogs reflog clear-decorations no-notes log-size'),
  ...long('branches tags remotes decorate no-walk', 'optional'),
  ...long(
    'max-count skip since after until before author committer grep date decorate-refs decorate-refs-exclude',
    'text',
  ),
  ...{ '--pretty': 'optional', '--format': 'text', '--min-parents': 'text', '--max-parents': 'text' },
};
const STATUS_OPTIONS: OptionTable = {
  ...flags('sbvz'),
  ...{ '-u': 'optional' },
  ...long('short branch verbose long show-stash no-column ahead-behind no-ahead-behind renames no-renames null'),
  ...long('porcelain untracked-files ignored ignore-submodules column find-renames', 'optional'),
};
const GIT_RULES: Readonly<Record<string, ProgramRule>> = {
  status: gitRule({ options: STATUS_OPTIONS }),
  diff: gitRule({ options: DIFF_OPTIONS, takesNumber: true }),
  log: gitRule({ options: LOG_OPTIONS, takesNumber: true }),
  show: gitRule({ options: LOG_OPTIONS, takesNumber: true }),
};

function git([name, ...args]: readonly Word[], lookAt: LookAtPath): string | undefined {
  const found = name && Object.hasOwn(GIT_RULES, name.text) ? GIT_RULES[name.text] : undefined;
  return found ? found(args, lookAt) : `git ${name?.text ?? ''} may change something or run a program.`;
}

function gitRule(shape: Shape): ProgramRule {
  return rule({ ...shape, isTouchy: true }, ({ options, operands }, lookAt) => {
    if (options.some(({ value }) => value.includes('%G'))) {
      return 'It has a signature checked, which runs another program.';
    }
    return firstOf(operands, (operand) => {
      // A commit and a path in it, such as HEAD:src/index.ts.
      const path = operand.text.replace(/^:?(?:[0-3]:)?[^:]*:(?=.)/, '');
      return readOne({ ...operand, text: path === '' ? '.' : path }, lookAt, false) ?? readOne(operand, lookAt, false);
    });
  });
}

function rule(shape: Shape, judge: (parsed: Parsed, lookAt: LookAtPath) => string | undefined): ProgramRule {
  return (args, lookAt) => {
    const parsed = parseOptions(args, shape);
    if (typeof parsed === 'string') {
      return parsed;
    }
    const paths = parsed.options.filter(({ name }) => shape.options[name] === 'path');
    return firstOf(paths, ({ value }) => lookAt('read', value, false)) ?? judge(parsed, lookAt);
  };
}

function readsOperands({ operands }: Parsed, lookAt: LookAtPath): string | undefined {
  return firstOf(operands, (operand) => readOne(operand, lookAt, false));
}

function readOne(operand: Word, lookAt: LookAtPath, deep: boolean): string | undefined {
  if (operand.text === '-') {
    return undefined;
  }
  return operand.isGlob
    ? (whyGlob(operand, false) ?? lookAt('read', operand.text, deep))
    : lookAt('read', operand.text, deep);
}

/** A glob may stand for a file that nobody would have allowed: only one with an ordinary ending is clear. */
function whyGlob({ text }: Word, onlyNames: boolean): string | undefined {
  const isClear = /^[\w./*-]+$/.test(text) && (onlyNames || /\.[A-Za-z]\w*$/.test(text));
  const meetsHidden = text.split('/').some((part) => /^\.[^./]|^\.\.?\*/.test(part));
  return isClear && !meetsHidden ? undefined : `${text} can stand for any file.`;
}

/** The options and what is left, or why they cannot be told. */
function parseOptions(args: readonly Word[], { options: table, takesNumber, isTouchy }: Shape): Parsed | string {
  const options: { name: string; value: string }[] = [];
  const operands: Word[] = [];
  const kindOf = (name: string): Kind | undefined => (Object.hasOwn(table, name) ? table[name] : undefined);
  for (let index = 0; index < args.length; index++) {
    const word = args[index];
    if (!word) {
      break;
    }
    const { text } = word;
    if (word.isGlob && (/^-(?!-[\w-]+=)/.test(text) || (isTouchy && !/^[\w./]/.test(text)))) {
      return `${text} can stand for an option.`;
    }
    if (text === '--') {
      operands.push(...args.slice(index + 1));
      break;
    }
    if (text.startsWith('--')) {
      const [name = '', ...rest] = text.split('=');
      const [kind, given] = [kindOf(name), rest.length > 0];
      if (kind === undefined || (kind === 'flag' && given) || (word.isGlob && kind !== 'text')) {
        return `It is not known what ${text} does.`;
      }
      const separate = kind !== 'flag' && kind !== 'optional' && !given ? args[++index] : undefined;
      options.push({ name, value: separate?.text ?? rest.join('=') });
    } else if (text.startsWith('-') && text !== '-') {
      if (takesNumber && /^-\d+$/.test(text)) {
        continue;
      }
      for (let at = 1; at < text.length; at++) {
        const name = `-${text[at] ?? ''}`;
        const kind = kindOf(name);
        if (kind === undefined) {
          return `It is not known what ${text} does.`;
        }
        if (kind !== 'flag') {
          const attached = text.slice(at + 1);
          const separate = attached === '' && kind !== 'optional' ? args[++index] : undefined;
          options.push({ name, value: separate?.text ?? attached });
          break;
        }
        options.push({ name, value: '' });
      }
    } else {
      operands.push(word);
    }
  }
  return { options, operands };
}

function flags(letters: string): OptionTable {
  return Object.fromEntries(Array.from(letters).map((letter) => [`-${letter}`, 'flag' as const]));
}

function long(names: string, kind: Kind = 'flag'): OptionTable {
  return Object.fromEntries(names.split(' ').map((name) => [`--${name}`, kind]));
}

function firstOf<Item>(items: readonly Item[], why: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const reason = why(item);
    if (reason !== undefined) {
      return reason;
    }
  }
  return undefined;
}
