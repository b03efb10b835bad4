import assert from 'node:assert/strict';
import { allowedHostsSchema, hostEntrySchema } from '../../../src/domain/hosts.ts';
import { parseCommandLine } from '../../../src/node/commandLine.ts';

describe('a host on the list', () => {
  for (const host of ['docs.example.com', '*.example.com', 'xn--bcher-kva.example', 'a-b.c1.example']) {
    it(`may be ${host}`, () => {
      assert.equal(hostEntrySchema.parse(host), host);
    });
  }

  const wrong = [
    '',
    '*',
    '*.',
    '*.com',
    'com',
    'localhost',
    '127.0.0.1',
    '[::1]',
    'https://a.example',
    'a.example/x',
    'a.example:80',
  ];
  for (const host of [
    ...wrong,
    'a..example',
    '-a.example',
    'a.*.example',
    'A.example',
    'a.example\u200b',
    'аpple.example',
    `${'a.'.repeat(200)}b`,
  ]) {
    it(`is not ${JSON.stringify(host).slice(0, 40)}`, () => {
      assert.throws(() => allowedHostsSchema.parse([host]));
    });
  }

  it('is named in the terminal as often as one likes, in letters of any case', () => {
    const run = (...more: string[]) => parseCommandLine(['run', 'Do it', '--workspace', '.', ...more]).allowedHosts;
    assert.deepEqual(run(), []);
    assert.deepEqual(run('--allow-host', 'Docs.Example.com', '--allow-host', '*.example.com'), [
      'docs.example.com',
      '*.example.com',
    ]);
    assert.throws(() => run('--allow-host', 'https://docs.example.com/'), /takes a name such as/);
  });
});
