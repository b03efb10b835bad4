/** What an MCP server can do to the host that talks to it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { McpClient } from '../../src/integrations/mcpClient.ts';
import { Processes } from '../../src/workspace/processes.ts';
import type { TaskWorkspace } from '../../src/workspace/taskWorkspace.ts';
import { deleteTemporaryFolders, never, systemClock, temporaryFolder } from './workspace/support.ts';

/** `onCall` is what its one tool does, `fields` are further ones of the tool. */
const program = (onCall: string, fields: object = {}): string => `
import { createInterface } from 'node:readline';
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
const tool = { name: 'add', description: 'Adds.', inputSchema: { type: 'object' }, ...${JSON.stringify(fields)} };
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') {
    say({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } } });
  } else if (method === 'tools/list') {
    say({ id, result: { tools: [tool] } });
  } else if (method === 'tools/call') {
    const answer = (result) => say({ id, result });
    ${onCall}
  }
});
`;

describe('an MCP server and its host', () => {
  afterEach(deleteTemporaryFolders);

  async function call(onCall: string, fields: object = {}, variables: Record<string, string> = {}): Promise<string> {
    const root = temporaryFolder();
    writeFileSync(join(root, 'server.mjs'), program(onCall, fields));
    const processes = new Processes({ clock: systemClock });
    const talk: TaskWorkspace['talk'] = (request, toSay, signal) =>
      processes.talk({ ...request, cwd: root, effect: 'served.1' }, toSay, signal);
    // A server sees of its task's workspace where it is.
    const workspace = { root, talk } as TaskWorkspace;
    const client = new McpClient({ ...process.env, ...variables });
    const server = {
      name: 'docs',
      command: process.execPath,
      args: ['server.mjs'],
      env: Object.fromEntries(Object.keys(variables).map((name) => [name, `\${env:${name}}`])),
    };
    const { tools } = await client.list(server, workspace, never);
    const { text } = await client.call({ server, tool: tools[0]!, input: {} }, workspace, never);
    return text;
  }

  it('has no schema of its own for answers made into code', async () => {
    const outputSchema = { type: 'object', properties: { sum: { type: 'string', pattern: '^(a+)+$' } } };
    const answer = `answer({ content: [{ type: 'text', text: '3' }], structuredContent: { sum: 'aaaaaaaaaaaaaaaaaaaa!' } });`;
    assert.equal(await call(answer, { outputSchema }), '3');
  });

  it('is called though it tells a secret where it describes a tool, which is told to nobody', async () => {
    const secret = { DATABASE: 'db-of-the-person' };
    const answer = `answer({ content: [{ type: 'text', text: process.env.DATABASE }] });`;
    assert.equal(await call(answer, { description: `Asks ${secret.DATABASE}.` }, secret), '[DATABASE]');
  });

  it('keeps it with no flood of short lines, nor with what it says beside', async () => {
    const began = Date.now();
    await assert.rejects(
      call(`process.stdout.write('{}\\n'.repeat(2_000_000));`),
      /^ToolRefusal: docs: It said more than the 10000 lines that anybody reads\.$/,
    );
    await assert.rejects(
      call(`setInterval(() => process.stderr.write('e'.repeat(1_000_000)), 1);`),
      /^ToolRefusal: docs: It said more than the 8 MB that anybody reads\.$/,
    );
    assert.ok(Date.now() - began < 20_000);
  });

  it('leaves nothing that its host waits for when it ends in the middle', async () => {
    // Those of a program's end are short.
    const clocks = async (): Promise<number> => {
      await systemClock.sleep(1_000, never);
      return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    };
    const before = await clocks();
    await assert.rejects(call('process.exit(3);'), /It ended before it answered/);
    assert.equal(await clocks(), before);
  });
});
