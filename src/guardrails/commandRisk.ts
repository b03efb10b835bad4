/**
 * What a command would do, judged before anybody runs it. It goes ahead by itself only when all of it can be read, each
 * program is on the list and has only harmless options, and every file it names may be read. A short list of ruin is
 * refused; everything else is a person's decision.
 */
import { asSeen, hasInvisible, hasLookAlike, hasStrangeBlank } from './textHygiene.ts';
import { PROGRAM_RULES, type LookAtPath } from './programRules.ts';
import { whyRuinous } from './ruin.ts';
import type { ShellReading, ShellSyntax, Word } from './shellSyntax.ts';
import type { Policy } from './policy.ts';
import { allow, ask, askProtected, deny, type Verdict } from './verdict.ts';

export const SHELLS = ['bash', 'zsh', 'sh', 'pwsh', 'cmd'] as const;
export type Shell = (typeof SHELLS)[number];

export interface CommandSurroundings {
  /** Its lists are beginnings of commands, in words: `git status`, `ls`. */
  readonly policy: Pick<Policy, 'commands' | 'ask' | 'refuse'>;
  readonly lookAt: LookAtPath;
}

/** A longer one is for a person: nobody looks through it in passing, and to read it takes milliseconds. */
const LONGEST_COMMAND = 1000;
/** Words that mean the same to every shell: no operator, quote, variable or escape of any. */
const PLAIN_WORDS = /^[\w./:,=@+-]+(?: +[\w./:,=@+-]+)*$/;
/** Runs the scripts of a project: what follows is handed to them. */
const RUNS_SCRIPTS = /^(?:npm|pnpm|yarn|bun)$/;
const QUIET_OPTIONS = new Set(['--silent', '-s']);

export function judgeCommand(
  shell: Shell,
  command: string,
  syntax: ShellSyntax,
  surroundings: CommandSurroundings,
): Verdict {
  if (command.length > LONGEST_COMMAND) {
    return ask('It is too long to be judged.');
  }
  const isPosix = shell !== 'pwsh' && shell !== 'cmd';
  const reading = syntax.read(isPosix ? command : asSeen(command));
  const ruin = whyRuinous(command, reading, syntax);
  if (ruin !== undefined) {
    return deny(ruin);
  }
  const { ask: always = [], refuse = [] } = surroundings.policy;
  const refused = entryIn(reading, refuse);
  if (refused !== undefined) {
    return deny(`The policy of this workspace refuses ${refused}.`);
  }
  const held = entryIn(reading, always);
  if (held !== undefined) {
    return askProtected(`The policy of this workspace asks about ${held} each time.`);
  }
  const why = whyUnclear(command, isPosix) ?? reading.doubt ?? whyNotHarmless(reading, surroundings);
  return why === undefined ? allow('It only looks, and is on the list.') : ask(why);
}

/** The entry whose words stand anywhere in a command, one after the other; case does not save it. */
function entryIn({ mentioned, commands }: ShellReading, entries: readonly string[]): string | undefined {
  const lines = [...mentioned, ...commands.map((words) => words.map(({ text }) => text))].map(
    (words) => ` ${words.join(' ').toLowerCase()} `,
  );
  return entries.find((entry) => lines.some((line) => line.includes(` ${entry.toLowerCase()} `)));
}

/** What no grammar tells: characters that mislead whoever reads it, and what another shell makes of it. */
function whyUnclear(command: string, isPosix: boolean): string | undefined {
  if (hasInvisible(command) || hasStrangeBlank(command)) {
    return 'It has characters that nobody sees.';
  }
  if (hasLookAlike(command)) {
    return 'It has characters that look like others.';
  }
  return isPosix || PLAIN_WORDS.test(command.trim()) ? undefined : 'It is more than plain words.';
}

function whyNotHarmless({ commands }: ShellReading, surroundings: CommandSurroundings): string | undefined {
  if (commands.length === 0) {
    return 'There is no command in it.';
  }
  for (const words of commands) {
    const why = whyOne(words, surroundings);
    if (why !== undefined) {
      return why;
    }
  }
  return undefined;
}

function whyOne(words: readonly Word[], { policy, lookAt }: CommandSurroundings): string | undefined {
  const texts = words.map(({ text }) => text);
  const [program = ''] = texts;
  const entry = policy.commands
    .map((line) => line.split(' '))
    .filter((names) => names.every((name, index) => texts[index] === name && words[index]?.isGlob === false))
    .sort((one, other) => other.length - one.length)[0];
  if (!entry) {
    return `${texts.slice(0, 2).join(' ')} is not on the list.`;
  }
  const rule = Object.hasOwn(PROGRAM_RULES, program) ? PROGRAM_RULES[program] : undefined;
  if (rule) {
    return rule(words.slice(1), lookAt);
  }
  const rest = words.slice(entry.length);
  const isQuiet = RUNS_SCRIPTS.test(program) && rest.every(({ text }) => QUIET_OPTIONS.has(text));
  return rest.length === 0 || isQuiet ? undefined : `It is not known what ${rest[0]?.text ?? ''} does.`;
}
