import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Git } from '../../../src/workspace/git.ts';
import { Processes } from '../../../src/workspace/processes.ts';
import { GitRunFiles } from '../../../src/workspace/runFiles.ts';
import { AT, contents, deleteTemporaryFolders, never, repositoryWith, runOn, systemClock } from './support.ts';

describe('the files of a run', () => {
  afterEach(deleteTemporaryFolders);

  it('begin a try where the run stands now, also when a crash left a worktree of where it stood before', async () => {
    const repository = runOn(repositoryWith({ 'first.txt': 'first' }));
    const tools = { git: new Git(), processes: new Processes({ clock: systemClock }), isSandboxed: false };
    const files = new GitRunFiles('run-1', repository, tools);
    const { commit: seed } = await files.seed({ at: AT }, never);
    const note = { message: 'Work', at: AT };

    const other = files.task({ id: 'run-1.other', key: 'other', attempt: 1 });
    const { root } = await other.open(seed, false, never);
    writeFileSync(join(root, 'second.txt'), 'second');
    const merged = await other.commit(seed, note, never);

    const task = files.task({ id: 'run-1.one', key: 'one', attempt: 1 });
    // Made, and never told: the host was killed before it could write down where the try began.
    await task.open(seed, false, never);
    const begun = await task.open(merged.commit, false, never);
    assert.deepEqual(contents(begun.root), { 'first.txt': 'first', 'second.txt': 'second' });
    assert.equal((await task.commit(merged.commit, note, never)).tree, merged.tree);

    writeFileSync(join(begun.root, 'third.txt'), 'third');
    const again = await task.open(merged.commit, true, never);
    assert.deepEqual(Object.keys(contents(again.root)), ['first.txt', 'second.txt', 'third.txt']);
  });
});
