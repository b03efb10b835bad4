import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError, ToolRefusal } from '../../../src/domain/errors.ts';
import type { RunRepository } from '../../../src/workspace/repository.ts';
import {
  AT,
  contents,
  deleteTemporaryFolders,
  git,
  makeExecutable,
  never,
  read,
  repositoryWith,
  runOn,
  temporaryFolder,
  write,
} from './support.ts';

const note = { message: 'task', at: AT };
const lines = (...changed: string[]): string =>
  ['1', '2', '3', '4', '5', '6', '7', '8', '9', ...changed].join('\n') + '\n';

describe("a run's repository", () => {
  afterEach(deleteTemporaryFolders);

  async function seeded(files: Record<string, string>, subfolder = '') {
    const root = join(repositoryWith(files), subfolder);
    const run = runOn(root);
    return { root, run, seed: await run.seed({ at: AT }, never) };
  }

  /** A worktree on `base` with these files written, and its commit. */
  async function task(run: RunRepository, name: string, base: string, files: Record<string, string>) {
    const worktree = await run.addWorktree(name, base, never);
    write(worktree, files);
    return { worktree, ...(await run.commitWorktree(name, base, note, never)) };
  }

  describe('worktrees', () => {
    it('keeps a complete one and makes a half-made one anew', async () => {
      const { run, seed } = await seeded({ a: '1' });
      const path = await run.addWorktree('one', seed.commit, never);
      write(path, { a: '2' });

      assert.equal(await run.addWorktree('one', seed.commit, never), path);
      assert.equal(read(path, 'a'), '2');
      unlinkSync(join(run.folder, 'indexes/worktree-one'));
      write(run.folder, { 'indexes/worktree-one.growing.lock': '', 'indexes/worktree-one.growing': 'half' });
      await run.addWorktree('one', seed.commit, never);
      assert.deepEqual(contents(path), { a: '1' });
    });

    it('are real git worktrees whose commands reach only the private repository', async () => {
      const { root, run, seed } = await seeded({ a: '1' });
      const refs = git(root, 'show-ref');
      const path = await run.addWorktree('one', seed.commit, never);

      assert.equal(git(path, 'status', '--porcelain'), '');
      assert.equal(git(path, 'rev-parse', 'HEAD'), seed.commit);
      assert.equal(git(path, 'remote'), '');
      git(path, 'branch', 'mine');
      git(path, 'config', 'user.email', 'agent@example.com');
      write(path, { a: '2' });
      git(path, 'stash');

      assert.equal(git(root, 'show-ref'), refs);
      assert.doesNotMatch(read(root, '.git/config'), /agent/);
      assert.equal(git(root, 'stash', 'list'), '');
    });

    it('can be removed twice, also with write-protected folders in them', async () => {
      const { run, seed } = await seeded({ a: '1' });
      const path = await run.addWorktree('one', seed.commit, never);
      write(path, { 'cache/x': '1' });
      execFileSync('chmod', ['-R', 'a-w', join(path, 'cache')]);

      await run.removeWorktree('one');
      await run.removeWorktree('one');

      assert.equal(existsSync(path), false);
    });

    it('refuse names that are paths or options', async () => {
      const { run, seed } = await seeded({ a: '1' });
      for (const name of ['', '..', '-x', 'a/b', 'a b']) {
        await assert.rejects(run.addWorktree(name, seed.commit, never), /Not a name/);
      }
      await assert.rejects(run.addWorktree('one', '--force', never), /Not a commit/);
    });
  });

  describe('commits', () => {
    it('hold new, changed and deleted files on the base, without ignored ones', async () => {
      const { run, seed } = await seeded({ '.gitignore': 'out\n', a: '1', gone: '1' });
      const worktree = await run.addWorktree('one', seed.commit, never);
      write(worktree, { a: '2', 'new/b': 'b', out: 'x', '.devsquad-1-1.tmp': 'left by a kill' });
      unlinkSync(join(worktree, 'gone'));

      const { commit } = await run.commitWorktree('one', seed.commit, note, never);

      assert.deepEqual(await run.changes(seed.commit, commit, never), [
        { path: 'a', status: 'modified', added: 1, removed: 1 },
        { path: 'gone', status: 'deleted', added: 0, removed: 1 },
        { path: 'new/b', status: 'added', added: 1, removed: 0 },
      ]);
      assert.equal(git(worktree, 'rev-parse', `${commit}^`), seed.commit);
    });

    it('are the same for the same content, and one commit on the base however often they are made', async () => {
      const { run, seed } = await seeded({ a: '1' });
      const first = await task(run, 'one', seed.commit, { a: '2' });
      const again = await run.commitWorktree('one', seed.commit, note, never);
      const other = await task(run, 'two', seed.commit, { a: '2' });
      const changed = await task(run, 'one', seed.commit, { a: '3' });

      assert.deepEqual(again, { commit: first.commit, tree: first.tree });
      assert.equal(other.commit, first.commit);
      assert.equal(git(changed.worktree, 'rev-parse', `${changed.commit}^`), seed.commit);
    });

    it("do not depend on the agent's own commits, index or .git", async () => {
      const { run, seed } = await seeded({ a: '1', b: '1' });
      const worktree = await run.addWorktree('one', seed.commit, never);
      write(worktree, { a: '2' });
      git(worktree, 'commit', '-q', '-am', 'mine');
      git(worktree, 'update-index', '--assume-unchanged', 'b');
      write(worktree, { b: '2' });
      write(run.folder, { 'indexes/worktree-one.lock': '', 'repository.git/worktrees/worktree-one/index.lock': '' });
      rmSync(join(worktree, '.git'));

      const { commit } = await run.commitWorktree('one', seed.commit, note, never);

      assert.deepEqual(await run.changedPaths(seed.commit, commit, never), ['a', 'b']);
      assert.equal(git(run.folder, '--git-dir=repository.git', 'rev-parse', `${commit}^`), seed.commit);
    });

    it('see a change that keeps size and time', async () => {
      const { run, seed } = await seeded({ a: '1' });
      const worktree = await run.addWorktree('one', seed.commit, never);
      for (const content of ['2', '3', '4', '5']) {
        write(worktree, { a: content });
        const { tree } = await run.commitWorktree('one', seed.commit, note, never);
        assert.equal((await run.showFile(tree, 'a', never))?.toString(), content);
      }
    });

    it('work over an index that was damaged', async () => {
      const { run, seed } = await seeded({ a: '1', b: '1' });
      const worktree = await run.addWorktree('one', seed.commit, never);
      writeFileSync(join(run.folder, 'indexes/worktree-one'), 'no index');
      write(worktree, { a: '2' });

      const { commit } = await run.commitWorktree('one', seed.commit, note, never);

      assert.deepEqual(await run.changedPaths(seed.commit, commit, never), ['a']);
    });

    it('of a workspace in a subfolder hold only the subfolder', async () => {
      const { run, seed } = await seeded({ top: '1', 'app/a': '1' }, 'app');
      const worktree = await run.addWorktree('one', seed.commit, never);
      write(worktree, { a: '2', '../top': '2', '../other': '2' });

      const { commit } = await run.commitWorktree('one', seed.commit, note, never);

      assert.deepEqual(await run.changedPaths(seed.commit, commit, never), ['a']);
      assert.equal(git(worktree, 'diff-tree', '--name-only', '-r', seed.commit, commit), 'app/a');
    });

    it('of a subfolder that was deleted or replaced by a link', async () => {
      const { run, seed } = await seeded({ top: '1', 'app/a': '1' }, 'app');
      const worktree = await run.addWorktree('one', seed.commit, never);
      rmSync(worktree, { recursive: true });

      const { commit } = await run.commitWorktree('one', seed.commit, note, never);
      assert.deepEqual(await run.changedPaths(seed.commit, commit, never), ['a']);

      rmSync(worktree, { recursive: true });
      symlinkSync('/etc', worktree);
      await assert.rejects(run.commitWorktree('one', seed.commit, note, never), ToolRefusal);
    });

    it('refuse a new repository in the worktree, because its files would be lost', async () => {
      const { run, seed } = await seeded({ a: '1' });
      const worktree = await run.addWorktree('one', seed.commit, never);
      mkdirSync(join(worktree, 'inner'));
      repositoryWith({ lost: '1' }, join(worktree, 'inner'));

      await assert.rejects(run.commitWorktree('one', seed.commit, note, never), (error) => {
        assert.ok(error instanceof ToolRefusal);
        assert.match(error.message, /inner.*Delete the \.git folder/);
        return true;
      });
    });

    it('take names that are hard to write', async () => {
      const names = [
        '-dash',
        'with space',
        'quo"te\'s',
        'new\nline',
        'tab\t',
        'ünïcödé',
        ':(glob)*',
        '*',
        'back\\slash',
        ':',
      ];
      const files = Object.fromEntries(names.map((name) => [`${name}/${name}`, 'text']));
      const { run, seed } = await seeded({ a: '1' });

      const { commit } = await task(run, 'one', seed.commit, files);

      const changes = await run.changes(seed.commit, commit, never);
      assert.deepEqual(changes.map(({ path }) => path).sort(), Object.keys(files).sort());
      assert.ok(changes.every(({ added, status }) => added === 1 && status === 'added'));
      assert.deepEqual(
        [...(await run.existingPaths(commit, [...Object.keys(files), 'no'], never))],
        Object.keys(files),
      );
      for (const path of Object.keys(files)) {
        assert.equal((await run.showFile(commit, path, never))?.toString(), 'text');
      }
    });
  });

  describe('differences', () => {
    it('count lines, and tell modes, links, binary files and turned files apart', async () => {
      const { run, seed } = await seeded({ text: lines(), tool: 'x', turned: '1', binary: '\0' });
      const worktree = await run.addWorktree('one', seed.commit, never);
      write(worktree, { text: lines('10', '11').replace('3\n', ''), binary: '\0\0', 'turned.new': '1' });
      makeExecutable(join(worktree, 'tool'));
      unlinkSync(join(worktree, 'turned'));
      write(worktree, { 'turned/inside': '1' });
      symlinkSync('text', join(worktree, 'link'));

      const { tree } = await run.commitWorktree('one', seed.commit, note, never);

      assert.deepEqual(await run.changes(seed.tree, tree, never), [
        { path: 'binary', status: 'modified', added: 0, removed: 0 },
        { path: 'link', status: 'added', added: 1, removed: 0 },
        { path: 'text', status: 'modified', added: 2, removed: 1 },
        { path: 'tool', status: 'modified', added: 0, removed: 0 },
        { path: 'turned', status: 'deleted', added: 0, removed: 1 },
        { path: 'turned.new', status: 'added', added: 1, removed: 0 },
        { path: 'turned/inside', status: 'added', added: 1, removed: 0 },
      ]);
    });

    it('show a file, and nothing where there is none', async () => {
      const { run, seed } = await seeded({ 'a/b': 'text', empty: '' });
      assert.equal((await run.showFile(seed.commit, 'a/b', never))?.toString(), 'text');
      assert.equal((await run.showFile(seed.commit, 'empty', never))?.length, 0);
      for (const path of ['a', 'a/b/c', 'no', 'no\nline', '']) {
        assert.equal(await run.showFile(seed.commit, path, never), undefined);
      }
    });

    it('read many blobs at once', async () => {
      const { root, run, seed } = await seeded({ a: 'first', b: '', c: 'x missing\n' });
      const names = ['a', 'b', 'c'].map((path) => git(root, 'rev-parse', `${seed.tree}:${path}`).trim());
      const blobs = await run.readBlobs([...names, '0'.repeat(40), seed.tree], never);
      assert.deepEqual(
        blobs.map((blob) => blob?.toString()),
        ['first', '', 'x missing\n', undefined, undefined],
      );
    });
  });

  describe('merging', () => {
    it('replays a task on what others integrated, as one commit', async () => {
      const { run, seed } = await seeded({ a: lines(), b: '1' });
      const one = await task(run, 'one', seed.commit, { a: lines().replace('2', 'two') });
      const two = await task(run, 'two', seed.commit, { a: lines('10'), b: '2' });

      const first = await run.mergeTask({ onto: seed.commit, commit: one.commit, ...note }, never);
      assert.ok(first.kind === 'merged');
      assert.equal(first.tree, one.tree);
      const second = await run.mergeTask({ onto: first.commit, commit: two.commit, ...note }, never);
      assert.ok(second.kind === 'merged');

      assert.equal((await run.showFile(second.tree, 'a', never))?.toString(), lines('10').replace('2', 'two'));
      assert.equal(git(run.folder, '--git-dir=repository.git', 'rev-parse', `${second.commit}^@`), first.commit);
      assert.deepEqual(await run.mergeTask({ onto: first.commit, commit: two.commit, ...note }, never), second);
    });

    it('answers with the files in conflict and changes nothing', async () => {
      const { run, seed } = await seeded({ 'app/a': lines(), 'app/gone': '1', top: '1' }, 'app');
      const one = await task(run, 'one', seed.commit, { a: lines().replace('2', 'two') });
      const worktree = await run.addWorktree('two', seed.commit, never);
      write(worktree, { a: lines().replace('2', 'deux'), fine: '1' });
      const two = await run.commitWorktree('two', seed.commit, note, never);

      const outcome = await run.mergeTask({ onto: one.commit, commit: two.commit, ...note }, never);

      assert.ok(outcome.kind === 'conflict');
      assert.deepEqual(outcome.files, ['a']);
      assert.equal(await run.integrationHead(never), seed.commit);
    });

    it('moves the integration branch only from where it is said to be', async () => {
      const { run, seed } = await seeded({ a: '1' });
      const { commit } = await task(run, 'one', seed.commit, { a: '2' });
      const other = await task(run, 'two', seed.commit, { a: '3' });

      assert.equal(await run.advanceIntegration(seed.commit, commit, never), true);
      assert.equal(await run.advanceIntegration(seed.commit, commit, never), true);
      assert.equal(await run.advanceIntegration(seed.commit, other.commit, never), false);
      assert.equal(await run.integrationHead(never), commit);
    });

    it('goes on over a lock that a killed process left', async () => {
      const { run, root, seed } = await seeded({ a: '1' });
      const { commit } = await task(run, 'one', seed.commit, { a: '2' });
      write(run.folder, { 'repository.git/refs/heads/integration.lock': '' });

      const next = runOn(root, run.folder);
      await next.changes(seed.commit, commit, never);

      assert.equal(await next.advanceIntegration(seed.commit, commit, never), true);
    });
  });

  describe('moving a worktree on', () => {
    it('replays its changes, marks conflicts, and keeps ignored files', async () => {
      const { run, seed } = await seeded({ '.gitignore': 'cache\n', a: lines(), b: '1', gone: '1' });
      const one = await task(run, 'one', seed.commit, { a: lines().replace('2', 'two'), b: '2', theirs: '1' });
      const two = await task(run, 'two', seed.commit, { a: lines().replace('2', 'deux'), mine: '1', cache: 'kept' });
      const move = { onto: one.commit, commit: two.commit, at: AT };

      for (const round of [1, 2]) {
        assert.deepEqual(await run.rebaseWorktree('two', move, never), { conflicts: ['a'] }, `round ${round}`);
      }

      const marked = ['<<<<<<< integrated work of the team', 'two', '=======', 'deux', '>>>>>>> your work'].join('\n');
      assert.deepEqual(contents(two.worktree), {
        '.gitignore': 'cache\n',
        a: lines().replace('2', marked),
        b: '2',
        gone: '1',
        theirs: '1',
        mine: '1',
        cache: 'kept',
      });
      assert.equal(git(two.worktree, 'rev-parse', 'HEAD'), one.commit);

      write(two.worktree, { a: 'solved' });
      const solved = await run.commitWorktree('two', one.commit, note, never);
      assert.deepEqual(await run.changedPaths(one.commit, solved.commit, never), ['a', 'mine']);
      const merged = await run.mergeTask({ onto: one.commit, commit: solved.commit, ...note }, never);
      assert.equal(merged.kind, 'merged');
    });

    it('begins anew where the worktree is gone', async () => {
      const { run, seed } = await seeded({ a: '1', b: '1' });
      const one = await task(run, 'one', seed.commit, { a: '2' });
      const two = await task(run, 'two', seed.commit, { b: '2' });
      await run.removeWorktree('two');

      const { conflicts } = await run.rebaseWorktree('two', { onto: one.commit, commit: two.commit, at: AT }, never);

      assert.deepEqual(conflicts, []);
      assert.deepEqual(contents(two.worktree), { a: '2', b: '2' });
    });

    it('reports a file that one side deleted and the other changed', async () => {
      const { run, seed } = await seeded({ a: '1', b: '1' });
      const worktree = await run.addWorktree('one', seed.commit, never);
      unlinkSync(join(worktree, 'a'));
      const one = await run.commitWorktree('one', seed.commit, note, never);
      const two = await task(run, 'two', seed.commit, { a: '2' });

      const { conflicts } = await run.rebaseWorktree('two', { onto: one.commit, commit: two.commit, at: AT }, never);

      assert.deepEqual(conflicts, ['a']);
      assert.deepEqual(contents(two.worktree), { a: '2', b: '1' });
    });
  });

  describe('checkouts', () => {
    it('are exactly the commit, every time anew', async () => {
      const { run, seed } = await seeded({ '.gitignore': 'out\n', 'app/a': '1', top: '1' }, 'app');
      const first = await run.checkout('one', seed.commit, never);
      write(first, { a: '2', out: 'x', extra: 'x' });

      const second = await run.checkout('one', seed.commit, never);

      assert.equal(second, first);
      assert.deepEqual(contents(join(second, '..')), { '.gitignore': 'out\n', 'app/a': '1', top: '1' });
      await run.removeCheckout('one');
      assert.equal(existsSync(first), false);
    });

    it('tell whether tracked files were changed', async () => {
      const { run, seed } = await seeded({ a: '1', b: '1' });
      const root = await run.checkout('one', seed.commit, never);

      write(root, { coverage: 'new' });
      assert.equal(await run.treeOfCheckout('one', never), seed.tree);
      write(root, { a: '2' });
      assert.notEqual(await run.treeOfCheckout('one', never), seed.tree);
      write(root, { a: '1' });
      unlinkSync(join(root, 'b'));
      assert.notEqual(await run.treeOfCheckout('one', never), seed.tree);
    });

    it('can stand beside a worktree of the same name', async () => {
      const { run, seed } = await seeded({ a: '1' });
      const { worktree, commit } = await task(run, 'one', seed.commit, { a: '2' });
      const checkout = await run.checkout('one', seed.commit, never);

      assert.equal(git(worktree, 'rev-parse', 'HEAD'), seed.commit);
      assert.equal(git(checkout, 'status', '--porcelain'), '');
      await run.removeCheckout('one');
      assert.equal((await run.commitWorktree('one', seed.commit, note, never)).commit, commit);
    });
  });

  it('tells a lost repository from a working one', async () => {
    const run = runOn(temporaryFolder());
    await assert.rejects(run.changes('0'.repeat(40), '1'.repeat(40), never), StorageError);
  });

  it('is gone after it was removed', async () => {
    const { run, seed } = await seeded({ a: '1' });
    await run.addWorktree('one', seed.commit, never);
    await run.remove();
    await run.remove();
    assert.equal(existsSync(run.folder), false);
  });
});
