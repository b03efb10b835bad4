/** How large the extension is: the packed file, and the code that every start of an editor loads. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packExtension } from '../scripts/packExtension.ts';

export function run(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'size-'));
  const { file, activationBytes } = packExtension(folder);
  console.log('| what | KB | must |');
  console.log('|---|---|---|');
  console.log(`| .vsix | ${inKb(statSync(file).size)} | 3,072 |`);
  console.log(`| code loaded at activation, minified | ${inKb(activationBytes)} | 250 |`);
  rmSync(folder, { recursive: true });
  return Promise.resolve();
}

function inKb(bytes: number): string {
  return Math.round(bytes / 1024).toLocaleString('en');
}
