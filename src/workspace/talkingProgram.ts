/** A program that is talked to line by line, with bounds on what it may say. */
import type { ChildProcess } from 'node:child_process';
import { ToolRefusal } from '../domain/errors.ts';
import type { LaunchRequest } from './launch.ts';
import { cleanText } from './processOutput.ts';

/** A program that is talked to: no shell reads its words. */
export interface TalkRequest extends LaunchRequest {
  readonly argv: readonly [program: string, ...args: string[]];
  readonly timeoutMs: number;
  /** Characters of one line, and of all that it says, also beside the talk. */
  readonly maxLine: number;
  readonly maxTotal: number;
  readonly maxLines: number;
}

export interface TalkingProgram {
  send(line: string): void;
  /** Called with each line as it comes, without its end. */
  onLine(listener: (line: string) => void): void;
}

/** Characters of what it says beside the talk. */
const LONGEST_COMPLAINT = 1000;

/** `breakOff` is called with why the talk cannot go on. */
export function listenTo(child: ChildProcess, request: TalkRequest, breakOff: (reason: Error) => void): TalkingProgram {
  let listener: (line: string) => void = () => undefined;
  let [complaint, rest, total, count] = ['', '', 0, 0];
  const refuse = (what: string): void => {
    child.stdout?.destroy();
    child.stderr?.destroy();
    breakOff(new ToolRefusal(`It said more than the ${what} that anybody reads.`));
  };
  const isTooMuch = (text: string): boolean => (total += text.length) > request.maxTotal;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-LONGEST_COMPLAINT);
    if (isTooMuch(text)) {
      refuse(inMegabytes(request.maxTotal));
    }
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    // Only what is new is looked through, however long the line has become.
    const [first = '', ...others] = text.split('\n');
    const last = others.pop();
    const lines = last === undefined ? [] : [rest + first, ...others];
    rest = last ?? rest + first;
    count += lines.length;
    if (isTooMuch(text) || [rest, ...lines].some(({ length }) => length > request.maxLine)) {
      refuse(inMegabytes(request.maxLine));
    } else if (count > request.maxLines) {
      // Each is taken apart on the thread that everything else runs on.
      refuse(`${request.maxLines} lines`);
    } else {
      lines.forEach((line) => {
        listener(line);
      });
    }
  });
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    // What went wrong does not matter: the program is over, and that is told.
    stream?.on('error', () => undefined);
  }
  child.once('close', () => {
    const said = cleanText(complaint).trim();
    breakOff(new Error(`It ended before it answered. ${said ? `It said: ${said}` : 'It said nothing.'}`));
  });
  return {
    send: (line) => {
      child.stdin?.write(`${line}\n`);
    },
    onLine: (take) => {
      listener = take;
    },
  };
}

function inMegabytes(characters: number): string {
  return `${Math.round(characters / 1_000_000)} MB`;
}
