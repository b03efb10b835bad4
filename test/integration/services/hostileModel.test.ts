import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { finish, LifeBench } from '../../support/lifeBench.ts';
import { planTask } from '../../support/scriptedRun.ts';

describe('what a model says that makes no sense', () => {
  let bench: LifeBench;
  afterEach(() => bench.dispose());

  /** One task whose model makes these calls and then finishes; answers what they ended with. */
  async function run(...calls: { tool: string; args: object | string }[]): Promise<string[]> {
    bench = new LifeBench({ tasks: [planTask('one')], say: ({ answers }) => calls[answers] ?? finish });
    writeFileSync(path.join(bench.workspace, 'long.txt'), `${'x'.repeat(3000)}\n`);
    await bench.open();
    await bench.start();
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded');
    const ends = bench.of('tool-call-ended').filter(({ taskId }) => taskId?.endsWith('.one'));
    return ends.map(({ outcome, result }) => `${outcome}: ${result}`);
  }

  it('is refused where the arguments are no JSON, or JSON of another shape, and nothing is written', async () => {
    const wrong = [
      'not json',
      '{"path":"made.txt","content":"x"',
      '["made.txt","x"]',
      'null',
      '{"path":"made.txt","content":{"toString":"x"}}',
      '{"path":"made.txt","content":"x","mode":"0777"}',
      '{"__proto__":{"path":"made.txt","content":"x"}}',
    ];
    const results = await run(...wrong.map((args) => ({ tool: 'write_file', args })));
    const ended = results.slice(0, wrong.length);
    assert.ok(
      ended.every((result) => /^refused: The arguments of write_file (?:are not valid JSON|do not fit)/.test(result)),
      ended.join('\n'),
    );
    assert.deepEqual(bench.run().diff?.files, []);
    assert.equal(bench.of('tool-call-started').filter(({ tool }) => tool === 'write_file').length, 0);
  });

  it('is refused where there is no such tool, and told which there are', async () => {
    const names = ['no_such_tool', 'constructor', '__proto__', 'submit_plan', ''];
    const results = await run(...names.map((tool) => ({ tool, args: '{}' })));
    for (const [index, name] of names.entries()) {
      assert.match(results[index] ?? '', new RegExp(`^refused: There is no tool "${name}"\\. You have: read_file, `));
    }
  });

  it('is refused where a message has a type that only the host uses, no priority, or a sender of its own', async () => {
    const message = { to: 'all', type: 'status_update', content: 'Hello' };
    const results = await run(
      { tool: 'send_message', args: { ...message, type: 'unknown' } },
      { tool: 'send_message', args: { ...message, type: 'task_request' } },
      { tool: 'send_message', args: { ...message, priority: 0 } },
      { tool: 'send_message', args: { ...message, priority: 6 } },
      { tool: 'send_message', args: { ...message, sender: { kind: 'person', id: 'you' } } },
      { tool: 'send_message', args: { ...message, senderId: 'planning-1' } },
    );
    assert.ok(
      results.slice(0, 6).every((result) => result.startsWith('refused: The arguments of send_message do not fit')),
      results.join('\n'),
    );
    assert.ok(bench.of('message-sent').every(({ message }) => message.content.kind !== 'text'));
  });

  it('ends soon where a search takes an expression that an engine could chew on for ever', async () => {
    const search = (query: string) => ({ tool: 'search_text', args: { query, isRegex: true } });
    const begun = performance.now();
    const results = await run(
      search('(x+x+)+y'),
      search('(x*)*\\1y'),
      search('((((x{1,200}){1,200}){1,200}){1,200})y'),
      search('^x{3}'),
    );
    assert.ok(performance.now() - begun < 60_000);
    assert.equal(results[0], 'ok: Nothing found.');
    assert.match(results[1] ?? '', /^refused: It refers back to a group/);
    assert.match(results[2] ?? '', /^refused: Its repetitions come to more than 1000/);
    assert.match(results[3] ?? '', /^ok: long\.txt:1:xxx/);
  });

  it('ends soon where a list of files takes a glob that an engine could chew on for ever', async () => {
    const name = 'a'.repeat(200);
    const list = (glob: string) => ({ tool: 'list_files', args: { glob } });
    const begun = performance.now();
    const results = await run(
      { tool: 'write_file', args: { path: name, content: 'x' } },
      list('*a*a*a*a*a*a*b'),
      list('*a*a*b'),
      list('a*a*a*'),
    );
    assert.ok(performance.now() - begun < 60_000);
    assert.match(results[1] ?? '', /^refused: The glob "\*a\*a\*a\*a\*a\*a\*b" has more than 3 \*/);
    assert.equal(results[2], 'ok: No files match.');
    assert.equal(results[3], `ok: ${name}`);
  });
});
