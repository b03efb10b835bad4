import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { editorHostFolder } from './project.ts';

export interface EditorServerOptions {
  /** Settings, storage and logs of this VS Code. */
  readonly dataFolder: string;
  readonly extensionsFolder: string;
  /** Asked for in the address. Without one, everybody on this machine may connect. */
  readonly connectionToken?: string;
  /** Folders are untrusted until somebody trusts them; without it, all are trusted. */
  readonly asksForTrust?: boolean;
  /** A free one is found where none is given. */
  readonly port?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** VS Code served on 127.0.0.1, with all its processes in one group that never outlives this process. */
export class EditorServer {
  /** Resolves when the server answers; rejects with what it printed when it ends before that. */
  static async start(options: EditorServerOptions): Promise<EditorServer> {
    const child = spawn(process.execPath, [...nodeOptions, ...serverArguments(options)], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...inheritedEnvironment(), ...options.env },
    });
    const server = new EditorServer(child);
    try {
      server.port = await server.listening();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  port = 0;
  private output = '';
  private readonly child: ChildProcess;
  private readonly endGroup = (): void => {
    signalGroup(this.child, 'SIGKILL');
  };

  private constructor(child: ChildProcess) {
    this.child = child;
    // Before whoever started it removes its folders.
    process.prependListener('exit', this.endGroup);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
  }

  /** Everything the server has printed so far. */
  get log(): string {
    return this.output;
  }

  /** One per open window, and none while a new one starts after a crash. Linux only. */
  extensionHostPids(): readonly number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => parentOf(pid) === this.child.pid && commandLineOf(pid).includes('--type=extensionHost'));
  }

  /** Ends the server and all it started: with time to write things down, or at once like a crash. */
  async stop(how: 'orderly' | 'crash' = 'orderly'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit');
      this.child.kill(how === 'orderly' ? 'SIGTERM' : 'SIGKILL');
      const patience = setTimeout(this.endGroup, 5_000);
      await exited;
      clearTimeout(patience);
    }
    await this.endOfGroup();
    process.off('exit', this.endGroup);
  }

  /** Children may outlive the server for a moment and write into folders that are about to be removed. */
  private async endOfGroup(): Promise<void> {
    while (signalGroup(this.child, 'SIGKILL')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private listening(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.child.stdout?.on('data', () => {
        const port = /Extension host agent listening on (\d+)/.exec(this.output)?.[1];
        if (port) {
          resolve(Number(port));
        }
      });
      this.child.once('error', reject);
      this.child.once('exit', (code) => {
        reject(new Error(`The VS Code server ended with code ${String(code)}.\n${this.output}`));
      });
    });
  }
}

/** Puts an extension, as it stands in its folder, among the installed ones. Only before the server's first start. */
export function linkExtension(folder: string, extensionsFolder: string): void {
  // VS Code itself refuses a manifest that lacks these.
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
    readonly publisher: string;
    readonly name: string;
    readonly version: string;
  };
  symlinkSync(folder, path.join(extensionsFolder, `${manifest.publisher}.${manifest.name}-${manifest.version}`));
}

/** Writes the user's settings, with those that keep VS Code quiet, before the first start with this data folder. */
export function writeUserSettings(dataFolder: string, settings: Readonly<Record<string, unknown>> = {}): void {
  const folder = path.join(dataFolder, 'data/User');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'settings.json'), JSON.stringify({ ...quietSettings, ...settings }, null, 2));
}

const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'telemetry.telemetryLevel': 'off',
  'chat.agentHost.enabled': false,
};

const nodeOptions = ['--import', path.join(import.meta.dirname, 'leash.ts')];

function serverArguments(options: EditorServerOptions): readonly string[] {
  return [
    path.join(editorHostFolder, 'out/server-main.js'),
    ...['--host', '127.0.0.1', '--port', String(options.port ?? 0)],
    ...(options.connectionToken ? ['--connection-token', options.connectionToken] : ['--without-connection-token']),
    ...['--server-data-dir', options.dataFolder, '--extensions-dir', options.extensionsFolder],
    ...['--accept-server-license-terms', '--telemetry-level', 'off'],
    ...(options.asksForTrust ? [] : ['--disable-workspace-trust']),
    // Otherwise the server asks a login shell for its environment.
    '--force-disable-user-env',
    ...(options.args ?? []),
  ];
}

/** Without what npm, Node or an editor's terminal that we run in would tell the new VS Code about themselves. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(npm_|NODE_|VSCODE_|ELECTRON_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/** False when no process of the group is left. */
function signalGroup(leader: ChildProcess, signal: NodeJS.Signals): boolean {
  try {
    return leader.pid !== undefined && process.kill(-leader.pid, signal);
  } catch {
    return false;
  }
}

function parentOf(pid: number): number | undefined {
  // The second field is the program's name in brackets and may hold spaces; the fourth is the parent.
  const stat = readProcessFile(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function commandLineOf(pid: number): string {
  return readProcessFile(pid, 'cmdline');
}

function readProcessFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
