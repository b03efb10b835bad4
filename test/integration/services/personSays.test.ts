import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PERSON_ID } from '../../../src/domain/message.ts';
import { openRequests } from '../../../src/domain/requestState.ts';
import type { RunView } from '../../../src/domain/squadState.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { SquadLedger } from '../../../src/ledger/squadLedger.ts';
import type { LanguageModel } from '../../../src/ports.ts';
import { GitSquadFiles } from '../../../src/services/gitSquadFiles.ts';
import { createSquad, type Squad } from '../../../src/squad.ts';
import { anyOptions } from '../../support/builders.ts';
import { permit } from '../../support/guardrails.ts';
import { noServers, noWeb } from '../../support/nowhere.ts';

/** Plans what it was last told to; everything it was told is kept for the test to look at. */
class PlanningModel implements LanguageModel {
  readonly id = 'test/planner';
  readonly label = 'Planner';
  readonly maxInputTokens = 100_000;
  readonly maxOutputTokens = 1_000;
  readonly told: string[] = [];

  ask({ conversation }: Parameters<LanguageModel['ask']>[0]): ReturnType<LanguageModel['ask']> {
    const said = conversation.flatMap(({ role, text }) => (role === 'assistant' ? [] : [text]));
    this.told.push(said.join('\n'));
    const summary = said.some((text) => text.includes('only the README')) ? 'The README alone.' : 'Everything.';
    const task = {
      key: 'one',
      title: 'One',
      description: 'Do it.',
      role: 'coding',
      type: 'generate-code',
      acceptance: [],
    };
    const plan = { summary, strategy: 'single', why: 'It is small.', tasks: [task] };
    const toolCalls = [{ id: 'call', name: 'submit_plan', argumentsText: JSON.stringify(plan) }];
    return Promise.resolve({ answer: { text: '', toolCalls, finishReason: 'tool-calls' } });
  }

  countTokens(text: string): Promise<number> {
    return Promise.resolve(text.length);
  }
}

describe('what a person says to the team', () => {
  const model = new PlanningModel();
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  let folder: string;
  let ledger: SquadLedger;
  let squad: Squad;

  before(async () => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'devsquad-says-')));
    const [workspaceRoot, storage] = [path.join(folder, 'workspace'), path.join(folder, 'storage')];
    mkdirSync(workspaceRoot);
    mkdirSync(storage);
    writeFileSync(path.join(workspaceRoot, 'README.md'), '# Here\n');
    const laterOwner = path.join(folder, 'epoch.2');
    ledger = await SquadLedger.open({ storage, epoch: 1, laterOwner, host: 'editor', clock: systemClock });
    const models = { select: () => Promise.resolve(model) };
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
  });

  after(async () => {
    await squad.close();
    await ledger.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  it('makes the planning agent revise its plan, and reaches an agent at its next turn', async () => {
    const runId = await squad.runs.start('Change something', anyOptions());
    const run = (): RunView => ledger.state.runs[runId]!;
    const planRequest = async (revision: number): Promise<string> => {
      for (;;) {
        const [request] = openRequests(run());
        if (request && run().planRevision === revision) {
          return request.id;
        }
        await wait(5);
      }
    };
    const first = await planRequest(1);
    assert.equal(run().plan?.summary, 'Everything.');
    await squad.communication.sendMessage({
      id: 'note-1',
      senderId: PERSON_ID,
      receiverId: 'planning-1',
      type: 'coordination',
      content: { kind: 'text', text: 'Mind the licence.' },
      priority: 4,
      timestamp: new Date(),
    });

    await squad.inbox.answer(first, { kind: 'text', text: 'only the README, please' }, 'editor');
    await planRequest(2);

    assert.equal(run().plan?.summary, 'The README alone.');
    assert.match(model.told.at(-1) ?? '', /does not accept the plan yet: only the README, please/);
    assert.match(model.told.at(-1) ?? '', /The developer writes to you:\nMind the licence\./);
    assert.equal(run().messages['note-1']?.status, 'processed');
  });
});
