import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { applyChanges, planApply, undoApply } from '../../../src/workspace/applyChanges.ts';
import type { RunRepository } from '../../../src/workspace/repository.ts';
import {
  AT,
  contents,
  deleteTemporaryFolders,
  fingerprint,
  git,
  makeExecutable,
  never,
  read,
  repositoryWith,
  runOn,
  temporaryFolder,
  write,
} from './support.ts';

describe('applying a result', () => {
  afterEach(deleteTemporaryFolders);

  /** A workspace, and the result of a run that `work` changed in a worktree. */
  async function prepare(root: string, work: (worktree: string) => void) {
    const repository = runOn(root);
    const seed = await repository.seed({ at: AT }, never);
    const worktree = await repository.addWorktree('one', seed.commit, never);
    work(worktree);
    const { tree } = await repository.commitWorktree('one', seed.commit, { message: 'x', at: AT }, never);
    return { root, repository, worktree, request: { repository, from: seed.tree, to: tree } };
  }

  it('makes the working tree like the result, and back again', async () => {
    const root = repositoryWith({
      '.gitignore': 'ignored\n',
      a: '1',
      gone: '1',
      'deep/er/gone': '1',
      run: '1',
      text: '1',
    });
    write(root, { a: 'changed before', untracked: '1', ignored: '1' });
    const before = contents(root);
    const { request, worktree } = await prepare(root, (tree) => {
      write(tree, {
        a: '2',
        'new/deep/file': 'new',
        untracked: '2',
        '-dash/new\nline': 'x',
        binary: Buffer.from([0, 255]),
      });
      unlinkSync(join(tree, 'gone'));
      rmSync(join(tree, 'deep'), { recursive: true });
      makeExecutable(join(tree, 'run'));
      symlinkSync('/etc/passwd', join(tree, 'link'));
      rmSync(join(tree, 'text'));
      symlinkSync('a', join(tree, 'text'));
    });
    const dotGit = fingerprint(join(root, '.git'));

    const applied = await applyChanges(request, never);

    assert.equal(applied.kind, 'applied');
    assert.deepEqual(contents(root), { ...contents(worktree), ignored: '1' });
    assert.equal(existsSync(join(root, 'deep')), false);
    assert.deepEqual((await planApply(request, never)).pending, []);
    assert.equal((await undoApply(request, never)).kind, 'applied');
    assert.deepEqual(contents(root), before);
    assert.equal(existsSync(join(root, 'new')), false);
    assert.deepEqual(fingerprint(join(root, '.git')), dotGit);
  });

  it('turns files into folders, folders into files and links, and back again', async () => {
    const root = repositoryWith({ file: '1', 'folder/a': '1', 'folder/b/c': '1', 'tree/x': '1', keep: '1' });
    symlinkSync('keep', join(root, 'link'));
    const before = contents(root);
    const { request, worktree } = await prepare(root, (tree) => {
      for (const path of ['file', 'folder', 'tree', 'link']) {
        rmSync(join(tree, path), { recursive: true });
      }
      write(tree, { 'file/inside/deep': '2', folder: '2', 'link/inside': '2' });
      symlinkSync('keep', join(tree, 'tree'));
    });

    assert.equal((await applyChanges(request, never)).kind, 'applied');
    assert.deepEqual(contents(root), contents(worktree));
    assert.equal((await undoApply(request, never)).kind, 'applied');
    assert.deepEqual(contents(root), before);
  });

  it('keeps permissions, and gives a new program the right to run', async () => {
    const root = repositoryWith({ a: '1', b: '1' });
    chmodSync(join(root, 'a'), 0o600);
    chmodSync(join(root, 'b'), 0o640);
    const { request } = await prepare(root, (tree) => {
      write(tree, { a: '2', tool: '#!/bin/sh' });
      makeExecutable(join(tree, 'b'));
      makeExecutable(join(tree, 'tool'));
    });

    await applyChanges(request, never);

    const modes = ['a', 'b', 'tool'].map((path) => (statSync(join(root, path)).mode & 0o777).toString(8));
    assert.deepEqual(modes, ['600', '750', '755']);
  });

  it('applies in a subfolder of a repository and in a folder without git', async () => {
    const sub = await prepare(join(repositoryWith({ 'app/a': '1', top: '1' }), 'app'), (tree) => {
      write(tree, { a: '2' });
    });
    assert.equal((await applyChanges(sub.request, never)).kind, 'applied');
    assert.deepEqual(contents(join(sub.root, '..')), { 'app/a': '2', top: '1' });

    const plain = temporaryFolder();
    write(plain, { a: '1' });
    const { request } = await prepare(plain, (tree) => {
      write(tree, { a: '2', b: '2' });
    });
    assert.equal((await applyChanges(request, never)).kind, 'applied');
    assert.deepEqual(contents(plain), { a: '2', b: '2' });
  });

  it('applies over files that the developer lets git convert', async () => {
    const root = temporaryFolder();
    git(root, 'init', '-q');
    git(root, 'config', 'core.autocrlf', 'true');
    write(root, { 'a.txt': 'one\r\ntwo\r\n' });
    git(root, 'add', '-A');
    git(root, 'commit', '-q', '-m', 'first');
    const { request } = await prepare(root, (tree) => {
      write(tree, { 'a.txt': `${read(tree, 'a.txt')}three\r\n` });
    });

    assert.equal((await applyChanges(request, never)).kind, 'applied');
    assert.equal(read(root, 'a.txt'), 'one\r\ntwo\r\nthree\r\n');
  });

  describe('writes nothing at all', () => {
    /** Changes the developer's side between the seed and the apply, and expects these conflicts. */
    async function refused(meddle: (root: string, outside: string) => void, conflicts: string[]) {
      const root = repositoryWith({ a: '1', 'folder/b': '1', run: '1', gone: '1', 'turn/x': '1' });
      const outside = temporaryFolder();
      const { request } = await prepare(root, (tree) => {
        write(tree, { a: '2', 'folder/b': '2', 'folder/new': '2', 'other/new': '2', run: '2' });
        unlinkSync(join(tree, 'gone'));
        rmSync(join(tree, 'turn'), { recursive: true });
        write(tree, { turn: '2' });
      });
      meddle(root, outside);
      const [before, beforeOutside] = [fingerprint(root), fingerprint(outside)];

      assert.deepEqual(await applyChanges(request, never), { kind: 'conflict', conflicts, written: [] });

      assert.deepEqual(fingerprint(root), before);
      assert.deepEqual(fingerprint(outside), beforeOutside);
    }

    it('when a file was changed, deleted or made meanwhile', async () => {
      await refused(
        (root) => {
          write(root, { a: 'mine' });
        },
        ['a'],
      );
      await refused(
        (root) => {
          unlinkSync(join(root, 'folder/b'));
        },
        ['folder/b'],
      );
      await refused(
        (root) => {
          write(root, { 'other/new': 'mine', gone: 'mine' });
        },
        ['gone', 'other/new'],
      );
    });

    it('when a mode or a kind was changed', async () => {
      await refused(
        (root) => {
          makeExecutable(join(root, 'run'));
        },
        ['run'],
      );
      await refused(
        (root) => {
          unlinkSync(join(root, 'a'));
          symlinkSync('run', join(root, 'a'));
        },
        ['a'],
      );
      await refused(
        (root) => {
          unlinkSync(join(root, 'a'));
          write(root, { 'a/inside': '1' });
        },
        ['a'],
      );
    });

    it('when a folder became a link, to the outside or not', async () => {
      await refused(
        (root, outside) => {
          renameSync(join(root, 'folder'), join(outside, 'folder'));
          symlinkSync(join(outside, 'folder'), join(root, 'folder'));
        },
        ['folder/b', 'folder/new'],
      );
      await refused(
        (root, outside) => {
          symlinkSync(outside, join(root, 'other'));
        },
        ['other/new'],
      );
      await refused(
        (root) => {
          symlinkSync('folder', join(root, 'other'));
        },
        ['other/new'],
      );
    });

    it('when a folder that must give way holds something new', async () => {
      await refused(
        (root) => {
          write(root, { 'turn/mine': '1' });
        },
        ['turn'],
      );
    });
  });

  it('stops at a file that changes between comparison and write, and can go on or back', async () => {
    const files = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, '1']));
    const { root, repository, request } = await prepare(repositoryWith(files), (tree) => {
      write(tree, { a: '2', b: '2', c: '2' });
    });
    const meddling = Object.create(repository) as RunRepository;
    meddling.readBlobs = (...args) => {
      write(root, { b: 'mine' });
      return repository.readBlobs(...args);
    };

    const outcome = await applyChanges({ ...request, repository: meddling }, never);

    assert.deepEqual(outcome, { kind: 'conflict', conflicts: ['b'], written: ['a'] });
    assert.deepEqual(contents(root), { a: '2', b: 'mine', c: '1' });
    write(root, { b: '1' });
    assert.equal((await applyChanges(request, never)).kind, 'applied');
    assert.deepEqual(contents(root), { a: '2', b: '2', c: '2' });
  });

  it('does not follow a link at the place of a file', async () => {
    const { root, request } = await prepare(repositoryWith({ a: '1' }), (tree) => {
      unlinkSync(join(tree, 'a'));
      symlinkSync('../outside', join(tree, 'a'));
    });

    await applyChanges(request, never);

    assert.equal(readlinkSync(join(root, 'a')), '../outside');
    assert.equal(existsSync(join(root, '../outside')), false);
  });

  it('refuses a change of a submodule', async () => {
    const root = repositoryWith({ a: '1' });
    mkdirSync(join(root, 'sub'));
    repositoryWith({ inner: '1' }, join(root, 'sub'));
    const { request } = await prepare(root, (tree) => {
      rmSync(join(tree, 'sub'), { recursive: true });
    });

    assert.deepEqual((await planApply(request, never)).conflicts, ['sub']);
  });
});
