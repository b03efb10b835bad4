import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { HumanError } from '../../../src/domain/errors.ts';
import { RUNTIME, type EventType } from '../../../src/domain/events.ts';
import { readJournal } from '../../../src/ledger/journalFile.ts';
import { anyOptions } from '../../support/builders.ts';
import { ResultBench } from '../../support/endedRun.ts';
import { contents, git, read, repositoryWith, write } from '../workspace/support.ts';

const HOUR_MS = 3_600_000;
const BEFORE = { 'a.txt': 'one\n', 'b.txt': 'two\n', 'gone.txt': 'old\n' };
const AFTER = { 'a.txt': 'ONE\n', 'b.txt': 'TWO\n', 'new/c.txt': 'three\n' };

describe('the result of a run that has ended', () => {
  let bench: ResultBench;
  beforeEach(async () => {
    bench = new ResultBench();
    repositoryWith(BEFORE, bench.workspace);
    await bench.open();
    await bench.endRun((worktree) => {
      write(worktree, AFTER);
      rmSync(path.join(worktree, 'gone.txt'));
    });
  });
  afterEach(() => bench.dispose());

  const files = (): Record<string, string> => contents(bench.workspace);
  const runs = () => bench.squad.runs;
  const refusal = async (action: Promise<unknown>): Promise<string> => {
    const error = await action.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof HumanError, `no HumanError: ${String(error)}`);
    return error.message;
  };
  const typesSoFar = async (): Promise<EventType[]> =>
    (await readJournal(bench.storage)).events.map(({ type }) => type);

  it('is applied and taken back, by the person and through the door that is named', async () => {
    await runs().apply('run-1', 'editor');
    assert.deepEqual(files(), AFTER);
    assert.equal(bench.run()?.outcome.kind, 'applied');

    await runs().undo('run-1', 'terminal');
    assert.deepEqual(files(), BEFORE);
    assert.deepEqual(bench.run()?.outcome, { kind: 'kept' });

    const { events } = await readJournal(bench.storage);
    const started = events.filter(({ type }) => type === 'apply-started' || type === 'apply-undo-started');
    assert.deepEqual(
      started.map((event) => [event.actor.kind, 'door' in event ? event.door : '']),
      [
        ['person', 'editor'],
        ['person', 'terminal'],
      ],
    );
  });

  it('can be applied again after it was taken back', async () => {
    await runs().apply('run-1', 'editor');
    await runs().undo('run-1', 'editor');
    await runs().apply('run-1', 'editor');
    assert.deepEqual(files(), AFTER);
  });

  it('is not put over a file that was changed meanwhile; nothing is written, and the sentence names it', async () => {
    write(bench.workspace, { 'b.txt': 'mine\n' });
    assert.match(await refusal(runs().apply('run-1', 'editor')), /nothing was written: b\.txt\. The result is kept\./);
    assert.deepEqual(files(), { ...BEFORE, 'b.txt': 'mine\n' });
    assert.ok(!(await typesSoFar()).includes('apply-started'));
  });

  it('is not taken out of a file that was changed since; nothing is taken back', async () => {
    await runs().apply('run-1', 'editor');
    write(bench.workspace, { 'new/c.txt': 'mine\n' });
    assert.match(await refusal(runs().undo('run-1', 'editor')), /nothing was taken back: new\/c\.txt/);
    assert.deepEqual(files(), { ...AFTER, 'new/c.txt': 'mine\n' });
    assert.equal(bench.run()?.outcome.kind, 'applied');
  });

  it('becomes a branch and is taken back, unless the branch was moved or is checked out', async () => {
    await runs().branch('run-1', 'squad/greet', 'editor');
    assert.equal(git(bench.workspace, 'show', 'squad/greet:new/c.txt'), 'three');
    assert.deepEqual(files(), BEFORE);

    git(bench.workspace, 'checkout', '-q', 'squad/greet');
    assert.match(await refusal(runs().undo('run-1', 'editor')), /checked out/);
    git(bench.workspace, 'commit', '-q', '--allow-empty', '-m', 'mine');
    git(bench.workspace, 'checkout', '-q', 'main');
    assert.match(await refusal(runs().undo('run-1', 'editor')), /was moved/);
    git(bench.workspace, 'branch', '-f', 'squad/greet', 'squad/greet~1');
    await runs().undo('run-1', 'editor');

    assert.equal(git(bench.workspace, 'branch', '--list', 'squad/*'), '');
    assert.match(await refusal(runs().branch('run-1', 'main', 'editor')), /taken/);
    assert.match(await refusal(runs().branch('run-1', '-x', 'editor')), /no name for a branch/);
  });

  it('goes to the trash and comes back', async () => {
    await runs().discard('run-1', 'editor');
    assert.ok(!bench.isThere('runs/run-1'));
    assert.ok(bench.isThere('trash/run-1'));
    assert.match(await refusal(runs().fileAt('run-1', 'after', 'a.txt')), /in the trash/);
    assert.match(await refusal(runs().apply('run-1', 'editor')), /was discarded/);

    await runs().undo('run-1', 'editor');
    await runs().apply('run-1', 'editor');
    assert.deepEqual(files(), AFTER);
  });

  it('shows each file before and after, and nothing outside the two trees', async () => {
    const text = async (side: 'before' | 'after', file: string): Promise<string | undefined> => {
      const bytes = await runs().fileAt('run-1', side, file);
      return bytes && Buffer.from(bytes).toString();
    };
    assert.equal(await text('before', 'a.txt'), 'one\n');
    assert.equal(await text('after', 'a.txt'), 'ONE\n');
    assert.equal(await text('after', 'gone.txt'), undefined);
    assert.equal(await text('before', 'new/c.txt'), undefined);
    for (const hostile of ['', '.', '../workspace/a.txt', './a.txt', 'new', 'new/', 'a.txt\0', 'a\nb', '/etc/passwd']) {
      assert.equal(await text('after', hostile), undefined, JSON.stringify(hostile));
    }
  });

  it('says what is wrong in a sentence that also says what to do', async () => {
    bench.ledger.append({
      type: 'run-started',
      runId: 'run-2',
      actor: RUNTIME,
      objective: 'Still at it',
      options: anyOptions(),
    });
    await bench.endRun(() => undefined, 'run-3');
    assert.match(await refusal(runs().apply('run-9', 'editor')), /no run run-9/);
    assert.match(await refusal(runs().apply('run-2', 'editor')), /not ended yet/);
    assert.match(await refusal(runs().discard('run-2', 'editor')), /not ended yet/);
    assert.match(await refusal(runs().apply('run-3', 'editor')), /changes no file/);
    assert.match(await refusal(runs().undo('run-1', 'editor')), /nothing to take back/);
    await runs().apply('run-1', 'editor');
    assert.match(await refusal(runs().apply('run-1', 'editor')), /already.*Undo/);
    assert.match(await refusal(runs().branch('run-1', 'x', 'editor')), /already.*Undo/);
    assert.match(await refusal(runs().discard('run-1', 'editor')), /already.*Undo/);
  });

  it('is decided about once when a button is clicked twice', async () => {
    const [first, second] = await Promise.allSettled([
      runs().apply('run-1', 'editor'),
      runs().discard('run-1', 'editor'),
    ]);
    assert.equal(first.status, 'fulfilled');
    assert.match(second.status === 'rejected' ? String(second.reason) : '', /right now/);
    assert.deepEqual(files(), AFTER);
  });

  it('lets two runs that change the same files take turns, the second one seeing what the first one wrote', async () => {
    await bench.endRun((worktree) => {
      write(worktree, { 'a.txt': 'other\n', 'z.txt': 'z\n' });
    }, 'run-2');
    const [first, second] = await Promise.allSettled([
      runs().apply('run-1', 'editor'),
      runs().apply('run-2', 'editor'),
    ]);
    assert.equal(first.status, 'fulfilled');
    assert.match(second.status === 'rejected' ? String(second.reason) : '', /nothing was written: a\.txt/);
    assert.deepEqual(files(), AFTER);
  });

  it('is not lost when its private repository is: what happened is said', async () => {
    rmSync(path.join(bench.storage, 'runs/run-1/repository.git/objects'), { recursive: true });
    assert.match(await refusal(runs().apply('run-1', 'editor')), /did not work|missing/);
    assert.deepEqual(files(), BEFORE);
  });

  describe('after the hour of undo', () => {
    const settled = async (gone: () => boolean): Promise<void> => {
      for (let look = 0; look < 500 && !gone(); look++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.ok(gone(), 'nothing was settled');
    };

    it('leaves nothing of a discarded run', async () => {
      await runs().discard('run-1', 'editor');
      bench.clock.advance(HOUR_MS - 1);
      await bench.ledger.flushed();
      assert.ok(bench.isThere('trash/run-1'));
      bench.clock.advance(1);
      await settled(() => bench.run() === undefined);
      assert.ok(!bench.isThere('trash/run-1') && !bench.isThere('runs/run-1'));
      assert.match(await refusal(runs().undo('run-1', 'editor')), /more than an hour/);
    });

    it('keeps what was applied, and the run in the list, without its private folder', async () => {
      await runs().apply('run-1', 'editor');
      bench.clock.advance(HOUR_MS);
      await settled(() => bench.run()?.settled === true && !bench.isThere('runs/run-1'));
      assert.equal(bench.run()?.outcome.kind, 'applied');
      assert.match(await refusal(runs().undo('run-1', 'editor')), /hour .* is over/);
      assert.match(await refusal(runs().fileAt('run-1', 'after', 'a.txt')), /hour .* is over/);
      assert.deepEqual(files(), AFTER);
    });

    it('stays in the list until there are twenty newer runs, and for ever while nobody has decided about it', async () => {
      await bench.endRun((worktree) => {
        write(worktree, { 'z.txt': 'z\n' });
      }, 'run-2');
      await runs().apply('run-1', 'editor');
      bench.clock.advance(HOUR_MS);
      await settled(() => bench.run()?.settled === true);
      const begin = (number: number): void => {
        const run = { runId: `run-${number}`, actor: RUNTIME };
        bench.ledger.append(
          { type: 'run-started', ...run, objective: 'Fail', options: anyOptions() },
          { type: 'run-ended', ...run, status: 'failed', usage: { tokens: 1, requests: 1, workedMs: 1 } },
        );
      };
      for (let number = 3; number <= 20; number++) {
        begin(number);
      }
      await bench.ledger.flushed();
      assert.ok(bench.run());
      for (let number = 21; number <= 24; number++) {
        begin(number);
      }
      await settled(() => Object.keys(bench.ledger.state.runs).length === 21);
      const left = Object.keys(bench.ledger.state.runs);
      assert.deepEqual(left.slice(0, 3), ['run-2', 'run-5', 'run-6']);
      assert.equal(left.at(-1), 'run-24');
    });

    it('is ended by the next start when nobody was there', async () => {
      await runs().discard('run-1', 'editor');
      await bench.restart(() => {
        bench.clock.advance(5 * HOUR_MS);
      });
      await settled(() => bench.run() === undefined);
      assert.ok(!bench.isThere('trash/run-1'));
    });

    it('does not touch a result that is kept or was taken back', async () => {
      await runs().discard('run-1', 'editor');
      await runs().undo('run-1', 'editor');
      await bench.restart(() => {
        bench.clock.advance(5 * HOUR_MS);
      });
      await runs().apply('run-1', 'editor');
      assert.deepEqual(files(), AFTER);
    });
  });

  describe('after a crash', () => {
    const person = { kind: 'person' as const, id: 'you' };

    it('is applied to its end', async () => {
      await bench.ledger.append({ type: 'apply-started', runId: 'run-1', actor: person, door: 'editor', paths: [] })
        .durable;
      await bench.restart(() => {
        write(bench.workspace, { 'a.txt': AFTER['a.txt'] });
      });
      assert.deepEqual(files(), AFTER);
      assert.equal(bench.run()?.outcome.kind, 'applied');
    });

    it('is explained when a file was changed meanwhile, and can be applied once that is put aside', async () => {
      await bench.ledger.append({ type: 'apply-started', runId: 'run-1', actor: person, door: 'editor', paths: [] })
        .durable;
      await bench.restart(() => {
        write(bench.workspace, { 'a.txt': AFTER['a.txt'], 'b.txt': 'mine\n' });
      });
      assert.match(bench.warnings.join('\n'), /after these were written: a\.txt: b\.txt/);
      assert.deepEqual(bench.run()?.outcome, { kind: 'kept' });
      assert.equal(read(bench.workspace, 'b.txt'), 'mine\n');
      write(bench.workspace, { 'b.txt': BEFORE['b.txt'] });
      await runs().apply('run-1', 'editor');
      assert.deepEqual(files(), AFTER);
    });

    it('is taken back to its beginning', async () => {
      await runs().apply('run-1', 'editor');
      await bench.ledger.append({ type: 'apply-undo-started', runId: 'run-1', actor: person, door: 'editor' }).durable;
      await bench.restart(() => {
        write(bench.workspace, { 'a.txt': BEFORE['a.txt'] });
      });
      assert.deepEqual(files(), BEFORE);
      assert.deepEqual(bench.run()?.outcome, { kind: 'kept' });
    });

    it('stands where the ledger says, in the trash or out of it', async () => {
      await bench.ledger.append({ type: 'run-discarded', runId: 'run-1', actor: person, door: 'editor' }).durable;
      await bench.restart();
      assert.ok(bench.isThere('trash/run-1') && !bench.isThere('runs/run-1'));
      await bench.ledger.append({ type: 'discard-undone', runId: 'run-1', actor: person, door: 'editor' }).durable;
      await bench.restart();
      assert.ok(!bench.isThere('trash/run-1') && bench.isThere('runs/run-1'));
    });

    it('has a branch that is made, or taken back, once', async () => {
      await runs().branch('run-1', 'squad/greet', 'editor');
      git(bench.workspace, 'branch', '-D', 'squad/greet');
      await runs().undo('run-1', 'editor');
      assert.deepEqual(bench.run()?.outcome, { kind: 'kept' });
    });

    it('is deleted to its end when the crash came between the hour’s end and the deletion', async () => {
      await runs().discard('run-1', 'editor');
      await bench.ledger.append({ type: 'run-settled', runId: 'run-1', actor: RUNTIME }).durable;
      await bench.restart();
      assert.equal(bench.run(), undefined);
      assert.ok(!bench.isThere('trash/run-1'));
    });

    it('keeps no worktree of a run that has ended', async () => {
      assert.ok(bench.isThere('runs/run-1/worktrees/greet-1'));
      await bench.restart();
      assert.ok(!bench.isThere('runs/run-1/worktrees') && !bench.isThere('runs/run-1/indexes'));
      await runs().apply('run-1', 'editor');
      assert.deepEqual(files(), AFTER);
    });
  });
});
