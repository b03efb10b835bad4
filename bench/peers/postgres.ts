/** pg-boss on PostgreSQL, synced at every commit as PostgreSQL is by default: a job is sent, fetched and completed. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { IN_FLIGHT, MESSAGE_TEXT, type MailSystem } from '../mail/mailSystem.ts';
import { findServer, loadPeer } from './install.ts';
import { startServer } from './server.ts';

/** What we use of `pg-boss`. */
interface BossModule {
  readonly PgBoss: new (options: { connectionString: string; max: number }) => {
    start(): Promise<unknown>;
    stop(options: { graceful: boolean }): Promise<void>;
    on(event: 'error', listener: (error: Error) => void): void;
    createQueue(name: string): Promise<void>;
    send(name: string, data: object): Promise<string | null>;
    fetch(name: string): Promise<{ readonly id: string }[]>;
    complete(name: string, id: string): Promise<unknown>;
  };
}

/** PostgreSQL refuses to run as root; this user owns nothing. */
const NOBODY = 65534;
const QUEUE = 'mail';

/** None, with a sentence for the person, where PostgreSQL cannot be had. */
export async function openPostgresSystems(folder: string): Promise<MailSystem[]> {
  const server = findServer('initdb', 'postgresql', (root) => versions(root).map((bin) => path.join(bin, 'initdb')));
  if (!server) {
    console.error('pg-boss is left out: install postgresql (on Debian or Ubuntu: sudo apt-get install postgresql).');
    return [];
  }
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const data = path.join(folder, 'postgres');
  mkdirSync(data);
  if (user.uid !== undefined) {
    chmodSync(folder, 0o711);
    chownSync(data, NOBODY, NOBODY);
  }
  execFileSync(server.program, ['-D', data, '--username', 'bench', '--auth', 'trust', '--encoding', 'UTF8'], {
    ...user,
    cwd: data,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...server.env, LC_ALL: 'C' },
  });
  const postgres = path.join(path.dirname(server.program), 'postgres');
  const args = (port: number): string[] => ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', ''];
  const running = await startServer({ ...server, program: postgres }, args, /ready to accept connections/, user);

  // The package is of exactly the version that these types were read from.
  const { PgBoss } = loadPeer('pg-boss') as BossModule;
  const boss = new PgBoss({
    connectionString: `postgres://bench@127.0.0.1:${running.port}/postgres`,
    max: IN_FLIGHT / 2,
  });
  let closing = false;
  boss.on('error', (error) => {
    if (!closing) {
      console.error(error.message);
    }
  });
  await boss.start();
  await boss.createQueue(QUEUE);
  return [
    {
      name: 'pg-boss on PostgreSQL',
      roundTrip: async () => {
        await boss.send(QUEUE, { content: MESSAGE_TEXT });
        for (const { id } of await boss.fetch(QUEUE)) {
          await boss.complete(QUEUE, id);
        }
      },
      close: async () => {
        // Its idle connections are told when PostgreSQL ends, and it tells us.
        closing = true;
        await boss.stop({ graceful: false });
        await running.stop();
      },
    },
  ];
}

function versions(root: string): string[] {
  const folder = path.join(root, 'usr/lib/postgresql');
  return readdirSync(folder).map((version) => path.join(folder, version, 'bin'));
}
