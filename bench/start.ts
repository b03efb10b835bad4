/** What a start of VS Code pays for DevSquad, as VS Code itself measures it, with the packed extension installed. */
import { startEditor } from '../test/support/editorHost.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packExtension } from '../scripts/packExtension.ts';

const ROUNDS = 5;

export async function run(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'start-'));
  const { file, activationBytes } = packExtension(folder);
  const rounds: Activation[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(await measure(file));
  }
  console.log(`| ${ROUNDS} starts | min | median | max | must |`);
  console.log('|---|---|---|---|---|');
  row(
    'load code, ms',
    rounds.map(({ loadMs }) => loadMs),
    '',
  );
  row(
    'activate(), ms',
    rounds.map(({ activateMs }) => activateMs),
    '50',
  );
  console.log(`| minified code on the path, KB | ${Math.round(activationBytes / 1024)} | | | 250 |`);
  rmSync(folder, { recursive: true });
}

interface Activation {
  readonly loadMs: number;
  readonly activateMs: number;
}

/** Reads the row of our extension in “Developer: Startup Performance”. */
async function measure(vsix: string): Promise<Activation> {
  const editor = await startEditor({ extensions: [], vsixFiles: [vsix] });
  try {
    const { page } = editor;
    await page.getByRole('tab', { name: 'DevSquad' }).first().waitFor();
    for (let tries = 0; tries < 20; tries++) {
      await editor.command('Developer: Startup Performance');
      await page.locator('.view-lines').first().waitFor();
      await page.locator('.monaco-editor').first().click();
      await page.keyboard.press('Control+F');
      await page.keyboard.type('vibe-devsquad.devsquad |');
      await page.keyboard.press('Enter');
      await page.waitForTimeout(1_000);
      const text = await page.locator('.view-lines').first().innerText();
      const cells = text
        .split('\n')
        .map((line) =>
          line
            .replaceAll('\u00a0', ' ')
            .split('|')
            .map((cell) => cell.trim()),
        )
        .find((line) => line[1] === 'vibe-devsquad.devsquad');
      // | Extension | Eager | Load Code | Call Activate | Finish Activate | Event | By |
      if (cells && Number(cells[3]) >= 0 && cells[4] !== '') {
        return { loadMs: Number(cells[3]), activateMs: Number(cells[4]) };
      }
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+F4');
    }
    throw new Error('VS Code says nothing about our activation.');
  } finally {
    await editor.stop();
  }
}

function row(name: string, values: readonly number[], must: string): void {
  const sorted = [...values].sort((a, b) => a - b);
  console.log(
    `| ${name} | ${sorted[0] ?? ''} | ${sorted[Math.floor(sorted.length / 2)] ?? ''} | ${sorted.at(-1) ?? ''} | ${must} |`,
  );
}
