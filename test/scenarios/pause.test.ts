import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectFolder } from '../../scripts/project.ts';
import type { RunView } from '../../src/domain/squadState.ts';
import { systemClock } from '../../src/host/clock.ts';
import { HostModels } from '../../src/host/models.ts';
import { SquadLedger } from '../../src/ledger/squadLedger.ts';
import { GitSquadFiles } from '../../src/services/gitSquadFiles.ts';
import { createSquad, type Squad } from '../../src/squad.ts';
import { anyOptions } from '../support/builders.ts';
import { permit } from '../support/guardrails.ts';
import { noServers, noWeb } from '../support/nowhere.ts';

const media = path.join(projectFolder, 'media');
const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a run that is paused', () => {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'devsquad-pause-')));
  const workspaceRoot = path.join(folder, 'workspace');
  const storage = path.join(folder, 'storage');
  let epoch = 0;
  let squad: Squad;
  let runId: string;
  let closeLedger: () => Promise<void>;

  const open = async (): Promise<void> => {
    const laterOwner = path.join(folder, `epoch.${++epoch + 1}`);
    const ledger = await SquadLedger.open({ storage, epoch, laterOwner, host: 'terminal', clock: systemClock });
    const models = new HostModels({ media, apiKey: () => Promise.resolve(undefined), rehearsalPauseMs: 1 });
    squad = createSquad({
      permit,
      web: noWeb,
      servers: noServers,
      ledger,
      models,
      clock: systemClock,
      logger,
      files: new GitSquadFiles({ workspaceRoot, storage, clock: systemClock }),
    });
    closeLedger = () => ledger.close();
    await squad.runs.open();
  };
  const close = async (): Promise<void> => {
    await squad.close();
    await closeLedger();
  };
  const run = (): RunView => squad.ledger.state.runs[runId]!;
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      await wait(5);
    }
  };
  /** What begins in that time. */
  const beginsWithin = async (ms: number): Promise<string[]> => {
    const begun: string[] = [];
    const listening = squad.ledger.onDidAppend(({ type }) => {
      if (type === 'model-call-started' || type === 'tool-call-started' || type === 'task-started') {
        begun.push(type);
      }
    });
    await wait(ms);
    listening.dispose();
    return begun;
  };

  before(async () => {
    mkdirSync(storage);
    cpSync(path.join(media, 'sample-workspace'), workspaceRoot, { recursive: true });
    await open();
    const options = anyOptions({ model: { door: 'rehearsal' }, approve: ['plan', 'commands', 'writes'] });
    const [objective = ''] = await new HostModels({
      media,
      apiKey: () => Promise.resolve(undefined),
    }).rehearsalObjectives();
    runId = await squad.runs.start(objective, options);
    await until(() => Object.values(run().tasks).some(({ key, steps }) => key === 'search' && steps > 1));
  });

  after(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  it('begins no call and no task until it is resumed, and its time stands still', async () => {
    await squad.runs.pause(runId);
    await squad.runs.pause(runId);
    // What was under way may end first.
    await until(() => {
      const { reservations, tasks } = run();
      return Object.keys(reservations).length + Object.values(tasks).filter(({ openCall }) => openCall).length === 0;
    });
    for (let last = 0; last !== squad.ledger.state.sequence;) {
      last = squad.ledger.state.sequence;
      await wait(1_500);
    }
    const { workedMs } = run().account;
    assert.deepEqual(await beginsWithin(1_000), []);
    assert.equal(run().account.workedMs, workedMs);
  });

  it('stays paused over the end of its host', async () => {
    await close();
    await open();
    assert.deepEqual(squad.runs.resumeInterrupted(), [runId]);
    assert.deepEqual(await beginsWithin(1_000), []);
    assert.equal(run().paused, true);
  });

  it('can be stopped, and goes on when it is resumed, also while it is still being stopped', async () => {
    const stopping = squad.runs.stopAll('terminal');
    const resuming = squad.runs.resume(runId, 'terminal');
    await Promise.all([stopping, resuming]);
    await squad.runs.resume(runId, 'terminal');
    await squad.runs.idle();
    await until(() => run().phase === 'ended');
    assert.equal(run().status, 'succeeded', run().reason);
    assert.equal(run().diff?.files.length, 8);
  });

  it('says that there is nothing to pause or resume when it has ended', async () => {
    await assert.rejects(squad.runs.pause(runId), /has ended/);
    await assert.rejects(squad.runs.resume(runId, 'terminal'), /has ended/);
  });
});
