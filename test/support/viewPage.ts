// Shows a built webview in a plain Chromium, with the policy it has in VS Code, at the other end of a real view server.
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { chromium, type Browser, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/findProgram.ts';
import { projectFolder } from '../../scripts/project.ts';
import { ViewServer } from '../../src/control/viewServer.ts';
import type { HostMessage, ViewCommand } from '../../src/protocol/messages.ts';
import { viewHtml } from '../../src/vscode/panels/viewHtml.ts';
import { realClock } from './realClock.ts';
import { THEMES, type Theme } from './themes.ts';
import { silentLogger, type FakeSquad } from './viewedSquad.ts';

/** Nothing listens there: every request is answered from the build, or is a breach. */
const origin = 'http://view.test';
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.ttf': 'font/ttf',
};

export async function startBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) {
    throw new Error('No Chromium or Chrome was found. Run `npm test` once, which installs what is missing.');
  }
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

export interface ViewPageOptions {
  readonly theme?: keyof typeof THEMES;
  readonly width?: number;
  readonly height?: number;
}

/** One page over one squad. `breaches` is empty as long as the page did nothing it must not. */
export class ViewPage {
  readonly page: Page;
  /** Errors, violations of the policy, requests to elsewhere, dialogs, navigation: whatever a good page never does. */
  readonly breaches: string[] = [];
  /** Commands of the editor that the page had run. */
  readonly commands: ViewCommand[] = [];
  private readonly squad: FakeSquad;
  private server: ViewServer | undefined;
  private posted: Promise<unknown> = Promise.resolve();

  static async open(browser: Browser, squad: FakeSquad, options: ViewPageOptions = {}): Promise<ViewPage> {
    const viewport = { width: options.width ?? 1032, height: options.height ?? 900 };
    const context = await browser.newContext({ viewport, timezoneId: 'UTC', locale: 'en-GB', deviceScaleFactor: 1 });
    const view = new ViewPage(await context.newPage(), squad);
    await view.prepare(THEMES[options.theme ?? 'dark']);
    await view.page.goto(`${origin}/`);
    await view.page.locator('main').waitFor();
    return view;
  }

  private constructor(page: Page, squad: FakeSquad) {
    this.page = page;
    this.squad = squad;
  }

  /** To the page, past the server: what a confused or hostile sender might post. */
  async post(message: unknown): Promise<void> {
    await this.page.evaluate((value) => {
      window.postMessage(value, '*');
    }, message);
  }

  /** Resolves when the page has drawn what the squad knows. */
  async caughtUp(): Promise<void> {
    await wait(120);
    await this.posted;
    await this.page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
  }

  async screenshot(name: string): Promise<void> {
    const folder = path.join(projectFolder, 'test-results/screenshots');
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
  }

  async close(): Promise<void> {
    this.server?.dispose();
    await this.page.context().close();
  }

  private async prepare(theme: Theme): Promise<void> {
    const { page, breaches } = this;
    page.on('pageerror', (error) => breaches.push(`error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') {
        breaches.push(`console: ${message.text()}`);
      }
    });
    page.on('dialog', (dialog) => {
      breaches.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('framenavigated', (frame) => {
      if (frame.url() !== `${origin}/`) {
        breaches.push(`went to ${frame.url()}`);
      }
    });
    await page.route('**/*', async (route) => {
      const url = new URL(route.request().url());
      const file = path.basename(url.pathname);
      if (url.origin !== origin || (file !== '' && !(path.extname(file) in types))) {
        breaches.push(`asked for ${url.href}`);
        await route.abort();
      } else if (file === '') {
        await route.fulfill({ contentType: 'text/html', body: html() });
      } else {
        const body = readFileSync(path.join(projectFolder, 'dist/webview', file));
        await route.fulfill({ contentType: types[path.extname(file)] ?? '', body });
      }
    });
    await page.exposeFunction('devsquadReceives', (text: string) => {
      // Whatever it is: the server parses it.
      this.receive(JSON.parse(text) as { readonly type?: unknown });
    });
    await page.exposeFunction('devsquadBreach', (text: string) => breaches.push(text));
    await page.addInitScript(standInForVsCode, theme);
  }

  /** A page that has just begun gets a server of its own, as in a panel that was restored. */
  private receive(request: { readonly type?: unknown }): void {
    if (request.type === 'ready') {
      this.server?.dispose();
      this.server = new ViewServer({
        squad: this.squad,
        clock: realClock,
        logger: silentLogger,
        execute: (command) => void this.commands.push(command),
        post: (message: HostMessage) => {
          this.posted = this.posted.then(() => this.post(message)).catch(() => undefined);
        },
      });
    }
    void this.server?.receive(request);
  }
}

function html(): string {
  return viewHtml({
    script: `${origin}/main.js`,
    style: `${origin}/main.css`,
    source: origin,
    nonce: 'c2VjcmV0',
    styleNonce: 'c3R5bGU',
    title: 'DevSquad',
  });
}

/** In the page, before its script: what VS Code gives a webview. */
function standInForVsCode(theme: Theme): void {
  // Bound by Playwright under these names.
  const bound = window as unknown as Record<'devsquadReceives' | 'devsquadBreach', (text: string) => Promise<void>>;
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
    void bound.devsquadBreach(`policy: ${violatedDirective} ${blockedURI}`);
  });
  document.addEventListener('DOMContentLoaded', () => {
    for (const [name, value] of Object.entries(theme.variables)) {
      document.documentElement.style.setProperty(`--vscode-${name}`, value);
    }
    document.body.classList.add(theme.kind);
  });
  Object.assign(window, {
    acquireVsCodeApi: () => ({
      postMessage: (message: unknown) => void bound.devsquadReceives(JSON.stringify(message)),
      getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null') as unknown,
      setState: (state: unknown) => {
        sessionStorage.setItem('state', JSON.stringify(state));
      },
    }),
  });
}
