/** What a person does in the workbench, one function a deed, by what is on screen. */
import { cpSync, existsSync, mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { projectFolder } from '../../scripts/project.ts';
import type { RunView } from '../../src/domain/squadState.ts';
import { readJournal } from '../../src/ledger/journalFile.ts';
import { stateOf } from '../../src/ledger/squadLedger.ts';
import type { Editor } from './editorHost.ts';
import type { EditorWindow } from './editorWindow.ts';

/** A fresh copy of the sample workspace with a repository of its own. */
export function sampleWorkspace(): string {
  const folder = path.join(realpathSync(mkdtempSync(path.join(tmpdir(), 'sample-'))), 'bookmarks');
  cpSync(path.join(projectFolder, 'media/sample-workspace'), folder, { recursive: true });
  const git = (...args: string[]): void => {
    execFileSync('git', ['-c', 'user.name=Dev', '-c', 'user.email=dev@example.com', ...args], { cwd: folder });
  };
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'The sample');
  return folder;
}

/** Also where it is open already, as after a reload: a click on its tab would close it then. */
export async function openSideBar(window: EditorWindow): Promise<void> {
  const { page } = window;
  await window.command('View: Show DevSquad');
  await page.getByRole('heading', { name: 'Agents' }).waitFor();
  // Away from what would show a tooltip over the views.
  await page.mouse.move(700, 450);
}

/** Picks the entry that `text` leads to in the list whose title or hint has the text `list`. */
export async function pick({ page }: EditorWindow, list: string, text: string): Promise<void> {
  const widget = page.locator('.quick-input-widget').filter({ hasText: list });
  const input = widget.locator('input').first();
  await widget.waitFor();
  await input.fill(text);
  await widget
    .locator('.monaco-list-row')
    .filter({ hasText: new RegExp(text, 'i') })
    .first()
    .waitFor();
  await input.press('Enter');
}

/** Answers the input box that asks `question`. */
export async function answerInput({ page }: EditorWindow, question: string, text: string): Promise<void> {
  const widget = page.locator('.quick-input-widget').filter({ hasText: question });
  const input = widget.locator('input').first();
  await widget.waitFor();
  await input.fill(text);
  await input.press('Enter');
}

/** Clicks a button of the modal dialog on screen, and answers what the dialog said; its picture is taken where `picture` names one. */
export async function clickInDialog(window: EditorWindow, button: string, picture?: string): Promise<string> {
  const { page } = window;
  const dialog = page.locator('.monaco-dialog-box');
  await dialog.waitFor();
  const said = await dialog.innerText();
  if (picture !== undefined) {
    await window.screenshot(picture);
  }
  // This dialog alone: the next one may be up before anybody could have seen none.
  const element = await dialog.elementHandle();
  await dialog.getByRole('button', { name: button, exact: true }).click();
  await element.waitForElementState('hidden');
  return said;
}

/** Opens a link as if it had been clicked outside VS Code. */
export async function openLink(window: EditorWindow, link: string): Promise<void> {
  await window.command('Developer: Open URL');
  await answerInput(window, 'URL to open', link);
}

export function notification({ page }: EditorWindow, text: string | RegExp): Locator {
  return page.locator('.notifications-toasts .notification-list-item').filter({ hasText: text });
}

/** Clicks a button of a notification, once the picture of it is taken where `picture` names one. */
export async function clickInNotification(
  window: EditorWindow,
  text: string | RegExp,
  button: string,
  picture?: string,
): Promise<void> {
  const found = notification(window, text).getByRole('button', { name: button });
  // It comes in slowly.
  await found.click({ trial: true });
  if (picture !== undefined) {
    await window.screenshot(picture);
  }
  await found.click();
}

export function treeItem({ page }: EditorWindow, name: string | RegExp): Locator {
  return page.getByRole('treeitem', { name });
}

export function statusBar({ page }: EditorWindow, text: string | RegExp): Locator {
  return page.locator('.statusbar-item').filter({ hasText: text }).first();
}

/** The squad's own folder, once there is one. */
export function squadFolder(editor: Editor): string | undefined {
  const squads = path.join(editor.globalStorageFolder(), 'squads');
  const [folder] = existsSync(squads) ? readdirSync(squads) : [];
  return folder === undefined ? undefined : path.join(squads, folder);
}

/** The runs as the squad's journal on disk tells them, oldest first. */
export async function runsOf(editor: Editor): Promise<RunView[]> {
  const folder = squadFolder(editor);
  return folder === undefined ? [] : Object.values(stateOf(await readJournal(folder)).runs);
}

export async function lastRun(editor: Editor): Promise<RunView | undefined> {
  return (await runsOf(editor)).at(-1);
}

/** Waits until the newest run is as wanted, and answers it. `count` is how many runs there are. */
export async function runThat(
  editor: Editor,
  isSo: (run: RunView, count: number) => boolean,
  waitMs = 90_000,
): Promise<RunView> {
  let run: RunView | undefined;
  for (const end = performance.now() + waitMs; performance.now() < end;) {
    const runs = await runsOf(editor);
    run = runs.at(-1);
    if (run && isSo(run, runs.length)) {
      return run;
    }
    await editor.page.waitForTimeout(200);
  }
  throw new Error(
    `The run did not get there: ${JSON.stringify({ phase: run?.phase, status: run?.status, reason: run?.reason })}`,
  );
}
