/**
 * Commands that nobody wants from a team: they destroy a machine or a home. Only a net under the rules, for what is refused
 * without a question; what it does not know is asked about.
 */
import { asSeen } from './textHygiene.ts';
import type { ShellReading, ShellSyntax } from './shellSyntax.ts';

/** Programs that run what follows somewhere behind them. */
const WRAPPERS = new Set(
  'sudo doas env command exec nohup nice ionice time timeout setsid stdbuf xargs builtin busybox unbuffer chroot'.split(
    ' ',
  ),
);
const SHELLS = new Set(['bash', 'sh', 'zsh', 'dash', 'ksh', 'ash', 'eval', 'source', 'su']);
/** A folder whose loss is the loss of the machine or of everything of a person. */
const ROOTS =
  /^(?:\/+\*?|(?:~|\$HOME|\$\{HOME\}|\/home|\/root|\/Users)(?:\/+[\w.-]+)?\/*\*?|\/+(?:bin|boot|dev|etc|lib|lib64|opt|sbin|srv|sys|usr|var|proc|System|Library|Applications)(?:\/+\*?)?|[A-Za-z]:[\\/]*\*?)$/;
const DISKS = /^\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|disk|mapper|md|loop)/;
const FORK_BOMB = /([\w:.]+)\s*\(\)\s*\{[^}]*\1\s*\|\s*\1\s*&/;
const DEEPEST = 4;

/** Why the command is refused, in a sentence; undefined where it is not. */
export function whyRuinous(command: string, reading: ShellReading, syntax: ShellSyntax, depth = 0): string | undefined {
  const seen = asSeen(command);
  if (FORK_BOMB.test(seen)) {
    return 'It would fill the machine with processes.';
  }
  if (/>+\s*["']?\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|disk)/.test(seen)) {
    return 'It would overwrite a disk.';
  }
  const readings = seen === command ? [reading] : [reading, syntax.read(seen)];
  for (const { mentioned } of readings) {
    for (const words of mentioned) {
      const why = whyOne(
        words.map((word) => asSeen(word)),
        syntax,
        depth,
      );
      if (why !== undefined) {
        return why;
      }
    }
  }
  return undefined;
}

function whyOne(words: readonly string[], syntax: ShellSyntax, depth: number): string | undefined {
  const begin = words.findIndex((word) => !/^\w+=/.test(word));
  const runsAnother = WRAPPERS.has(nameOf(words[begin] ?? ''));
  for (const [index, word] of words.slice(Math.max(0, begin), runsAnother ? undefined : begin + 1).entries()) {
    const args = words.slice(begin + index + 1);
    const why = whyProgram(nameOf(word), args) ?? (SHELLS.has(nameOf(word)) ? whyText(args, syntax, depth) : undefined);
    if (why !== undefined) {
      return why;
    }
  }
  return undefined;
}

/** A shell runs one of its words, or all of them, as another command. */
function whyText(args: readonly string[], syntax: ShellSyntax, depth: number): string | undefined {
  const behindOptions = args.slice(args.findIndex((arg) => !arg.startsWith('-')));
  for (const text of depth < DEEPEST ? [behindOptions.join(' '), ...args] : []) {
    const why = whyRuinous(text, syntax.read(text), syntax, depth + 1);
    if (why !== undefined) {
      return why;
    }
  }
  return undefined;
}

function nameOf(word: string): string {
  return (word.split(/[\\/]/).at(-1) ?? '').toLowerCase().replace(/\.exe$/, '');
}

function whyProgram(name: string, args: readonly string[]): string | undefined {
  const short = args.filter((arg) => /^-[A-Za-z]+$/.test(arg)).join('');
  const has = (letter: string, ...words: string[]): boolean =>
    short.includes(letter) || args.some((arg) => words.includes(arg));
  const onRoot = args.some((arg) => ROOTS.test(arg));
  switch (name) {
    case 'rm':
      return onRoot && (has('r', '--recursive') || has('R'))
        ? 'It would delete the machine or somebody’s home.'
        : undefined;
    case 'find':
      return onRoot && args.some((arg) => arg === '-delete' || arg === 'rm' || arg === 'shred')
        ? 'It would delete the machine or somebody’s home.'
        : undefined;
    case 'chmod':
    case 'chown':
    case 'chgrp':
      return onRoot && has('R', '--recursive') ? 'It would take the rights from the whole machine.' : undefined;
    case 'dd':
      return args.some((arg) => arg.startsWith('of=') && DISKS.test(arg.slice(3)))
        ? 'It would overwrite a disk.'
        : undefined;
    case 'shred':
    case 'wipefs':
    case 'blkdiscard':
    case 'fdisk':
    case 'parted':
    case 'sgdisk':
      return args.some((arg) => DISKS.test(arg)) ? 'It would overwrite a disk.' : undefined;
    case 'shutdown':
    case 'reboot':
    case 'halt':
    case 'poweroff':
      return 'It would switch the machine off.';
    default:
      return /^mkfs(?:\.|$)/.test(name) ? 'It would overwrite a disk.' : undefined;
  }
}
