/** One window of a VS Code that a test drives: its palette, its webviews, its picture. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Frame, Locator, Page } from 'playwright-core';
import { projectFolder } from '../../scripts/project.ts';

const screenshotFolder = path.join(projectFolder, 'test-results/screenshots');
const waitMs = 60_000;

export abstract class EditorWindow {
  abstract get page(): Page;

  /** Runs a command from the palette by the exact title that is shown there. Waits until an extension has brought it. */
  async command(title: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input[type=text]');
    const label = this.page.locator('.label-name').getByText(title, { exact: true });
    const row = this.page.locator('.quick-input-list .monaco-list-row').filter({ has: label });
    const chosen = this.page.locator('.quick-input-list .monaco-list-row.focused').filter({ has: label });
    for (const end = performance.now() + waitMs; performance.now() < end;) {
      // The palette's list does not grow while it is open, so it is opened again until the command is in it.
      await this.page.keyboard.press('F1');
      try {
        await input.fill(`>${title}`, { timeout: 1_500 });
        await row.first().waitFor({ timeout: 1_500 });
        // Never a click: the list moves while it fills, and a click would meet another row or none.
        for (let steps = 0; steps < 10 && !(await appears(chosen, 400)); steps++) {
          await this.page.keyboard.press('ArrowDown');
        }
        await chosen.waitFor({ timeout: 100 });
        // Into the palette and nowhere else: what opens meanwhile takes the keyboard from it.
        await input.press('Enter', { timeout: 1_500 });
        await row.first().waitFor({ state: 'hidden', timeout: 10_000 });
        return;
      } catch {
        await this.page.keyboard.press('Escape');
      }
    }
    throw new Error(`The command palette does not offer "${title}".`);
  }

  /**
   * The content frame of the webview in which `selector` is found. VS Code replaces the frame whenever the webview gets new
   * HTML, so look it up again after that.
   */
  async webview(selector: string): Promise<Frame> {
    for (const end = performance.now() + waitMs; performance.now() < end;) {
      for (const frame of this.page.frames().filter((candidate) => candidate.url().includes('/fake.html'))) {
        try {
          if ((await frame.locator(selector).count()) > 0) {
            return frame;
          }
        } catch {
          // Replaced while we looked.
        }
      }
      await this.page.waitForTimeout(100);
    }
    throw new Error(`No webview shows "${selector}".`);
  }

  /**
   * Resolves when the window has written down that an editor of this type is open. It does so some five seconds after the
   * fact and not when it is reloaded, so a reload that is faster opens without it.
   */
  async writtenDown(viewType: string): Promise<void> {
    for (const end = performance.now() + waitMs; performance.now() < end;) {
      if ((await this.page.evaluate(openEditorsInStorage)).includes(viewType)) {
        return;
      }
      await this.page.waitForTimeout(200);
    }
    throw new Error(`The window never wrote down that "${viewType}" is open.`);
  }

  /** Saves what the window shows as `test-results/screenshots/NAME.png`. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshotFolder, { recursive: true });
    await this.page.screenshot({ path: path.join(screenshotFolder, `${name}.png`) });
  }
}

/** A window beside the first one of an `Editor`, which ends it. */
export class FurtherWindow extends EditorWindow {
  readonly page: Page;

  constructor(page: Page) {
    super();
    this.page = page;
  }
}

/** In the page: what the served VS Code keeps of its open editors, as text. */
async function openEditorsInStorage(): Promise<string> {
  const answer = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => {
        resolve(request.result);
      };
      request.onerror = () => {
        reject(new Error('The storage of the window cannot be read.', { cause: request.error }));
      };
    });
  let text = '';
  for (const { name = '' } of await indexedDB.databases()) {
    if (name.startsWith('vscode-web-state-db-')) {
      const database = await answer(indexedDB.open(name));
      const items = database.transaction('ItemTable').objectStore('ItemTable');
      text += String(await answer(items.get('memento/workbench.parts.editor') as IDBRequest<unknown>));
      database.close();
    }
  }
  return text;
}

function appears(locator: Locator, ms: number): Promise<boolean> {
  return locator.waitFor({ timeout: ms }).then(
    () => true,
    () => false,
  );
}
