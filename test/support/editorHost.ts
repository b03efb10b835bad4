// Drives a real VS Code in tests: the served one, in a Chromium, with folders of its own that are removed afterwards.
// One `startEditor` costs some ten seconds, so a test file starts one and asks it much.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { EditorServer, linkExtension, writeUserSettings } from '../../scripts/editorServer.ts';
import { editorHostFolder, projectFolder } from '../../scripts/project.ts';
import { closePage, openPage, type PageOptions } from './editorBrowser.ts';
import { SECRETS, secretsBelow, secretsIn, watchForSecrets } from './secrets.ts';
import { EditorWindow, FurtherWindow } from './editorWindow.ts';

const waitMs = 60_000;
/** A palette that went away because something else took the keyboard would look like one whose command ran. */
const PATIENT_SETTINGS = { 'workbench.quickOpen.closeOnFocusLost': false };

export interface EditorOptions {
  /** Folders of extensions, loaded as installed ones; DevSquad itself where nothing is said. */
  readonly extensions?: readonly string[];
  /** Packed extensions, installed from their files. */
  readonly vsixFiles?: readonly string[];
  /** User settings, added to those that keep VS Code quiet. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Environment of the server, and so of the extension host. */
  readonly env?: Readonly<Record<string, string>>;
  /** Opened at the start; a new folder with a README.md where nothing is said. The caller's own is never removed. */
  readonly folder?: string;
  /** HOME of another editor, which stays that one's; a new one where nothing is said. */
  readonly home?: string;
  /** Folders are untrusted until somebody trusts them. */
  readonly asksForTrust?: boolean;
  /** Further arguments of the server. */
  readonly args?: readonly string[];
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Runs in the page before anything of VS Code does. */
  prepare?(page: Page, authority: string): Promise<void>;
}

const running = new Set<Editor>();
let knownPort: number | undefined;
process.on('exit', () => {
  for (const editor of running) {
    editor.removeFolders();
  }
});

/** Resolves when the workbench is on screen; what extensions bring appears some seconds later. */
export async function startEditor(options: EditorOptions = {}): Promise<Editor> {
  const editor = new Editor(options);
  running.add(editor);
  try {
    await editor.start();
  } catch (error) {
    await editor.stop();
    throw error;
  }
  return editor;
}

/** All that have been started and not stopped. */
export function runningEditors(): readonly Editor[] {
  return [...running];
}

/** One VS Code in one window, with its home, settings, storage and temporary files in one folder. */
export class Editor extends EditorWindow {
  /** HOME of the server: what the extension writes to `~` lands here. */
  readonly homeFolder: string;
  /** The folder that was opened at the start. */
  readonly workspaceFolder: string;
  private readonly options: EditorOptions;
  private readonly runFolder = mkdtempSync(path.join(tmpdir(), 'editor-'));
  private readonly temporaryFolder = this.makeFolder('tmp');
  private readonly extensionsFolder = this.makeFolder('extensions');
  private readonly dataFolder = this.makeFolder('data');
  private readonly watches: (() => readonly string[])[] = [];
  private server: EditorServer | undefined;
  private window: Page | undefined;
  private folder: string;

  constructor(options: EditorOptions) {
    super();
    this.options = options;
    this.homeFolder = options.home ?? this.makeFolder('home');
    this.workspaceFolder = options.folder ?? this.makeFolder('workspace');
    this.folder = this.workspaceFolder;
    if (!options.folder) {
      writeFileSync(path.join(this.workspaceFolder, 'README.md'), '# A workspace\n');
    }
    this.changeSettings({});
  }

  /** Called by `startEditor`. */
  async start(): Promise<void> {
    for (const extension of this.options.extensions ?? [projectFolder]) {
      linkExtension(extension, this.extensionsFolder);
    }
    for (const file of this.options.vsixFiles ?? []) {
      this.installVsix(file);
    }
    await this.startServer(await this.knownPort());
    this.window = await openPage(this.pageOptions);
    this.watches.push(watchForSecrets(this.window));
    this.window.setDefaultTimeout(waitMs);
    await this.options.prepare?.(this.window, this.authority);
    await this.open(this.folder);
  }

  get page(): Page {
    if (!this.window) {
      throw new Error('This editor has not started.');
    }
    return this.window;
  }

  /** Host and port, as they stand in URIs of the scheme `vscode-remote`. */
  get authority(): string {
    return `127.0.0.1:${this.server?.port ?? 0}`;
  }

  /** What VS Code's `globalStorageUri` is for an extension named `publisher.name`. */
  globalStorageFolder(extension = 'vibe-devsquad.devsquad'): string {
    return path.join(this.dataFolder, 'data/User/globalStorage', extension.toLowerCase());
  }

  /** Those named stand beside the ones of the start; read by the next window that opens. */
  changeSettings(settings: Readonly<Record<string, unknown>>): void {
    writeUserSettings(this.dataFolder, { ...PATIENT_SETTINGS, ...this.options.settings, ...settings });
  }

  /** What the server and its extension hosts have printed. */
  get log(): string {
    return this.server?.log ?? '';
  }

  async open(folder: string): Promise<void> {
    this.folder = folder;
    await this.page.goto(`http://${this.authority}/?folder=${encodeURIComponent(folder)}`);
    await this.workbench();
  }

  /** One more window of the same VS Code, on the folder that is open. */
  async openSecondWindow(): Promise<EditorWindow> {
    // Ended with the origin's other windows.
    const page = await openPage({ own: true });
    this.watches.push(watchForSecrets(page));
    page.setDefaultTimeout(waitMs);
    await page.goto(`http://${this.authority}/?folder=${encodeURIComponent(this.folder)}`);
    await page.locator('.monaco-workbench').waitFor();
    return new FurtherWindow(page);
  }

  /** Closes the first window; its extension host ends as when a person closes it. */
  async closeWindow(): Promise<void> {
    await this.page.goto('about:blank');
  }

  /** Reloads the window: a new extension host, the same storage; secrets are lost in the served VS Code. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.workbench();
  }

  /**
   * Ends every process of the server and starts it anew at the same address with the same folders, then loads the window
   * again. With `crash`, nothing in the server or in an extension gets a chance to write things down.
   */
  async restart(how: 'orderly' | 'crash' = 'orderly'): Promise<void> {
    const port = this.server?.port;
    await this.server?.stop(how);
    await this.startServer(port);
    await this.open(this.folder);
  }

  /** One per window, and none while VS Code starts a new one after a crash. The third crash within 5 minutes is final. */
  extensionHostPids(): readonly number[] {
    return this.server?.extensionHostPids() ?? [];
  }

  /**
   * Ends all processes and removes all folders of this editor; fails when a secret of its environment got anywhere. Calling
   * it twice is harmless.
   */
  async stop(): Promise<void> {
    running.delete(this);
    const { window } = this;
    this.window = undefined;
    if (window) {
      await closePage(window, `http://${this.authority}`, this.pageOptions);
    }
    await this.server?.stop();
    const told = this.whereSecretsAre();
    this.removeFolders();
    assert.deepEqual(told, [], 'where secrets got to');
  }

  /** The run's folder holds the home, the storage, the logs and what else VS Code writes. */
  private whereSecretsAre(): string[] {
    const folders = [this.runFolder, this.workspaceFolder, this.homeFolder].filter((folder) => existsSync(folder));
    return [
      ...this.watches.flatMap((found) => found()),
      ...secretsIn(this.log).map((name) => `${name} in what VS Code printed`),
      ...new Set(folders.flatMap(secretsBelow)),
    ];
  }

  /** Only what `stop` does last, for a process that is about to end. */
  removeFolders(): void {
    rmSync(this.runFolder, { recursive: true, force: true, maxRetries: 5 });
  }

  private get pageOptions(): PageOptions {
    return { own: this.options.prepare !== undefined, viewport: this.options.viewport };
  }

  /** The address where the browser knows VS Code's scripts; undefined while another program stands there. */
  private async knownPort(): Promise<number | undefined> {
    return knownPort !== undefined && (await isFree(knownPort)) ? knownPort : undefined;
  }

  private async startServer(port?: number): Promise<void> {
    this.server = await EditorServer.start({
      dataFolder: this.dataFolder,
      extensionsFolder: this.extensionsFolder,
      env: { ...SECRETS, HOME: this.homeFolder, TMPDIR: this.temporaryFolder, ...this.options.env },
      ...(port === undefined ? {} : { port }),
      asksForTrust: this.options.asksForTrust ?? false,
      ...(this.options.args ? { args: this.options.args } : {}),
    });
    knownPort ??= this.server.port;
  }

  private async workbench(): Promise<void> {
    await this.page.locator('.monaco-workbench').waitFor();
  }

  private installVsix(file: string): void {
    const server = path.join(editorHostFolder, 'out/server-main.js');
    const folders = ['--extensions-dir', this.extensionsFolder, '--server-data-dir', this.dataFolder];
    execFileSync(process.execPath, [server, '--install-extension', file, ...folders, '--accept-server-license-terms'], {
      env: { ...process.env, HOME: this.homeFolder, TMPDIR: this.temporaryFolder },
      stdio: 'pipe',
    });
  }

  private makeFolder(name: string): string {
    const folder = path.join(this.runFolder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }
}

export interface SuiteOptions {
  /** Folders of the extensions under development; DevSquad itself where nothing is said. */
  readonly development?: readonly string[];
  /** A module that exports `run(): Promise<void>`, inside one of the extensions under development. */
  readonly suite: string;
  /** Further extensions, loaded as installed ones. */
  readonly extensions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface SuiteEnd {
  /** 0 when `run` resolved, 1 when it rejected, `timeout` when it did neither in time. */
  readonly exitCode: number | 'timeout';
  /** What the extension host wrote to its console. */
  readonly output: readonly string[];
}

/**
 * Runs a suite inside the extension host, the way `@vscode/test-electron` does it in a desktop VS Code. In this mode VS
 * Code answers every yes-or-no dialog with yes and refuses all others, so dialogs belong into tests that use `startEditor`.
 */
export async function runInExtensionHost(options: SuiteOptions): Promise<SuiteEnd> {
  const output: string[] = [];
  const end = Promise.withResolvers<SuiteEnd['exitCode']>();
  const timer = setTimeout(() => {
    end.resolve('timeout');
  }, options.timeoutMs ?? 240_000);
  const editor = await startEditor({
    extensions: options.extensions ?? [],
    ...(options.env ? { env: options.env } : {}),
    async prepare(page, authority) {
      await page.exposeFunction('codeAutomationExit', end.resolve);
      await page.exposeFunction('codeAutomationLog', (type: string, values: readonly unknown[]) => {
        output.push(`${type} ${values.join(' ')}`);
      });
      const uri = (file: string): object => ({ scheme: 'vscode-remote', authority, path: file });
      await page.addInitScript(loadInDevelopmentMode, {
        extensions: (options.development ?? [projectFolder]).map(uri),
        extensionTestsPath: uri(options.suite),
      });
    },
  });
  try {
    return { exitCode: await end.promise, output: [...output, editor.log] };
  } finally {
    clearTimeout(timer);
    await editor.stop();
  }
}

/** In the page: adds to the configuration that the workbench reads from a meta element, before its script runs. */
function loadInDevelopmentMode(developmentOptions: object): void {
  document.addEventListener('readystatechange', () => {
    const element = document.getElementById('vscode-workbench-web-configuration');
    const settings = element?.dataset['settings'];
    if (element && settings) {
      const configuration = JSON.parse(settings) as object;
      element.dataset['settings'] = JSON.stringify({ ...configuration, developmentOptions });
    }
  });
}

/** VS Code itself says nothing when its port is taken, and waits for ever. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
      .once('error', () => {
        resolve(false);
      })
      .listen(port, '127.0.0.1', () => {
        probe.close(() => {
          resolve(true);
        });
      });
  });
}
