/** What a program printed, bounded and readable: the beginning and the end are kept, what no person can read goes. */

export class OutputCollector {
  private readonly headLimit: number;
  private readonly tailLimit: number;
  private readonly head: Buffer[] = [];
  private headBytes = 0;
  private tail: Buffer[] = [];
  private tailBytes = 0;
  private total = 0;

  /** `maxBytes` in all, one third of it for the beginning: the end says how it went. */
  constructor(maxBytes: number) {
    this.headLimit = Math.floor(maxBytes / 3);
    this.tailLimit = maxBytes - this.headLimit;
  }

  add(chunk: Buffer): void {
    this.total += chunk.length;
    const taken = chunk.subarray(0, this.headLimit - this.headBytes);
    this.head.push(taken);
    this.headBytes += taken.length;
    const rest = chunk.subarray(taken.length);
    this.tail.push(rest);
    this.tailBytes += rest.length;
    if (this.tailBytes > 2 * this.tailLimit) {
      this.cutTail();
    }
  }

  get truncated(): boolean {
    return this.total > this.headLimit + this.tailLimit;
  }

  text(): string {
    this.cutTail();
    const head = Buffer.concat(this.head);
    const tail = Buffer.concat(this.tail);
    if (!this.truncated) {
      return cleanText(Buffer.concat([head, tail]).toString('utf8'));
    }
    const left = this.total - head.length - tail.length;
    return `${cleanText(head.toString('utf8'))}\n… ${left} bytes left out …\n${cleanText(tail.toString('utf8'))}`;
  }

  private cutTail(): void {
    const all = Buffer.concat(this.tail);
    const kept = all.subarray(Math.max(0, all.length - this.tailLimit));
    this.tail = [Buffer.from(kept)];
    this.tailBytes = kept.length;
  }
}

const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);
/** Colours and cursor movements, titles and links, device strings, and two-character sequences. */
const TERMINAL_SEQUENCES = new RegExp(
  [
    String.raw`${ESCAPE}\[[0-?]*[ -/]*[@-~]`,
    String.raw`${ESCAPE}\][^${BELL}${ESCAPE}]*(?:${BELL}|${ESCAPE}\\)`,
    String.raw`${ESCAPE}[PX^_][^${ESCAPE}]*${ESCAPE}\\`,
    String.raw`${ESCAPE}[ -/]*[0-~]`,
  ].join('|'),
  'g',
);
const CONTROL_CHARACTERS = /(?![\n\t])\p{Cc}/gu;

/** Without terminal sequences and control characters, newline and tab excepted; a lone carriage return becomes a newline. */
export function cleanText(text: string): string {
  return (
    text
      .replace(TERMINAL_SEQUENCES, '')
      // From the first of many only: otherwise a megabyte of them takes an hour.
      .replace(/(?<!\r)\r+\n/g, '\n')
      .replaceAll('\r', '\n')
      .replace(CONTROL_CHARACTERS, '')
  );
}
