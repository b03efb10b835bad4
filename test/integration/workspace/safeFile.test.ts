import assert from 'node:assert/strict';
import { execFileSync, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ToolRefusal } from '../../../src/domain/errors.ts';
import { SafeFiles } from '../../../src/workspace/safeFile.ts';
import { contents, deleteTemporaryFolders, makeExecutable, read, temporaryFolder, write } from './support.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('safe files', () => {
  afterEach(deleteTemporaryFolders);

  function workspace(files: Record<string, string> = {}): { root: string; outside: string; safe: SafeFiles } {
    const folder = temporaryFolder();
    const [root, outside] = [join(folder, 'worktree'), join(folder, 'outside')];
    mkdirSync(root);
    write(root, files);
    write(outside, { secret: 'secret' });
    return { root, outside, safe: new SafeFiles(root) };
  }

  async function refused(work: Promise<unknown>, message: RegExp): Promise<void> {
    await assert.rejects(work, (error) => {
      assert.ok(error instanceof ToolRefusal, String(error));
      assert.match(error.message, message);
      return true;
    });
  }

  it('reads, writes, lists, moves and deletes inside its root', async () => {
    const { root, safe } = workspace({ 'a/b.txt': 'old' });

    assert.equal((await safe.read('a/b.txt')).bytes.toString(), 'old');
    assert.equal((await safe.read(join(root, 'a/b.txt'))).path, 'a/b.txt');
    assert.deepEqual(await safe.write('a/b.txt', 'new'), {
      path: 'a/b.txt',
      before: sha256('old'),
      after: sha256('new'),
    });
    assert.deepEqual(await safe.write('x/y/z', 'deep'), { path: 'x/y/z', after: sha256('deep') });
    assert.deepEqual(await safe.list('.'), [
      { name: 'a', kind: 'folder' },
      { name: 'x', kind: 'folder' },
    ]);
    assert.deepEqual(await safe.move('x/y/z', 'q/z'), { from: 'x/y/z', to: 'q/z' });
    assert.deepEqual(await safe.delete('a/b.txt'), { path: 'a/b.txt', before: sha256('new') });
    assert.equal(await safe.stat('a/b.txt'), undefined);
    assert.equal((await safe.stat('q/z'))?.size, 4);
    assert.deepEqual(contents(root), { 'q/z': 'deep' });
  });

  it('keeps the mode of a file and leaves no temporary file', async () => {
    const { root, safe } = workspace({ run: '1' });
    makeExecutable(join(root, 'run'));

    await safe.write('run', '2');

    assert.equal(statSync(join(root, 'run')).mode & 0o777, 0o755);
    assert.deepEqual(readdirSync(root), ['run']);
  });

  it('breaks a hard link instead of writing through it', async () => {
    const { root, outside, safe } = workspace();
    linkSync(join(outside, 'secret'), join(root, 'linked'));

    await safe.write('linked', 'mine');

    assert.equal(read(outside, 'secret'), 'secret');
  });

  for (const path of [
    '',
    'a\0b',
    '..',
    '../outside/secret',
    'a/../../outside/secret',
    '/etc/passwd',
    './../worktree2',
  ]) {
    it(`refuses the path ${JSON.stringify(path)}`, async () => {
      const { safe } = workspace({ 'a/b': '1' });
      await refused(safe.read(path), /outside the workspace|NUL/);
      await refused(safe.write(path, 'x'), /outside the workspace|NUL/);
      await refused(safe.delete(path), /outside the workspace|NUL/);
    });
  }

  for (const path of [
    '.git',
    '.git/config',
    'a/.git/hooks/x',
    '.GIT/config',
    '.git./config',
    'GIT~1/x',
    '.g\u200cit/x',
  ]) {
    it(`refuses git's own file ${JSON.stringify(path)}`, async () => {
      const { root, safe } = workspace({ 'a/b': '1' });
      writeFileSync(join(root, '.git'), 'gitdir: elsewhere\n');
      await refused(safe.read(path), /git's own files/);
      await refused(safe.write(path, 'x'), /git's own files/);
      await refused(safe.move('a/b', path), /git's own files/);
    });
  }

  it('hides .git in lists, and refuses it behind a link', async () => {
    const { root, safe } = workspace({ '.git/config': 'x', a: '1' });
    symlinkSync('.git/config', join(root, 'innocent'));

    await refused(safe.read('innocent'), /git's own files/);
    assert.deepEqual(
      (await safe.list('.')).map(({ name }) => name),
      ['a', 'innocent'],
    );
  });

  it('refuses links that lead outside, in every place of a path', async () => {
    const { root, outside, safe } = workspace();
    symlinkSync(outside, join(root, 'folder'));
    symlinkSync(join(outside, 'secret'), join(root, 'file'));
    symlinkSync('folder', join(root, 'twice'));
    symlinkSync(join(outside, 'missing'), join(root, 'dangling'));

    for (const path of ['folder/secret', 'file', 'twice/secret', 'folder/new', 'folder/new/deep']) {
      await refused(safe.read(path), /outside the workspace/);
      await refused(safe.write(path, 'x'), /outside the workspace/);
    }
    await refused(safe.list('folder'), /outside the workspace/);
    await refused(safe.write('dangling', 'x'), /does not exist/);
    await refused(safe.write('dangling/x', 'x'), /does not exist/);
    assert.deepEqual(contents(outside), { secret: 'secret' });
  });

  it('follows links that stay inside, and tells where they lead', async () => {
    const { root, safe } = workspace({ 'real/a': '1' });
    symlinkSync('real', join(root, 'alias'));

    assert.equal(await safe.locate('alias/a'), 'real/a');
    assert.equal((await safe.write('alias/a', '2')).path, 'real/a');
    assert.deepEqual(contents(root), { 'real/a': '2', alias: '-> real' });
  });

  it('deletes a link and not what it points to', async () => {
    const { root, outside, safe } = workspace();
    symlinkSync(join(outside, 'secret'), join(root, 'file'));

    assert.deepEqual(await safe.delete('file'), { path: 'file' });
    assert.deepEqual(contents(outside), { secret: 'secret' });
  });

  it('refuses what is no regular file, without waiting for it', async () => {
    const { root, safe } = workspace({ 'folder/a': '1' });
    execFileSync('mkfifo', [join(root, 'pipe')]);
    symlinkSync('circle', join(root, 'circle'));

    await refused(safe.read('pipe'), /no regular file/);
    await refused(safe.write('pipe', 'x'), /no regular file/);
    await refused(safe.read('folder'), /is a folder/);
    await refused(safe.write('folder', 'x'), /is a folder/);
    await refused(safe.delete('folder'), /is a folder/);
    await refused(safe.read('circle'), /in a circle/);
    await refused(safe.read('.'), /the workspace itself/);
    await refused(safe.read('nothing'), /nothing at "nothing"/);
    await refused(safe.write('folder/a/b', 'x'), /no folder|nothing at/);
    await refused(safe.write('x'.repeat(300), 'x'), /too long/);
  });

  it('keeps its limits', async () => {
    const { root } = workspace({ big: '0123456789' });
    const safe = new SafeFiles(root, { readBytes: 9, writeBytes: 9 });

    await refused(safe.read('big'), /10 bytes; the limit is 9/);
    await refused(safe.write('new', '0123456789'), /the limit is 9/);
  });

  it('does not overwrite by a move', async () => {
    const { root, safe } = workspace({ a: '1', b: '2' });
    await refused(safe.move('a', 'b'), /exists already/);
    assert.deepEqual(contents(root), { a: '1', b: '2' });
  });

  it('takes names that are hard to write', async () => {
    const { root, safe } = workspace();
    const names = [
      '-dash',
      'with space',
      'quo"te\'s',
      'new\nline',
      'ünïcödé',
      ':(glob)*',
      'a\\b',
      '..hidden',
      '.gitignore',
    ];
    for (const name of names) {
      await safe.write(`${name}/${name}`, 'text');
      assert.equal((await safe.read(`${name}/${name}`)).bytes.toString(), 'text');
    }
    assert.equal(Object.keys(contents(root)).length, names.length);
  });

  it('never leaves its root while folders and files are swapped for links under its feet', async function () {
    const { root, outside, safe } = workspace({ 'folder/file': 'inside' });
    write(outside, { file: 'outside' });
    const swapper = fork(join(import.meta.dirname, 'swapper.ts'), [root, outside]);
    await new Promise((resolve) => swapper.once('message', resolve));
    let [worked, refusals] = [0, 0];
    try {
      // Both must have happened for the test to say anything; on a busy machine that may take more rounds.
      for (let round = 0; round < 1500 || (refusals === 0 && round < 30_000); round++) {
        try {
          assert.equal((await safe.read('folder/file')).bytes.toString(), 'inside');
          await safe.write('folder/file', 'inside');
          await safe.write('folder/new/file', 'inside');
          worked++;
        } catch (error) {
          assert.ok(error instanceof ToolRefusal, String(error));
          refusals++;
        }
      }
    } finally {
      swapper.kill('SIGKILL');
    }
    assert.deepEqual(contents(outside), { file: 'outside', secret: 'secret' });
    assert.ok(worked > 0 && refusals > 0, `${worked} worked, ${refusals} refused`);
  });
});
