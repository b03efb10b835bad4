import assert from 'node:assert/strict';
import { join } from 'node:path';
import { HumanError } from '../../../src/domain/errors.ts';
import { deleteBranch, makeBranch } from '../../../src/workspace/resultBranch.ts';
import {
  AT,
  deleteTemporaryFolders,
  fingerprint,
  git,
  never,
  read,
  repositoryWith,
  runOn,
  temporaryFolder,
  write,
} from './support.ts';

describe('a branch of a result', () => {
  afterEach(deleteTemporaryFolders);

  async function prepare(root: string, name = 'squad/result') {
    const repository = runOn(root);
    const seed = await repository.seed({ at: AT }, never);
    write(await repository.addWorktree('one', seed.commit, never), { a: '2', 'new/file': '2' });
    const { tree } = await repository.commitWorktree('one', seed.commit, { message: 'x', at: AT }, never);
    return { root, request: { repository, name, tree, message: 'What the squad did\n', at: AT } };
  }

  /** Everything below `.git` but the objects and the folders of branches. */
  const rest = (root: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(fingerprint(root)).filter(
        ([path]) => !/\.git\/(?:objects(?:\/|$)|refs\/heads(?:$|\/squad))|\.git$/.test(path),
      ),
    );

  it('holds the result on the developer’s commit, and nothing else changes', async () => {
    const { root, request } = await prepare(repositoryWith({ a: '1' }));
    for (const setting of ['fetch.prune=true', 'core.logAllRefUpdates=always', 'protocol.version=0', 'gc.auto=1']) {
      git(root, 'config', ...(setting.split('=') as [string, string]));
    }
    write(root, { '.git/hooks/reference-transaction': '#!/bin/sh\ntouch ran\n', untracked: 'mine' });
    const before = rest(root);

    const { commit } = await makeBranch(request, never);

    assert.deepEqual(rest(root), before);
    assert.equal(git(root, 'rev-parse', 'squad/result'), commit);
    assert.equal(git(root, 'rev-parse', 'squad/result^'), git(root, 'rev-parse', 'main'));
    assert.equal(git(root, 'rev-parse', 'squad/result^{tree}'), request.tree);
    assert.equal(git(root, 'show', 'squad/result:new/file'), '2');
    assert.equal(
      git(root, 'log', '-1', '--format=%an <%ae> %s', 'squad/result'),
      'DevSquad <devsquad@localhost> What the squad did',
    );
    git(root, 'fsck', '--strict');
    assert.deepEqual(await makeBranch(request, never), { commit });

    assert.equal(await deleteBranch({ ...request, commit }, never), 'deleted');
    assert.equal(await deleteBranch({ ...request, commit }, never), 'deleted');
    assert.deepEqual(rest(root), before);
    assert.equal(git(root, 'for-each-ref', '--format=%(refname)'), 'refs/heads/main');
  });

  it('stands on its own: the private repository may go', async () => {
    const { root, request } = await prepare(repositoryWith({ a: '1' }));
    await makeBranch(request, never);
    await request.repository.remove();
    git(root, 'checkout', '-q', 'squad/result');
    assert.equal(read(root, 'a'), '2');
  });

  it('can be made in a shallow clone, a linked worktree and before the first commit', async () => {
    const origin = repositoryWith({ a: '1' });
    git(origin, 'commit', '-q', '--allow-empty', '-m', 'second');
    const shallow = join(temporaryFolder(), 'shallow');
    git(origin, 'clone', '-q', '--depth=1', `file://${origin}`, shallow);
    const linked = join(temporaryFolder(), 'linked');
    git(origin, 'worktree', 'add', '-q', '--detach', linked);
    const unborn = temporaryFolder();
    git(unborn, 'init', '-q');

    for (const root of [shallow, linked, unborn]) {
      const { request } = await prepare(root);
      const { commit } = await makeBranch(request, never);
      assert.equal(git(root, 'rev-parse', 'squad/result'), commit);
    }
  });

  it('refuses names that are taken, also in part, and leaves that branch alone', async () => {
    const { root, request } = await prepare(repositoryWith({ a: '1' }));
    git(root, 'branch', 'taken/deep');
    const before = rest(root);

    for (const name of ['main', 'taken', 'taken/deep', 'main/deep']) {
      await assert.rejects(makeBranch({ ...request, name }, never), /is taken\. Nothing was changed/);
    }
    assert.deepEqual(rest(root), before);
  });

  for (const name of [
    '',
    '-x',
    'HEAD',
    '@',
    'a b',
    'a..b',
    'a.lock',
    '/a',
    'a/',
    'a\nb',
    'a\0b',
    '@{-1}',
    'a*',
    ':x',
    '~',
  ]) {
    it(`refuses the name ${JSON.stringify(name)}`, async () => {
      const { request } = await prepare(repositoryWith({ a: '1' }), name);
      await assert.rejects(makeBranch(request, never), /is no name for a branch/);
    });
  }

  it('is refused where there is no git', async () => {
    const root = temporaryFolder();
    write(root, { a: '1' });
    const { request } = await prepare(root);
    await assert.rejects(
      makeBranch(request, never),
      (error) => error instanceof HumanError && error.message.includes('no git repository'),
    );
  });

  it('is not taken back when it was moved on or stands in a working tree', async () => {
    const { root, request } = await prepare(repositoryWith({ a: '1' }));
    const { commit } = await makeBranch(request, never);

    git(root, 'checkout', '-q', 'squad/result');
    assert.equal(await deleteBranch({ ...request, commit }, never), 'checked-out');
    git(root, 'commit', '-q', '--allow-empty', '-m', 'more');
    assert.equal(await deleteBranch({ ...request, commit }, never), 'moved');
  });
});
