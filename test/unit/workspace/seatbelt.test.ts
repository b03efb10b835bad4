import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Seatbelt } from '../../../src/workspace/seatbelt.ts';
import { readProfile, type ReadProfile } from '../../support/seatbeltReader.ts';

// Nothing here runs in Seatbelt, which only macOS has: a reader of its language says what the rules come to.
describe('a command in Seatbelt, by the rules of its profile', () => {
  let root: string;
  let home: string;
  let storage: string;
  let worktree: string;
  let repository: string;
  let ends: (() => Promise<void>)[];

  beforeEach(() => {
    root = realpathSync(mkdtempSync(path.join(tmpdir(), 'seatbelt-')));
    ends = [];
    buildBelow(root);
  });

  afterEach(async () => {
    await Promise.all(ends.map((end) => end()));
    rmSync(root, { recursive: true });
  });

  function buildBelow(folder: string): void {
    home = path.join(folder, 'Users/me');
    storage = path.join(home, 'Library/Application Support/Code/devsquad');
    worktree = path.join(storage, 'runs/one/worktrees/a');
    repository = path.join(storage, 'runs/one/repository.git');
    for (const each of [
      worktree,
      repository,
      path.join(home, '.ssh'),
      path.join(home, 'work'),
      path.join(home, '.nvm'),
    ]) {
      mkdirSync(each, { recursive: true });
    }
    mkdirSync(path.join(root, 'T'), { recursive: true });
  }

  async function wrapped(network = false): Promise<{ profile: ReadProfile; argv: readonly string[]; own: string }> {
    const seatbelt = new Seatbelt({
      home,
      temporary: path.join(root, 'T'),
      hidden: [storage, path.join(home, 'work/squad')],
    });
    const { commandLine, end } = await seatbelt.wrap(['bash', '-c', 'true'], worktree, {
      writable: worktree,
      readable: [repository],
      network,
    });
    ends.push(end);
    const own = commandLine.find((word) => word.startsWith('TMPDIR='))?.slice('TMPDIR='.length) ?? '';
    return { profile: readProfile(commandLine), argv: commandLine, own: path.dirname(own) };
  }

  it('changes its own folder and the one made for it, and nothing else', async () => {
    const { profile, own } = await wrapped();
    for (const place of [`${worktree}/a/b.txt`, `${own}/tmp/x`, `${own}/home/.npm/x`, '/dev/null']) {
      assert.ok(profile.allows('file-write-create', place), place);
    }
    const others = [
      '/',
      '/etc/hosts',
      home,
      `${home}/work/x`,
      repository,
      `${repository}/config`,
      storage,
      `${worktree}x/y`,
    ];
    for (const place of [
      ...others,
      `${root}/T/x`,
      '/private/tmp/x',
      '/dev/ttys001',
      '/dev/disk0',
      path.dirname(worktree),
    ]) {
      assert.ok(!profile.allows('file-write-create', place), place);
      assert.ok(!profile.allows('file-write-unlink', place), place);
    }
  });

  it('leaves its .git as it is, also by moving what it lies in away and back', async () => {
    const { profile, own } = await wrapped();
    for (const place of [`${worktree}/.git`, `${worktree}/.git/hooks/pre-commit`]) {
      assert.ok(!profile.allows('file-write-data', place), place);
      assert.ok(!profile.allows('file-write-unlink', place), place);
      assert.ok(profile.allows('file-read-data', place), place);
    }
    assert.ok(!profile.allows('file-write-unlink', worktree));
    assert.ok(!profile.allows('file-write-unlink', own));
    assert.ok(profile.allows('file-write-unlink', `${worktree}/.gitignore`));
  });

  it('reads the system, what is installed, the person’s own files and what git keeps', async () => {
    const { profile } = await wrapped();
    const seen = ['/usr/lib/dyld', '/opt/homebrew/bin/node', '/private/etc/hosts', `${home}/work/notes.md`];
    for (const place of [...seen, `${home}/.nvm/versions/node`, `${repository}/HEAD`, `${worktree}/file`]) {
      assert.ok(profile.allows('file-read-data', place), place);
    }
  });

  it('reads no settings, keys or sockets of the person, nothing of the squad and nothing others left for a while', async () => {
    const { profile } = await wrapped();
    const settings = [
      home,
      `${home}/.ssh/id_ed25519`,
      `${home}/.npmrc`,
      `${home}/.config/gh/hosts.yml`,
      `${home}/.cargo/credentials`,
    ];
    const library = [`${home}/Library/Keychains/login.keychain-db`, `${home}/Library/Cookies/x`, `${home}/Library`];
    const squad = [
      storage,
      `${storage}/journal`,
      `${storage}/runs/one/worktrees/b/file`,
      `${home}/work/squad/journal`,
      path.dirname(worktree),
    ];
    const others = [
      '/private/tmp/x',
      '/private/var/folders/ab/cd/T/x',
      '/private/var/tmp/x',
      `${root}/T/other/x`,
      '/dev/ttys001',
    ];
    for (const place of [...settings, ...library, ...squad, ...others]) {
      assert.ok(!profile.allows('file-read-data', place), place);
      assert.ok(!profile.allows('file-read-data', `/System/Volumes/Data${place}`) || place.startsWith('/dev'), place);
      assert.ok(!profile.allows('file-read-metadata', place), place);
    }
    // Whoever resolves a path looks at the folders on it.
    assert.ok(profile.allows('file-read-metadata', home, 'DIRECTORY'));
    assert.ok(!profile.allows('file-read-data', home, 'DIRECTORY'));
  });

  it('is shown no hidden folder by a link in the home folder', async () => {
    symlinkSync(path.join(home, '.ssh'), path.join(home, 'keys'));
    const { profile } = await wrapped();
    assert.ok(!profile.allows('file-read-data', `${home}/.ssh/id_ed25519`));
  });

  it('knows places by the names of the kernel, however they are named', async () => {
    symlinkSync(path.join(root, 'Users'), path.join(root, 'linked'));
    const plain = { home, storage };
    [home, storage, worktree, repository] = [home, storage, worktree, repository].map((place) =>
      place.replace('/Users/', '/linked/'),
    ) as [string, string, string, string];
    const { profile } = await wrapped();
    assert.ok(!profile.allows('file-read-data', `${plain.home}/.ssh/id_ed25519`));
    assert.ok(!profile.allows('file-read-data', `${plain.storage}/journal`));
    assert.ok(profile.allows('file-write-create', `${realpathSync(worktree)}/file`));
  });

  const NETWORK = ['network-outbound', 'network-inbound', 'network-bind'];
  it('reaches no network and no service of others but by its own sockets, unless the network is granted', async () => {
    const { profile, own } = await wrapped();
    for (const operation of NETWORK) {
      assert.deepEqual(
        profile.filtersOf(operation).filter((filter) => !filter.includes('unix-socket')),
        [],
        operation,
      );
    }
    assert.ok(profile.allowsSocket(`${worktree}/server.sock`) && profile.allowsSocket(`${own}/tmp/server.sock`));
    for (const socket of [
      '/private/var/run/docker.sock',
      '/private/var/run/mDNSResponder',
      `${home}/.ssh/agent`,
      `${storage}/s`,
    ]) {
      assert.ok(!profile.allowsSocket(socket), socket);
    }
    assert.ok(!profile.text.includes('SystemConfiguration') && !profile.text.includes('trustd'));

    const granted = (await wrapped(true)).profile;
    for (const operation of NETWORK) {
      assert.ok(
        granted.filtersOf(operation).some((filter) => filter.includes('"*:*"')),
        operation,
      );
    }
    assert.ok(granted.allows('network-outbound', '/private/var/run/mDNSResponder'));
    assert.ok(!granted.allowsSocket('/private/var/run/docker.sock'));
  });

  it('signals and looks at none but its own processes, and has nobody act for it outside', async () => {
    const { profile } = await wrapped(true);
    assert.equal(profile.text.split('\n')[1], '(deny default)');
    assert.deepEqual(profile.filtersOf('signal'), ['(target same-sandbox)']);
    assert.deepEqual(profile.filtersOf('process-info*'), ['(target same-sandbox)']);
    assert.doesNotMatch(
      profile.text,
      /SecurityServer|securityd|launchservices|appleevent|lsopen|procargs|job-creation/,
    );
    for (const operation of ['mach-lookup', 'sysctl-read', 'file-write*', 'file-ioctl', 'network-outbound']) {
      assert.ok(!profile.filtersOf(operation).includes(''), `${operation} without a filter holds for everything`);
    }
  });

  const NAMES = [
    ['a quote and brackets', 'a") (allow file-write* (subpath "/'],
    ['a backslash', 'a\\" b\\\\'],
    ['a new line', 'a\n(allow default)\n'],
    ['an equals sign', 'a=b=c'],
    ['a comment', 'a;#|x|# $(touch y) `z`'],
    ['the form of a parameter', '(param "PLACE_0")'],
    ['other scripts', 'Übung 你好 \u202Egnp'],
  ] as const;
  for (const [what, name] of NAMES) {
    it(`has the same rules where a folder is named with ${what}`, async () => {
      const usual = (await wrapped()).profile;
      buildBelow(path.join(root, name.replaceAll('/', ':')));
      writeFileSync(path.join(home, '.npmrc'), '');
      const { profile, argv } = await wrapped();
      assert.equal(profile.text, usual.text);
      assert.ok(profile.allows('file-write-create', `${worktree}/file`));
      assert.ok(!profile.allows('file-write-create', '/etc/hosts'));
      assert.ok(!profile.allows('file-read-data', `${home}/.npmrc`));
      assert.deepEqual(argv.slice(-3), ['bash', '-c', 'true']);
    });
  }

  it('is run with a home and temporary folder of its own, which go with it, and finds what is installed', async () => {
    const { argv, own } = await wrapped();
    assert.equal(argv[0], '/usr/bin/sandbox-exec');
    const [program, ...words] = argv.slice(argv.indexOf('/usr/bin/env'));
    assert.equal(program, '/usr/bin/env');
    assert.deepEqual(words, [`HOME=${own}/home`, `TMPDIR=${own}/tmp`, `NVM_DIR=${home}/.nvm`, 'bash', '-c', 'true']);
    assert.ok(existsSync(`${own}/home`) && existsSync(`${own}/tmp`) && path.dirname(own) === `${root}/T`);
    writeFileSync(`${own}/tmp/left`, 'behind');
    await Promise.all(ends.splice(0).map((end) => end()));
    assert.ok(!existsSync(own));
  });
});
