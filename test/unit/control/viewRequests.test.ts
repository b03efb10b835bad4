import assert from 'node:assert/strict';
import { answerView } from '../../../src/control/viewRequests.ts';
import type { ViewCommand } from '../../../src/protocol/messages.ts';
import { logWithWorkingTask } from '../../support/builders.ts';
import { MemoryLedger } from '../../support/memoryLedger.ts';
import { FakeSquad, silentLogger } from '../../support/viewedSquad.ts';

describe('a request of a view', () => {
  it('pauses, resumes, stops and recovers at once', async () => {
    const { ask, squad } = setUp();

    for (const request of [
      { type: 'pause', runId: 'run-1' },
      { type: 'resume', runId: 'run-1' },
      { type: 'emergency-stop' },
      { type: 'recover' },
    ]) {
      assert.equal(await ask(request), undefined);
    }

    assert.deepEqual(squad.asked, ['pause run-1', 'resume run-1', 'stop', 'recover']);
  });

  it('refuses what waits, once', async () => {
    const { ask, squad } = setUp();

    assert.equal(await ask({ type: 'refuse', requestId: 'run-1.r1' }), undefined);

    assert.deepEqual(squad.ledger.state.runs['run-1']?.requests['run-1.r1']?.answer, { kind: 'deny' });
    assert.match((await ask({ type: 'refuse', requestId: 'run-1.r1' })) ?? '', /answered already/);
  });

  it('never allows anything itself: an approval is handed to the command that asks the person', async () => {
    const { ask, squad, executed } = setUp();

    await ask({ type: 'command', command: { command: 'devsquad.answerApproval', args: ['run-1.r1'] } });

    assert.deepEqual(executed, [{ command: 'devsquad.answerApproval', args: ['run-1.r1'] }]);
    assert.equal(squad.ledger.state.runs['run-1']?.requests['run-1.r1']?.answer, undefined);
  });

  const command = (name: string, ...args: unknown[]): object => ({ type: 'command', command: { command: name, args } });
  const hostile: readonly (readonly [what: string, request: unknown])[] = [
    ['nothing', undefined],
    ['a text', 'emergency-stop'],
    ['an unknown type', { type: 'allow', requestId: 'run-1.r1' }],
    ['a type of every object', { type: '__proto__' }],
    ['an answer smuggled along', { type: 'refuse', requestId: 'run-1.r1', answer: { kind: 'allow' } }],
    ['an id that is no text', { type: 'refuse', requestId: { toString: 'run-1.r1' } }],
    ['an id without end', { type: 'pause', runId: 'x'.repeat(100_000) }],
    ['an id of every object', { type: 'pause', runId: 'constructor' }],
    ['a run that is not there', { type: 'resume', runId: 'run-2' }],
    ['another command of ours', command('devsquad.stop')],
    ['a command of the editor', command('workbench.action.terminal.sendSequence', { text: 'rm -rf ~\n' })],
    ['a command with too many arguments', command('devsquad.answerApproval', 'run-1.r1', { kind: 'allow' })],
    ['a command with an argument that is no text', command('devsquad.applyChanges', { id: 'run-1' })],
    ['a command for a run that is not there', command('devsquad.applyChanges', 'run-9')],
    ['a command for a request that is not there', command('devsquad.answerApproval', 'run-1.r9')],
    ['a command beside a command', { type: 'command', command: 'vscode.open', args: ['command:evil'] }],
  ];
  for (const [what, request] of hostile) {
    it(`does nothing and says so when it is ${what}`, async () => {
      const { ask, squad, executed } = setUp();
      const { sequence } = squad.ledger.state;

      assert.match((await ask(request)) ?? '', /\w/);

      assert.deepEqual([squad.asked, executed, squad.ledger.state.sequence], [[], [], sequence]);
    });
  }

  it('says what went wrong when the squad cannot do it, and does not reject', async () => {
    const { ask, squad } = setUp();
    squad.ledger.isOpen = false;

    assert.match((await ask({ type: 'emergency-stop' })) ?? '', /The ledger is closed/);
  });
});

function setUp(): {
  squad: FakeSquad;
  executed: ViewCommand[];
  ask: (value: unknown) => Promise<string | undefined>;
} {
  const log = logWithWorkingTask();
  const subject = { kind: 'command' as const, command: 'npm install', cwd: '.', why: 'It is needed.' };
  log.add({
    type: 'request-opened',
    runId: 'run-1',
    taskId: 'run-1.greet',
    request: { id: 'run-1.r1', runId: 'run-1', taskId: 'run-1.greet', agentId: 'agent-1', subject },
  });
  const squad = new FakeSquad(new MemoryLedger(log));
  const executed: ViewCommand[] = [];
  const context = {
    squad,
    logger: silentLogger,
    showAll: () => undefined,
    execute: (each: ViewCommand) => void executed.push(each),
  };
  return { squad, executed, ask: (value) => answerView(value, context) };
}
