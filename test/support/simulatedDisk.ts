/**
 * A disk in memory that keeps its promises and no more: what was not synced may be lost, torn or written in another order
 * when the power goes, a name is there for sure only when its folder was synced, a failed sync loses what it was about.
 * Everything that is left to chance comes from the given generator.
 */
import path from 'node:path';
import type { Files } from '../../src/ledger/files.ts';
import type { SeededRandom } from './seededRandom.ts';

export type Operation = keyof Files;
/** What happens instead of the operation. `short`: a write takes a part only; `crash`: the machine stops before it. */
export type Fault = 'EIO' | 'ENOSPC' | 'EROFS' | 'short' | 'crash';
export type FaultPlan = (operation: Operation, count: number, file: string) => Fault | undefined;

/** Thrown by every operation once the machine has stopped. */
export class MachineStopped extends Error {
  override name = 'MachineStopped';
}

type Change = { readonly at: number; readonly bytes: Buffer } | { readonly truncateTo: number };

class Node {
  /** What a reader sees. */
  content: Buffer<ArrayBuffer> = Buffer.alloc(0);
  /** What is there after a power cut, when nothing of `unsynced` was kept. */
  durable: Buffer<ArrayBuffer> = Buffer.alloc(0);
  unsynced: Change[] = [];
}

type NameChange =
  | { readonly kind: 'set'; readonly path: string; readonly node: Node }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly node: Node }
  | { readonly kind: 'remove'; readonly path: string };

/** Of a write that the power cut off, each of these is there or not. */
const SECTOR = 512;

export class SimulatedDisk implements Files {
  faults: FaultPlan = () => undefined;
  /** Operations so far. */
  count = 0;
  /** A sync failed since the last power cut: only a power cut shows what it lost. */
  hasLostWrites = false;
  private readonly random: SeededRandom;
  private stopped = false;
  private names = new Map<string, Node>();
  private durableNames = new Map<string, Node>();
  private nameChanges: NameChange[] = [];
  private readonly folders = new Set<string>(['/']);
  private handles = new Map<number, Node>();
  private nextHandle = 1;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** Every file that is there. */
  get paths(): string[] {
    return [...this.names.keys()];
  }

  /** Whether the machine has stopped. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /** What a process sees that starts after the one before was killed; with a power cut, also what only memory held is gone. */
  restart(kind: 'kill' | 'power'): void {
    this.stopped = false;
    this.faults = () => undefined;
    this.handles = new Map();
    if (kind === 'power') {
      this.losePower();
    }
  }

  create(file: string): number {
    this.before('create', file);
    this.needFolderOf(file);
    if (this.names.has(file)) {
      throw systemError('EEXIST', file);
    }
    const node = new Node();
    this.names.set(file, node);
    this.nameChanges.push({ kind: 'set', path: file, node });
    this.handles.set(this.nextHandle, node);
    return this.nextHandle++;
  }

  write(handle: number, bytes: Uint8Array, from: number, at?: number): number {
    const fault = this.before('write');
    const rest = Buffer.from(bytes.subarray(from));
    const taken = fault === 'short' ? rest.subarray(0, this.random.between(0, rest.length - 1)) : rest;
    const node = this.nodeOf(handle);
    change(node, { at: at ?? node.content.length, bytes: taken });
    return taken.length;
  }

  sync(handle: number): void {
    const node = this.nodeOf(handle);
    try {
      this.before('sync');
    } catch (error) {
      if (!(error instanceof MachineStopped)) {
        // The system has given up on these bytes and tells it only once.
        node.unsynced = [];
        this.hasLostWrites = true;
      }
      throw error;
    }
    settle(node);
  }

  truncate(handle: number, length: number): void {
    this.before('truncate');
    change(this.nodeOf(handle), { truncateTo: length });
  }

  close(handle: number): void {
    this.before('close');
    this.handles.delete(handle);
  }

  isAt(handle: number, file: string): boolean {
    this.before('isAt', file);
    return this.names.get(file) === this.nodeOf(handle);
  }

  syncFile(file: string): void {
    this.before('syncFile', file);
    settle(this.nodeAt(file));
  }

  size(file: string): number {
    this.before('size', file);
    return this.nodeAt(file).content.length;
  }

  read(file: string, offset = 0, length = Infinity): Buffer<ArrayBuffer> {
    this.before('read', file);
    return Buffer.from(this.nodeAt(file).content.subarray(offset, offset + length));
  }

  /** Never throws, like the real one. */
  exists(file: string): boolean {
    try {
      this.before('exists', file);
      return this.names.has(file) || this.folders.has(file);
    } catch {
      return false;
    }
  }

  list(folder: string): string[] {
    this.before('list', folder);
    if (!this.folders.has(folder)) {
      throw systemError('ENOENT', folder);
    }
    const inFolder = (name: string): boolean => name !== '/' && path.dirname(name) === folder;
    return [...[...this.names.keys()].filter(inFolder), ...[...this.folders].filter(inFolder)].map((name) =>
      path.basename(name),
    );
  }

  /** Folders are simpler here than in earnest: they stay. */
  makeFolder(folder: string): void {
    this.before('makeFolder', folder);
    for (let each = folder; !this.folders.has(each); each = path.dirname(each)) {
      this.folders.add(each);
    }
  }

  syncFolder(folder: string): void {
    this.before('syncFolder', folder);
    const [inFolder, others] = [[] as NameChange[], [] as NameChange[]];
    for (const each of this.nameChanges) {
      (path.dirname(each.kind === 'rename' ? each.to : each.path) === folder ? inFolder : others).push(each);
    }
    for (const each of inFolder) {
      changeNames(this.durableNames, each);
    }
    this.nameChanges = others;
  }

  rename(from: string, to: string): void {
    this.before('rename', from);
    const node = this.nodeAt(from);
    this.changeName({ kind: 'rename', from, to, node });
  }

  link(from: string, to: string): void {
    this.before('link', from);
    const node = this.nodeAt(from);
    if (this.names.has(to)) {
      throw systemError('EEXIST', to);
    }
    this.changeName({ kind: 'set', path: to, node });
  }

  remove(file: string): void {
    this.before('remove', file);
    this.nodeAt(file);
    this.changeName({ kind: 'remove', path: file });
  }

  /** Puts a file there that another program has made durable. */
  put(file: string, content: Buffer<ArrayBuffer>): void {
    const node = new Node();
    node.content = node.durable = content;
    this.names.set(file, node);
    this.durableNames.set(file, node);
  }

  /** Changes a file as no program of ours would. */
  damage(file: string, into: (content: Buffer) => Buffer<ArrayBuffer>): void {
    const node = this.nodeAt(file);
    node.content = node.durable = into(node.content);
    node.unsynced = [];
  }

  private changeName(each: NameChange): void {
    changeNames(this.names, each);
    this.nameChanges.push(each);
  }

  /** Throws what the plan says; answers `short` where a write is to be cut. */
  private before(operation: Operation, file = ''): 'short' | undefined {
    if (this.stopped) {
      throw new MachineStopped();
    }
    this.count++;
    const fault = this.faults(operation, this.count, file);
    switch (fault) {
      case undefined:
      case 'short':
        return fault;
      case 'crash':
        this.stopped = true;
        throw new MachineStopped();
      default:
        throw systemError(fault, file);
    }
  }

  private losePower(): void {
    const kept = this.random.between(0, this.nameChanges.length);
    const inOrder = this.random.chance(0.7);
    this.nameChanges.forEach((each, index) => {
      if (inOrder ? index < kept : this.random.chance(0.5)) {
        changeNames(this.durableNames, each);
      }
    });
    this.nameChanges = [];
    for (const node of new Set(this.durableNames.values())) {
      for (const each of node.unsynced) {
        for (const piece of this.random.chance(0.6) ? this.torn(each) : []) {
          node.durable = changed(node.durable, piece);
        }
      }
      node.unsynced = [];
      node.content = node.durable;
    }
    this.names = new Map(this.durableNames);
    this.hasLostWrites = false;
  }

  /** What of a write reached the disk: all of it, its beginning, or some of its sectors. */
  private torn(each: Change): Change[] {
    if ('truncateTo' in each || this.random.chance(0.5)) {
      return [each];
    }
    const { at, bytes } = each;
    if (this.random.chance(0.5)) {
      return [{ at, bytes: bytes.subarray(0, this.random.between(0, bytes.length)) }];
    }
    const pieces: Change[] = [];
    for (let from = 0; from < bytes.length;) {
      const end = from + SECTOR - ((at + from) % SECTOR);
      if (this.random.chance(0.5)) {
        pieces.push({ at: at + from, bytes: bytes.subarray(from, end) });
      }
      from = end;
    }
    return pieces;
  }

  private needFolderOf(file: string): void {
    if (!this.folders.has(path.dirname(file))) {
      throw systemError('ENOENT', file);
    }
  }

  private nodeOf(handle: number): Node {
    const node = this.handles.get(handle);
    if (!node) {
      throw systemError('EBADF', '');
    }
    return node;
  }

  private nodeAt(file: string): Node {
    const node = this.names.get(file);
    if (!node) {
      throw systemError('ENOENT', file);
    }
    return node;
  }
}

function change(node: Node, each: Change): void {
  node.content = changed(node.content, each);
  node.unsynced.push(each);
}

function changed(content: Buffer<ArrayBuffer>, each: Change): Buffer<ArrayBuffer> {
  if ('truncateTo' in each) {
    return Buffer.from(content.subarray(0, each.truncateTo));
  }
  const whole = Buffer.alloc(Math.max(content.length, each.at + each.bytes.length));
  content.copy(whole);
  each.bytes.copy(whole, each.at);
  return whole;
}

function settle(node: Node): void {
  for (const each of node.unsynced) {
    node.durable = changed(node.durable, each);
  }
  node.unsynced = [];
}

function changeNames(names: Map<string, Node>, each: NameChange): void {
  switch (each.kind) {
    case 'set':
      names.set(each.path, each.node);
      return;
    case 'rename':
      names.delete(each.from);
      names.set(each.to, each.node);
      return;
    case 'remove':
      names.delete(each.path);
  }
}

function systemError(code: string, file: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${file}`), { code });
}
