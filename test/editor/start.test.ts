import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../../scripts/findProgram.ts';
import { projectFolder } from '../../scripts/project.ts';

describe('npm start', () => {
  let started: ChildProcess;

  afterEach(async () => {
    // npm hands the signal on to nobody, but its own end is noticed.
    const ended = new Promise((resolve) => started.once('exit', resolve));
    started.kill('SIGTERM');
    await ended;
  });

  it('ends with a VS Code that shows the side bar over a fresh sample workspace', async () => {
    started = spawn('npm', ['start'], {
      cwd: projectFolder,
      env: { ...process.env, DEVSQUAD_START: 'served' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const browser = await chromium.launch({ executablePath: findChromium()!, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      await page.goto(await addressOf(started));
      await page.getByRole('tab', { name: 'DevSquad' }).first().click({ timeout: 60_000 });
      await page.getByRole('button', { name: 'Start a Run…' }).first().waitFor();
      mkdirSync(path.join(projectFolder, 'test-results/screenshots'), { recursive: true });
      await page.screenshot({ path: path.join(projectFolder, 'test-results/screenshots/start.png') });
      assert.match(await page.title(), /sample-workspace/);
    } finally {
      await browser.close();
    }
  });
});

/** The address that `npm start` prints. Rejects with what it printed when it ends before. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const address = /http:\/\/127\.0\.0\.1:\d+\/\S+/.exec(output)?.[0];
      if (address) {
        resolve(address);
      }
    });
    child.once('exit', () => {
      reject(new Error(`npm start ended: ${output}`));
    });
  });
}
