/** kill -9 at random moments of the rehearsal, then resume: same final tree, no effect twice. */
import assert from 'node:assert/strict';
import type { SquadEvent } from '../../src/domain/events.ts';
import { readJournal } from '../../src/ledger/journalFile.ts';
import { replayRun } from '../../src/replay/replay.ts';
import type { Difference } from '../../src/replay/replayLedger.ts';
import { endOf, Sandbox, type Started } from '../support/headless.ts';

/** A small seeded generator (mulberry32), so that a failing schedule can be played again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lines of `--json` that a whole rehearsal prints, about; kills fall anywhere before the end. */
const LINES = 260;
const MOST_KILLS = 3;

/** One run that is killed up to three times. Answers the final tree; throws with the seed when anything is off. */
export async function killAndResume(seed: number): Promise<string> {
  const random = seeded(seed);
  const sandbox = new Sandbox();
  const replay = `replay with: DEVSQUAD_SEED=${seed} npm run test:scenarios -- --grep killed`;
  try {
    sandbox.commitAll();
    const before = sandbox.fingerprint();
    let started = sandbox.rehearse();
    const kills = 1 + Math.floor(random() * MOST_KILLS);
    for (let kill = 0; kill < kills; kill++) {
      await killAfter(started, 1 + Math.floor((random() * LINES) / kills));
      started = sandbox.start('resume', '--workspace', sandbox.workspace, '--json');
    }
    const finished = await started.finished;
    assert.equal(finished.exitCode, 0, `${replay}\n${finished.stderr}`);
    assert.equal(sandbox.fingerprint(), before, `the workspace was touched; ${replay}`);
    await sandbox.checkTables();
    return await checkLedger(sandbox, replay);
  } finally {
    sandbox.dispose();
  }
}

async function killAfter(started: Started, lines: number): Promise<void> {
  // One that ended before is killed too late, which is a moment like any other.
  await started.printed(lines).catch(() => undefined);
  started.process.kill('SIGKILL');
  await started.finished;
}

/** The difference with what was recorded before it: kills fall where they fall, so the same seed may not show it again. */
function tellDifference(events: readonly SquadEvent[], difference: Difference | undefined): string {
  const before = events
    .filter(({ sequence }) => difference && sequence <= difference.sequence && sequence > difference.sequence - 25)
    .map(({ sequence, type, taskId, actor }) => `${sequence} ${type} ${taskId ?? ''} by ${actor.id}`);
  return `${JSON.stringify(difference)}\n${before.join('\n')}\n`;
}

/** What the journal says happened: each step ended once, each message once, each merge once, nothing reserved. */
async function checkLedger(sandbox: Sandbox, replay: string): Promise<string> {
  const { events, damage } = await readJournal(sandbox.storage());
  assert.deepEqual(damage, [], replay);
  const runId = events.find(({ type }) => type === 'run-started')?.runId ?? '';
  const replayed = await replayRun(events, runId, new AbortController().signal);
  assert.ok(
    replayed.equal,
    `played again it goes another way: ${tellDifference(events, replayed.difference)}; ${replay}`,
  );
  const once = (what: string, ids: string[]): void => {
    assert.equal(new Set(ids).size, ids.length, `${what} twice; ${replay}`);
  };
  once(
    'a tool call ended',
    events.flatMap((event) =>
      event.type === 'tool-call-ended' ? [`${event.taskId ?? ''}.${event.attempt ?? 0}.${event.step}`] : [],
    ),
  );
  once(
    'a message was sent',
    events.flatMap((event) => (event.type === 'message-sent' ? [event.message.id] : [])),
  );
  once(
    'a request was opened',
    events.flatMap((event) => (event.type === 'request-opened' ? [event.request.id] : [])),
  );
  once(
    'a task was proven',
    events.flatMap((event) => (event.type === 'task-proven' ? [event.taskId ?? ''] : [])),
  );
  once(
    'a run ended',
    events.flatMap((event) => (event.type === 'run-ended' ? [event.runId ?? ''] : [])),
  );
  const opened = events.filter(({ type }) => type === 'model-call-started').length;
  const settled = events.filter(({ type }) => type === 'model-call-ended' || type === 'model-call-failed').length;
  assert.equal(settled, opened, `a reservation was left; ${replay}`);
  return endOf({ exitCode: 0, stderr: '', events }).tree;
}
