/** A peer's server on 127.0.0.1, as a child that ends with this process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { ServerProgram } from './install.ts';

export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/** Rejects with what the server printed when it ends before it says `ready`. */
export async function startServer(
  { program, env }: ServerProgram,
  args: (port: number) => readonly string[],
  ready: RegExp,
  user: { readonly uid?: number; readonly gid?: number } = {},
): Promise<Server> {
  const port = await freePort();
  const child = spawn(program, args(port), {
    ...user,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, LC_ALL: 'C' },
  });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.on('exit', kill);
  await readiness(child, ready);
  return {
    port,
    stop: async () => {
      if (child.exitCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGINT');
        await exited;
      }
      process.off('exit', kill);
    },
  };
}

function readiness(child: ChildProcess, ready: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (ready.test(output)) {
          output = '';
          resolve();
        }
      });
    }
    child.once('error', reject);
    child.once('exit', () => {
      reject(new Error(`${child.spawnfile} ended: ${output}`));
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
