/**
 * One Chromium for every VS Code that this process drives. They come one after the other at the same address, so that from
 * the second one on the browser has VS Code's scripts in its cache, compiled; everything else it would remember of the one
 * before is cleared. A VS Code beside another has an address of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/findProgram.ts';

export interface PageOptions {
  /** Not to be used by anybody else before or after. */
  readonly own: boolean;
  readonly viewport?: { readonly width: number; readonly height: number } | undefined;
}

const VIEWPORT = { width: 1400, height: 900 };
const REMEMBERED = ['cookies', 'file_systems', 'indexeddb', 'local_storage', 'service_workers', 'cache_storage'];

let opening: Promise<BrowserContext> | undefined;
const idlePages: Page[] = [];
let profile: string | undefined;
process.on('exit', removeProfile);

/** An empty page. Whoever asks for it gives it back with `closePage`; one that is to be changed for good is asked for as `own`. */
export async function openPage({ own, viewport = VIEWPORT }: PageOptions): Promise<Page> {
  const context = await (opening ??= launch());
  const page = (own ? undefined : idlePages.pop()) ?? (await context.newPage());
  await page.setViewportSize(viewport);
  return page;
}

/** Ends every window of the origin, also where `page` is closed already, and forgets what they had stored. */
export async function closePage(page: Page, origin: string, { own }: PageOptions): Promise<void> {
  const context = page.context();
  const others = context.pages().filter((other) => other !== page && other.url().startsWith(`${origin}/`));
  await Promise.all(others.map((other) => other.close()));
  if (own) {
    await page.close();
  } else if (!page.isClosed()) {
    // A window that a test has left shows nothing any more.
    if (page.url() !== 'about:blank') {
      await page.evaluate(() => {
        sessionStorage.clear();
      });
      await page.goto('about:blank');
    }
    // The next one finds the scripts compiled in this very process.
    idlePages.push(page);
  }
  const [blank] = context.pages();
  if (blank) {
    const session = await context.newCDPSession(blank);
    await session.send('Storage.clearDataForOrigin', { origin, storageTypes: REMEMBERED.join(',') });
    await session.detach();
  }
}

export async function closeBrowser(): Promise<void> {
  const closing = opening;
  opening = undefined;
  idlePages.length = 0;
  await (await closing)?.close();
  removeProfile();
}

function launch(): Promise<BrowserContext> {
  const executablePath = findChromium();
  if (!executablePath) {
    throw new Error('No Chromium or Chrome was found. Run `npm test` once, which installs what is missing.');
  }
  profile = mkdtempSync(path.join(tmpdir(), 'chromium-'));
  return chromium.launchPersistentContext(profile, { executablePath, args: browserArguments });
}

function removeProfile(): void {
  if (profile !== undefined) {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    profile = undefined;
  }
}

const browserArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
