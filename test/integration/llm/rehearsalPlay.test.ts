/** Plays the shipped rehearsal to its end on real files: what the first run of every new user stands on. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, matchesGlob } from 'node:path';
import { ModelError } from '../../../src/domain/errors.ts';
import type { PlanTask, ProjectPlan } from '../../../src/domain/plan.ts';
import { RehearsalModel } from '../../../src/llm/rehearsalModel.ts';
import { playPlanning, playTask } from '../../support/playTask.ts';
import { copySampleWorkspace, readRehearsals } from '../../support/rehearsals.ts';
import { realClock } from '../../support/realClock.ts';
import { runShell, TinyWorktree } from '../../support/tinyTools.ts';
import { requestFor } from '../../unit/llm/modelContract.ts';

describe('the rehearsal “tags-and-search”', function () {
  let model: RehearsalModel;
  let taskKeys: string[];
  let plan: ProjectPlan;
  let trunk: string;
  let scratch: string;

  before(async () => {
    const [rehearsal] = await readRehearsals();
    model = new RehearsalModel(rehearsal!, { clock: realClock });
    taskKeys = Object.keys(rehearsal!.script);
    trunk = await copySampleWorkspace();
    scratch = await mkdtemp(join(tmpdir(), 'devsquad-play-'));
  });

  after(async () => {
    await rm(trunk, { recursive: true });
    await rm(scratch, { recursive: true });
  });

  it('submits a plan that holds, with two tasks side by side', async () => {
    plan = await playPlanning(model, await TinyWorktree.copyOf(trunk, join(scratch, 'plan')));
    assert.equal(plan.strategy, 'parallel');
    assert.deepEqual(
      plan.tasks.filter((task) => task.dependsOn.length === 0).map((task) => task.role),
      ['coding', 'testing'],
    );
    assert.deepEqual(taskKeys.sort(), ['plan', ...plan.tasks.map((task) => task.key)].sort());
  });

  it('works off the plan: each task is proven, and the first claim of the feature is refused', async () => {
    const refusals: Record<string, string[][]> = {};
    const work = async (task: PlanTask): Promise<TinyWorktree> => {
      const worktree = await TinyWorktree.copyOf(trunk, join(scratch, task.key));
      refusals[task.key] = await playTask(model, task, worktree);
      const outside = [...worktree.written].filter((file) => !task.writes.some((glob) => matchesGlob(file, glob)));
      assert.deepEqual(outside, [], `${task.key} writes what it did not declare`);
      return worktree;
    };
    const [search, errorTests, searchTests, review] = plan.tasks as [PlanTask, PlanTask, PlanTask, PlanTask];

    const sideBySide = await Promise.all([work(search), work(errorTests)]);
    for (const worktree of sideBySide) {
      await worktree.mergeInto(trunk);
    }
    await (await work(searchTests)).mergeInto(trunk);
    const reviewed = await work(review);

    assert.equal(reviewed.written.size, 0);
    assert.equal(refusals['search']?.length, 1);
    assert.equal(refusals['search'][0]?.length, 1, 'one check of three fails, really run');
    assert.match(refusals['search'][0][0]!, /a tag must be found in any letter case/);
    assert.deepEqual([refusals['error-tests'], refusals['search-tests'], refusals['review']], [[], [], []]);
  });

  it('leaves a workspace whose tests are green and more than before', async () => {
    const { exit, output } = await runShell('npm test', trunk);
    assert.equal(exit, 0, output);
    assert.match(output, /pass 26/);
  });

  it('says plainly that it has nothing prepared for another task', async () => {
    const request = requestFor([]);
    const other = { ...request, purpose: { ...request.purpose, taskKey: 'cook' } };
    const asking = model.ask(other, () => undefined, new AbortController().signal);
    await assert.rejects(asking, (error) => error instanceof ModelError && error.message.includes('“cook”'));
  });
});
