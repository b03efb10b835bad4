/** Redis, with every write in its append-only file: its own streams, and BullMQ on top of it. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { MESSAGE_TEXT, IN_FLIGHT, type MailSystem } from '../mail/mailSystem.ts';
import { findServer, loadPeer } from './install.ts';
import { startServer, type Server } from './server.ts';

/** When the file is synced: before every reply, or once a second, which a power cut does not spare. */
type Fsync = 'always' | 'everysec';

/** What we use of `ioredis`. */
interface RedisClient {
  xgroup(...args: string[]): Promise<unknown>;
  xadd(...args: string[]): Promise<string>;
  xack(...args: string[]): Promise<number>;
  xreadgroup(
    ...args: (string | number)[]
  ): Promise<[stream: string, entries: [id: string, fields: string[]][]][] | null>;
  disconnect(): void;
}
interface RedisModule {
  readonly Redis: new (options: RedisOptions) => RedisClient;
}
interface RedisOptions {
  readonly port: number;
  readonly host: string;
  readonly maxRetriesPerRequest: null;
}

/** What we use of `bullmq`. */
interface BullModule {
  readonly Queue: new (
    name: string,
    options: { connection: RedisOptions },
  ) => {
    add(name: string, data: object, options: object): Promise<unknown>;
    close(): Promise<void>;
  };
  readonly Worker: new (
    name: string,
    processor: () => Promise<void>,
    options: { connection: RedisOptions; concurrency: number },
  ) => {
    on(event: 'completed', listener: (job: { readonly data: { readonly number: number } }) => void): void;
    close(): Promise<void>;
  };
}

/** Every system that stands on Redis; none, with a sentence for the person, where Redis cannot be had. */
export async function openRedisSystems(folder: string): Promise<MailSystem[]> {
  const server = findServer('redis-server', 'redis-server', (root) => [path.join(root, 'usr/bin/redis-server')]);
  if (!server) {
    console.error('Redis is left out: install redis-server (on Debian or Ubuntu: sudo apt-get install redis-server).');
    return [];
  }
  const start = (name: string, fsync: Fsync): Promise<Server> => {
    const data = path.join(folder, name);
    mkdirSync(data);
    const durability = ['--appendonly', 'yes', '--appendfsync', fsync, '--save', ''];
    const args = (port: number): string[] => [
      '--bind',
      '127.0.0.1',
      '--port',
      String(port),
      '--dir',
      data,
      ...durability,
    ];
    return startServer(server, args, /Ready to accept connections/);
  };
  return [
    await RedisStreams.open('always', await start('streams-always', 'always')),
    await RedisStreams.open('everysec', await start('streams-everysec', 'everysec')),
    openBullMq(await start('bullmq', 'always')),
  ];
}

/** A consumer group of one: what was added is read, then acknowledged one by one. */
class RedisStreams implements MailSystem {
  readonly name: string;
  private readonly server: Server;
  private readonly sender: RedisClient;
  private readonly receiver: RedisClient;
  private readonly acknowledged = new Map<string, () => void>();
  /** Acknowledged before the sender had heard of its id. */
  private readonly early = new Set<string>();

  static async open(fsync: Fsync, server: Server): Promise<RedisStreams> {
    const streams = new RedisStreams(fsync, server);
    await streams.sender.xgroup('CREATE', 'mail', 'team', '$', 'MKSTREAM');
    void streams.receive();
    return streams;
  }

  private constructor(fsync: Fsync, server: Server) {
    // The package is of exactly the version that these types were read from.
    const { Redis } = loadPeer('ioredis') as RedisModule;
    this.name = `Redis Streams, appendfsync ${fsync}`;
    this.server = server;
    this.sender = new Redis(connection(server));
    this.receiver = new Redis(connection(server));
  }

  async roundTrip(): Promise<void> {
    const id = await this.sender.xadd('mail', '*', 'content', MESSAGE_TEXT);
    if (!this.early.delete(id)) {
      await new Promise<void>((resolve) => this.acknowledged.set(id, resolve));
    }
  }

  async close(): Promise<void> {
    this.sender.disconnect();
    this.receiver.disconnect();
    await this.server.stop();
  }

  private async receive(): Promise<void> {
    for (;;) {
      const read = await this.receiver
        .xreadgroup('GROUP', 'team', 'receiver', 'COUNT', IN_FLIGHT, 'BLOCK', 0, 'STREAMS', 'mail', '>')
        .catch(() => undefined);
      if (read === undefined) {
        // The connection is closed: the benchmark is over.
        return;
      }
      for (const [id] of read?.[0]?.[1] ?? []) {
        void this.sender.xack('mail', 'team', id).then(() => {
          const resolve = this.acknowledged.get(id);
          if (resolve) {
            this.acknowledged.delete(id);
            resolve();
          } else {
            this.early.add(id);
          }
        });
      }
    }
  }
}

function openBullMq(server: Server): MailSystem {
  // The package is of exactly the version that these types were read from.
  const { Queue, Worker } = loadPeer('bullmq') as BullModule;
  const queue = new Queue('mail', { connection: connection(server) });
  const worker = new Worker('mail', () => Promise.resolve(), {
    connection: connection(server),
    concurrency: IN_FLIGHT,
  });
  const completed = new Map<number, () => void>();
  worker.on('completed', ({ data }) => {
    completed.get(data.number)?.();
    completed.delete(data.number);
  });
  let sent = 0;
  return {
    name: 'BullMQ, appendfsync always',
    roundTrip: async () => {
      const number = ++sent;
      const processed = new Promise<void>((resolve) => completed.set(number, resolve));
      await queue.add('message', { number, content: MESSAGE_TEXT }, { removeOnComplete: true });
      await processed;
    },
    close: async () => {
      await worker.close();
      await queue.close();
      await server.stop();
    },
  };
}

const connection = ({ port }: Server): RedisOptions => ({ port, host: '127.0.0.1', maxRetriesPerRequest: null });
