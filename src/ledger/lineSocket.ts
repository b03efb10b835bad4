/**
 * JSON values over a socket, one a line, both ways. Lines are bounded, and so is what waits to be read by the other end:
 * whoever sends more than that, or reads nothing, is cut off. Nothing that comes in can throw here.
 */
import type { Socket } from 'node:net';

/** What may wait for a reader that does not read (characters); then it is cut off. One message may be longer. */
const LONGEST_BACKLOG = 32 * 1024 * 1024;

export class LineSocket {
  private readonly socket: Socket;
  private readonly longestLine: number;
  private take: (value: unknown) => void;
  /** Pieces of the line that is coming in. */
  private pieces: string[] = [];
  private length = 0;

  /** `take` is called with each value in order, and with undefined for a line that is no JSON. */
  constructor(socket: Socket, longestLine: number, take: (value: unknown) => void) {
    this.socket = socket;
    this.longestLine = longestLine;
    this.take = take;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.read(text);
    });
    // What went wrong does not matter: the line is over, and `close` follows.
    socket.on('error', () => socket.destroy());
  }

  /** From the next line on, values go to another one. */
  handTo(take: (value: unknown) => void): void {
    this.take = take;
  }

  /** Does nothing when the line is over. */
  send(value: object): void {
    if (this.socket.writableLength > LONGEST_BACKLOG) {
      this.socket.destroy();
    }
    if (this.socket.writable) {
      this.socket.write(`${JSON.stringify(value)}\n`);
    }
  }

  /** Bytes, about, that the other end has not taken yet. */
  get backlog(): number {
    return this.socket.writableLength;
  }

  /** Called once, when the other end has taken all that was sent. Only after `backlog` was above zero. */
  onceDrained(listener: () => void): void {
    this.socket.once('drain', listener);
  }

  /** Called once, whichever end closed the line. */
  onClose(listener: () => void): void {
    this.socket.once('close', listener);
  }

  close(): void {
    this.socket.destroy();
  }

  private read(text: string): void {
    let begin = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', begin)) {
      this.pieces.push(text.slice(begin, end));
      begin = end + 1;
      this.endLine();
      if (this.socket.destroyed) {
        return;
      }
    }
    this.pieces.push(text.slice(begin));
    this.length += text.length - begin;
    if (this.length > this.longestLine) {
      this.socket.destroy();
    }
  }

  private endLine(): void {
    const line = this.pieces.join('');
    this.pieces = [];
    this.length = 0;
    if (line.length > this.longestLine) {
      this.socket.destroy();
      return;
    }
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      value = undefined;
    }
    this.take(value);
  }
}
