/** kill -9 while the result is written into the working tree, then resume: every file is as the result has it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readJournal } from '../../src/ledger/journalFile.ts';
import { Sandbox } from '../support/headless.ts';
import { call, finish, inOrder, planTask, serveScene, startScene } from '../support/scriptedRun.ts';
import { seeded } from './killedRun.ts';

/** So many that a kill some milliseconds after the start of *Apply* meets it at work. */
const FILES = 600;
const LONGEST_WAIT_MS = 1000;

/** Answers how many of the files stood in the working tree when the process was killed. */
export async function killDuringApply(seed: number): Promise<number> {
  const replay = `replay with: DEVSQUAD_SEED=${seed} npm run test:scenarios -- --grep Apply`;
  const sandbox = new Sandbox();
  const command = `mkdir made && for i in $(seq ${FILES}); do echo "content $i" > made/file-$i.txt; done; echo changed >> README.md`;
  const lines = { one: inOrder(call('run_command', { command }), finish()) };
  const server = await serveScene({ tasks: [planTask('one')], lines });
  try {
    sandbox.commitAll();
    const readme = readFileSync(path.join(sandbox.workspace, 'README.md'), 'utf8');
    const started = startScene(sandbox, server, '--apply');
    await started.printed('"type":"apply-started"');
    await new Promise((resolve) => setTimeout(resolve, seeded(seed)() * LONGEST_WAIT_MS));
    started.process.kill('SIGKILL');
    await started.finished;
    const written = filesIn(sandbox);

    const resumed = await sandbox.run('resume', '--workspace', sandbox.workspace, '--json');

    assert.equal(resumed.exitCode, 0, `${replay}\n${resumed.stderr}`);
    assert.equal(filesIn(sandbox), FILES, replay);
    for (let file = 1; file <= FILES; file++) {
      const found = readFileSync(path.join(sandbox.workspace, `made/file-${file}.txt`), 'utf8');
      assert.equal(found, `content ${file}\n`, replay);
    }
    assert.equal(readFileSync(path.join(sandbox.workspace, 'README.md'), 'utf8'), `${readme}changed\n`, replay);
    assert.equal(sandbox.git('status', '--short').split('\n').filter(Boolean).length, 2, replay);
    const { events } = await readJournal(sandbox.storage());
    assert.equal(events.filter(({ type }) => type === 'run-ended').length, 1, replay);
    return written;
  } finally {
    await server.close();
    sandbox.dispose();
  }
}

function filesIn(sandbox: Sandbox): number {
  const folder = path.join(sandbox.workspace, 'made');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('file-')).length : 0;
}
