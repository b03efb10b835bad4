/** Runs the terminal program as a user would: a process of its own, a home of its own, a fresh copy of the sample. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJournal } from '../../src/ledger/journalFile.ts';
import { checkTables } from './checkTables.ts';
import { SECRETS, secretsBelow, secretsIn } from './secrets.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const sample = path.join(project, 'media/sample-workspace');

export interface Finished {
  readonly exitCode: number | null;
  readonly stderr: string;
  /** What `--json` printed, a value a line. */
  readonly events: readonly { readonly type: string; readonly [key: string]: unknown }[];
}

export interface Started {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves once standard output has this text, or so many lines; rejects when the program ends without it. */
  printed(what: string | number): Promise<void>;
}

/** A temporary machine: home and workspace. `dispose` removes both, and ends what was started in it. */
export class Sandbox {
  readonly folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'devsquad-scenario-')));
  readonly workspace = path.join(this.folder, 'workspace');
  readonly home = path.join(this.folder, 'home');
  private readonly programs = new Set<ChildProcess>();
  /** What they have printed. */
  private printed = '';

  constructor() {
    mkdirSync(this.home);
    cpSync(sample, this.workspace, { recursive: true });
  }

  git(...args: string[]): string {
    return execFileSync('git', ['-c', 'user.name=Dev', '-c', 'user.email=dev@example.com', ...args], {
      cwd: this.workspace,
      encoding: 'utf8',
      env: { ...process.env, HOME: this.home, GIT_CONFIG_NOSYSTEM: '1' },
    });
  }

  commitAll(): void {
    this.git('init', '-q');
    this.git('add', '-A');
    this.git('commit', '-q', '-m', 'The sample');
  }

  /** How the program is started on this machine. */
  commandLine(...args: string[]): { program: string; args: string[]; env: NodeJS.ProcessEnv } {
    const home = { HOME: this.home, XDG_RUNTIME_DIR: path.join(this.folder, 'runtime') };
    const env = { ...process.env, ...SECRETS, ...home };
    return { program: process.execPath, args: [path.join(project, 'src/cli.ts'), ...args], env };
  }

  start(...given: string[]): Started {
    const { program, args, env } = this.commandLine(...given);
    const child = spawn(program, args, {
      cwd: this.workspace,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.own(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const finished = new Promise<Finished>((resolve) => {
      child.on('close', (exitCode) => {
        this.printed += stdout + stderr;
        resolve({ exitCode, stderr, events: parseLines(stdout) });
      });
    });
    const printed = (what: string | number): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (typeof what === 'string' ? stdout.includes(what) : stdout.split('\n').length > what) {
            child.stdout.off('data', look);
            resolve();
          }
        };
        child.stdout.on('data', look);
        void finished.then(() => {
          reject(new Error(`The program ended, and ${what} was not printed yet: ${stderr}`));
        });
        look();
      });
    return { process: child, finished, printed };
  }

  run(...args: string[]): Promise<Finished> {
    return this.start(...args).finished;
  }

  /** What a verb that only looks prints on standard output. */
  print(...words: string[]): string {
    const { program, args, env } = this.commandLine(...words);
    const text = execFileSync(program, args, { cwd: this.workspace, env, encoding: 'utf8' });
    this.printed += text;
    return text;
  }

  /** The rehearsal, everything approved, in this workspace. */
  rehearse(...args: string[]): Started {
    return this.start('run', '--workspace', this.workspace, '--approve', 'all', '--json', ...args);
  }

  /** Path, mode and content of everything in the workspace, `.git` included: equal texts mean byte-identical. */
  fingerprint(folder = this.workspace): string {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .sort()
      .map((name) => {
        const file = path.join(folder, name);
        const found = lstatSync(file);
        const content = found.isSymbolicLink() ? readlinkSync(file) : found.isFile() ? readFileSync(file) : '';
        return `${name} ${found.mode.toString(8)} ${createHash('sha256').update(content).digest('hex')}`;
      })
      .join('\n');
  }

  /** The squad's own folder in this home. */
  storage(): string {
    const squads = path.join(this.home, '.devsquad/squads');
    return path.join(squads, readdirSync(squads)[0] ?? '');
  }

  readJournal(): ReturnType<typeof readJournal> {
    return readJournal(this.storage());
  }

  /** Fails unless the rows on disk are what the journal says; where no squad was ever opened there is nothing to check. */
  async checkTables(): Promise<void> {
    if (existsSync(path.join(this.home, '.devsquad/squads'))) {
      await checkTables(this.storage());
    }
  }

  /** What still runs when the sandbox goes, as after a test that failed, goes with it. */
  own(child: ChildProcess): void {
    this.programs.add(child);
    child.once('close', () => this.programs.delete(child));
  }

  /** Fails when a secret of the environment stands in a file or was printed. */
  dispose(): void {
    for (const child of this.programs) {
      child.kill('SIGKILL');
    }
    const told = this.whereSecretsAre();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    assert.deepEqual(told, [], 'where secrets were written');
  }

  private whereSecretsAre(): string[] {
    return [...secretsIn(this.printed).map((name) => `${name} in what was printed`), ...secretsBelow(this.folder)];
  }
}

/** A killed process may leave half a line at the end. */
function parseLines(stdout: string): Finished['events'] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Finished['events'][number]);
}

/** The `run-ended` of the only run, with what it says. */
export function endOf({ events }: Finished): { status: string; tree: string } {
  const ended = events.find(({ type }) => type === 'run-ended');
  const diff = ended?.['diff'] as { tree: string } | undefined;
  return { status: String(ended?.['status']), tree: diff?.tree ?? '' };
}

/** The tree that a rehearsal in a sandbox of its own leads to. */
export async function rehearseHeadless(): Promise<string> {
  const sandbox = new Sandbox();
  try {
    return endOf(await sandbox.rehearse().finished).tree;
  } finally {
    sandbox.dispose();
  }
}
