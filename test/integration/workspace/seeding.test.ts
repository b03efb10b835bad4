import assert from 'node:assert/strict';
import { utimesSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { HumanError } from '../../../src/domain/errors.ts';
import { Git } from '../../../src/workspace/git.ts';
import { RunRepository } from '../../../src/workspace/repository.ts';
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

describe('seeding a run', () => {
  afterEach(deleteTemporaryFolders);

  /** Seeds, checks that nothing of the developer's changed, and answers what a worktree of the seed holds. */
  async function seedUntouched(workspaceRoot: string, watched = workspaceRoot) {
    const before = fingerprint(watched);
    const run = runOn(workspaceRoot);
    const seed = await run.seed({ at: AT }, never);
    assert.deepEqual(fingerprint(watched), before);
    const worktree = await run.addWorktree('one', seed.commit, never);
    assert.deepEqual(fingerprint(watched), before);
    return { run, seed, worktree, files: contents(worktree) };
  }

  it('takes staged, unstaged and untracked work, but not ignored files, and leaves the repository as it was', async () => {
    const root = repositoryWith({ '.gitignore': 'ignored*\n', a: 'a', b: 'b', gone: 'gone', stashed: 'old' });
    write(root, { stashed: 'stashed' });
    git(root, 'stash');
    write(root, { a: 'staged' });
    git(root, 'add', 'a');
    write(root, { a: 'staged and changed', b: 'unstaged', 'new/file': 'untracked', ignored: 'x', 'ignored.d/x': 'x' });
    unlinkSync(join(root, 'gone'));
    symlinkSync('a', join(root, 'link'));
    write(root, { run: '#!/bin/sh\n' });
    makeExecutable(join(root, 'run'));

    const { seed, files } = await seedUntouched(root);

    assert.deepEqual(files, {
      '.gitignore': 'ignored*\n',
      a: 'staged and changed',
      b: 'unstaged',
      'new/file': 'untracked',
      stashed: 'old',
      link: '-> a',
      run: 'x #!/bin/sh\n',
    });
    assert.equal(seed.baseCommit, git(root, 'rev-parse', 'HEAD'));
    assert.equal(seed.prefix, '');
  });

  it('takes a folder without git, without its node_modules', async () => {
    const root = temporaryFolder();
    write(root, { 'src/a.ts': 'a', 'node_modules/x/index.js': 'x', '.DS_Store': 'x' });

    const { seed, files } = await seedUntouched(root);

    assert.deepEqual(files, { 'src/a.ts': 'a' });
    assert.equal(seed.baseCommit, null);
  });

  it('takes an empty folder', async () => {
    const { files } = await seedUntouched(temporaryFolder());
    assert.deepEqual(files, {});
  });

  it('takes a repository without any commit', async () => {
    const root = temporaryFolder();
    git(root, 'init', '-q');
    write(root, { a: 'staged', b: 'not' });
    git(root, 'add', 'a');

    const { seed, files } = await seedUntouched(root);

    assert.deepEqual(files, { a: 'staged', b: 'not' });
    assert.equal(seed.baseCommit, null);
  });

  it('takes the whole repository around a subfolder and works in the subfolder', async () => {
    const root = repositoryWith({ 'top.txt': 'top', 'apps/my app/a': 'a' });
    write(root, { 'apps/my app/b': 'b', 'other/c': 'c' });

    const { run, seed, worktree, files } = await seedUntouched(join(root, 'apps/my app'), root);

    assert.equal(seed.prefix, 'apps/my app/');
    assert.deepEqual(files, { a: 'a', b: 'b' });
    assert.equal(read(worktree, '../../top.txt'), 'top');
    assert.equal(read(worktree, '../../other/c'), 'c');
    assert.equal((await run.showFile(seed.commit, 'b', never))?.toString(), 'b');
  });

  it('takes a subfolder that its repository ignores as a folder without git', async () => {
    const root = repositoryWith({ '.gitignore': 'scratch/\n' });
    write(root, { 'scratch/a': 'a' });

    const { seed, files } = await seedUntouched(join(root, 'scratch'), root);

    assert.deepEqual(files, { a: 'a' });
    assert.equal(seed.baseCommit, null);
  });

  it('takes a detached HEAD', async () => {
    const root = repositoryWith({ a: '1' });
    git(root, 'commit', '-q', '--allow-empty', '-m', 'second');
    git(root, 'checkout', '-q', '--detach', 'HEAD~1');
    write(root, { a: '2' });

    const { seed, files } = await seedUntouched(root);

    assert.deepEqual(files, { a: '2' });
    assert.equal(seed.baseCommit, git(root, 'rev-parse', 'main~1'));
  });

  it('takes a linked worktree of the developer', async () => {
    const root = repositoryWith({ a: '1' });
    const linked = join(temporaryFolder(), 'linked');
    git(root, 'worktree', 'add', '-q', '-b', 'side', linked);
    write(linked, { a: '2', b: 'new' });
    git(linked, 'add', 'b');
    const before = fingerprint(root);

    const { files } = await seedUntouched(linked);

    assert.deepEqual(files, { a: '2', b: 'new' });
    assert.deepEqual(fingerprint(root), before);
  });

  it('takes a repository that borrows objects itself, and a shallow one', async () => {
    const origin = repositoryWith({ a: '1' });
    git(origin, 'commit', '-q', '--allow-empty', '-m', 'second');
    const shared = join(temporaryFolder(), 'shared');
    git(origin, 'clone', '-q', '--shared', origin, shared);
    const shallow = join(temporaryFolder(), 'shallow');
    git(origin, 'clone', '-q', '--depth=1', `file://${origin}`, shallow);

    assert.deepEqual((await seedUntouched(shared)).files, { a: '1' });
    assert.deepEqual((await seedUntouched(shallow)).files, { a: '1' });
  });

  it('keeps bytes as they are, whatever the developer lets git convert', async () => {
    const root = temporaryFolder();
    git(root, 'init', '-q');
    git(root, 'config', 'core.autocrlf', 'true');
    git(root, 'config', 'filter.upper.clean', 'tr -d X');
    git(root, 'config', 'filter.upper.smudge', 'cat');
    const files = {
      '.gitattributes': '*.txt text\r\n*.utf16 working-tree-encoding=UTF-16LE\r\n*.f filter=upper\r\n*.id ident\r\n',
      'crlf.txt': 'one\r\ntwo\r\n',
      'mixed.txt': 'one\ntwo\r\n',
      'wide.utf16': Buffer.from('wide\r\n', 'utf16le').toString('latin1'),
      'filtered.f': 'aXb',
      'stamp.id': '$Id: 0123456789abcdef $',
    };
    write(root, files);
    for (const path of Object.keys(files)) {
      // Old enough that git believes its index without a look at the file.
      utimesSync(join(root, path), 1_700_000_000, 1_700_000_000);
    }
    git(root, 'add', '-A');
    git(root, 'commit', '-q', '-m', 'converted');

    assert.deepEqual((await seedUntouched(root)).files, files);
  });

  it('looks at files that git was told not to look at', async () => {
    const root = repositoryWith({ assumed: '1', skipped: '1', sparse: '1' });
    git(root, 'update-index', '--assume-unchanged', 'assumed');
    git(root, 'update-index', '--skip-worktree', 'skipped', 'sparse');
    write(root, { assumed: '2', skipped: '2' });
    unlinkSync(join(root, 'sparse'));

    assert.deepEqual((await seedUntouched(root)).files, { assumed: '2', skipped: '2', sparse: '1' });
  });

  it('takes a repository whose index cannot be read on its own', async () => {
    const root = repositoryWith({ a: '1', b: '1' });
    git(root, 'update-index', '--split-index');
    write(root, { a: '2' });

    assert.deepEqual((await seedUntouched(root)).files, { a: '2', b: '1' });
  });

  it('honours the ignore rules that stand outside the working tree', async () => {
    const root = repositoryWith({ a: '1' });
    write(root, { '.git/info/exclude': 'private\n', private: 'x', personal: 'x', open: 'x' });
    const personal = join(temporaryFolder(), 'ignore');
    writeFileSync(personal, 'personal\n');
    git(root, 'config', 'core.excludesFile', personal);

    assert.deepEqual((await seedUntouched(root)).files, { a: '1', open: 'x' });
  });

  it('takes names that are hard to write', async () => {
    const names = ['-dash', 'with space', 'quo"te\'s', 'new\nline', 'ünïcödé', ':(glob)*', '*', 'back\\slash', '#hash'];
    const files = Object.fromEntries(names.map((name) => [`${name}/${name}`, 'text']));
    const root = repositoryWith({ a: '1' });
    write(root, files);

    assert.deepEqual((await seedUntouched(root)).files, { a: '1', ...files });
  });

  it('takes nested repositories as links and never fails on one without a commit', async () => {
    const root = repositoryWith({ a: '1' });
    repositoryWith({ inner: '1' }, join(mkdirs(root, 'nested')));
    git(mkdirs(root, "un'born"), 'init', '-q');
    write(root, { "un'born/x": 'x', 'nested/y': 'y' });

    const { files } = await seedUntouched(root);

    assert.deepEqual(files, { a: '1' });
  });

  it('takes a repository in a folder with a hard name', async () => {
    const root = join(temporaryFolder(), '#a "b" \\c\nd');
    mkdirSync(root);
    repositoryWith({ a: '1' }, root);
    await assert.rejects(runOn(root).seed({ at: AT }, never), /line break/);

    const better = join(temporaryFolder(), '#a "b" \\c');
    mkdirSync(better);
    assert.deepEqual((await seedUntouched(repositoryWith({ a: '1' }, better))).files, { a: '1' });
  });

  it('answers with the same seed the second time, also from another process', async () => {
    const root = repositoryWith({ a: '1' });
    const run = runOn(root);
    const first = await run.seed({ at: AT }, never);
    write(root, { a: '2' });

    assert.deepEqual(await run.seed({ at: '2027-01-01T00:00:00.000Z' }, never), first);
    assert.deepEqual(await runOn(root, run.folder).seed({ at: AT }, never), first);
  });

  it('makes the same commit of the same content', async () => {
    const root = repositoryWith({ a: '1' });
    write(root, { b: 'new' });

    assert.deepEqual(await runOn(root).seed({ at: AT }, never), await runOn(root).seed({ at: AT }, never));
  });

  it('begins anew over what a killed process left', async () => {
    const root = repositoryWith({ a: '1' });
    const run = runOn(root);
    write(run.folder, { 'repository.git.building/HEAD': 'half', 'repository.git.building/seed-index.lock': '' });

    const seed = await run.seed({ at: AT }, never);

    assert.equal((await run.showFile(seed.tree, 'a', never))?.toString(), '1');
  });

  it('leaves its own storage out when that stands inside the workspace', async () => {
    const root = repositoryWith({ a: '1' });
    const run = runOn(root, join(root, 'storage/run'));

    const seed = await run.seed({ at: AT }, never);

    assert.deepEqual(contents(await run.addWorktree('one', seed.commit, never)), { a: '1' });
  });

  it('says which file could not be taken, and leaves nothing behind', async () => {
    const root = repositoryWith({ a: '1' });
    const program = join(temporaryFolder(), 'git');
    const failure = `error: open("secret.bin"): Permission denied`;
    writeFileSync(
      program,
      `#!/bin/sh\ncase "$*" in *"add -A"*) echo '${failure}' >&2; exit 128;; esac\nexec git "$@"\n`,
    );
    chmodSync(program, 0o755);
    const run = new RunRepository({
      folder: join(temporaryFolder(), 'r'),
      workspaceRoot: root,
      git: new Git({ program }),
    });

    await assert.rejects(run.seed({ at: AT }, never), (error) => {
      assert.ok(error instanceof HumanError);
      assert.match(error.message, /secret\.bin.*Permission denied.*Nothing was changed/);
      return true;
    });
    assert.deepEqual(fingerprint(run.folder), {});
  });

  it('explains a missing and an old git', async () => {
    const root = temporaryFolder();
    const seedWith = (program: string) =>
      new RunRepository({ folder: join(root, 'run'), workspaceRoot: root, git: new Git({ program }) }).seed(
        { at: AT },
        never,
      );
    const old = join(temporaryFolder(), 'git');
    writeFileSync(old, '#!/bin/sh\necho git version 2.37.4\n');
    chmodSync(old, 0o755);

    await assert.rejects(seedWith('no-such-git'), /no git was found/);
    await assert.rejects(seedWith(old), /git 2\.38 or newer, and this is "git version 2\.37\.4"/);
  });

  it('stops when it is told to', async () => {
    const root = repositoryWith({ a: '1' });
    const run = runOn(root);
    const reason = new Error('enough');

    await assert.rejects(run.seed({ at: AT }, AbortSignal.abort(reason)), reason);
    assert.equal((await run.seed({ at: AT }, never)).prefix, '');
  });
});

function mkdirs(root: string, path: string): string {
  mkdirSync(join(root, path), { recursive: true });
  return join(root, path);
}
