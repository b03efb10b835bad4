import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { projectFolder } from '../../../scripts/project.ts';
import type { EventType, SquadEvent } from '../../../src/domain/events.ts';
import { openRequests } from '../../../src/domain/requestState.ts';
import type { RunView } from '../../../src/domain/squadState.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { HostModels } from '../../../src/host/models.ts';
import { SquadLedger } from '../../../src/ledger/squadLedger.ts';
import { GitSquadFiles } from '../../../src/services/gitSquadFiles.ts';
import { createSquad, type Squad } from '../../../src/squad.ts';
import { anyOptions } from '../../support/builders.ts';
import { permit } from '../../support/guardrails.ts';
import { noServers, noWeb } from '../../support/nowhere.ts';

/** What must not happen while a run is paused. */
const BEGINNINGS: ReadonlySet<EventType> = new Set<EventType>([
  'model-call-started',
  'tool-call-started',
  'task-delegated',
  'task-started',
]);
/** How long nothing is waited for; without the pause the rehearsal begins a dozen calls in it. */
const QUIET_MS = 1500;

describe('a run that is paused', () => {
  const media = path.join(projectFolder, 'media');
  const models = new HostModels({ media, apiKey: () => Promise.resolve(undefined) });
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  let folder: string;
  let epoch: number;
  let ledger: SquadLedger;
  let squad: Squad;
  let begun: string[];

  beforeEach(async () => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'devsquad-paused-')));
    cpSync(path.join(media, 'sample-workspace'), path.join(folder, 'workspace'), { recursive: true });
    mkdirSync(path.join(folder, 'storage'));
    epoch = 0;
    begun = [];
    await open();
  });
  afterEach(async () => {
    await end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  async function open(): Promise<void> {
    const storage = path.join(folder, 'storage');
    const laterOwner = path.join(storage, `epoch.${++epoch + 1}`);
    ledger = await SquadLedger.open({ storage, epoch, laterOwner, host: 'editor', clock: systemClock });
    const workspaceRoot = path.join(folder, 'workspace');
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
    ledger.onDidAppend((event: SquadEvent) => {
      if (BEGINNINGS.has(event.type) && theRun().paused) {
        begun.push(`${event.sequence} ${event.type}`);
      }
    });
    await squad.runs.open();
  }

  async function end(): Promise<void> {
    await squad.close();
    await ledger.close();
  }

  const theRun = (): RunView => Object.values(ledger.state.runs)[0]!;

  /** Starts the rehearsal and waits until it asks for something of this kind, which stays unanswered. */
  async function startUntil(kind: 'plan' | 'command'): Promise<{ runId: string; requestId: string }> {
    const { name, objective } = await models.rehearsalFor(undefined);
    const approve: ('plan' | 'writes')[] = kind === 'plan' ? [] : ['plan', 'writes'];
    const runId = await squad.runs.start(objective, anyOptions({ model: { door: 'rehearsal', name }, approve }));
    for (;;) {
      const request = openRequests(theRun()).find(({ subject }) => subject.kind === kind);
      if (request) {
        return { runId, requestId: request.id };
      }
      await wait(5);
    }
  }

  it('begins nothing: not the call whose request is answered meanwhile, and not after a restart', async () => {
    const { runId, requestId } = await startUntil('command');

    await squad.runs.pause(runId);
    await squad.inbox.answer(requestId, { kind: 'allow' }, 'editor');
    await wait(QUIET_MS);
    assert.deepEqual(begun, []);

    await end();
    await open();
    assert.deepEqual(squad.runs.resumeInterrupted(), [runId]);
    await wait(QUIET_MS);
    assert.deepEqual(begun, []);
    assert.equal(theRun().paused, true);

    const goesOn = new Promise<void>((resolve) => {
      ledger.onDidAppend(({ type }) => {
        if (type === 'tool-call-started') {
          resolve();
        }
      });
    });
    await squad.runs.resume(runId, 'editor');
    await goesOn;
  });

  it('takes an answer to its plan, and begins no task of it until it goes on', async () => {
    const { runId, requestId } = await startUntil('plan');
    await squad.runs.pause(runId);
    await squad.inbox.answer(requestId, { kind: 'allow' }, 'editor');
    await wait(QUIET_MS);
    assert.deepEqual(begun, []);
    assert.equal(theRun().phase, 'working');

    await squad.runs.resume(runId, 'editor');
    while (!Object.values(theRun().tasks).some(({ phase, key }) => phase === 'working' && key !== 'plan')) {
      await wait(5);
    }
  });

  it('goes on when a person at the terminal resumes all that is unfinished', async () => {
    const { runId } = await startUntil('command');
    await squad.runs.pause(runId);
    await end();
    await open();
    assert.deepEqual(squad.runs.resumeAll('terminal'), [runId]);
    assert.equal(theRun().paused, false);
  });
});
