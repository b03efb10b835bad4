/** The rules as a person reads them: what goes ahead, what asks, what is refused, and who said so. */
import type { RunPolicy } from '../domain/policy.ts';
import { BUILT_IN_POLICY } from './policy.ts';
import { protectedKinds } from './protectedFiles.ts';

export interface PolicyFacts {
  /** What the person and the workspace add to the built-in rules. */
  readonly added: RunPolicy;
  /** Rules that the person saved, in words. */
  readonly rules: readonly string[];
  /** MCP servers that agents may ask to use, as the person lists them. */
  readonly servers: readonly string[];
  /** What the next run is started with allowed, in words of the setting: `plan`, `commands`. */
  readonly approve: readonly string[];
}

/** As Markdown. Texts of the workspace are in code spans, in which nothing of them means anything. */
export function describePolicy({ added, rules, servers, approve }: PolicyFacts): string {
  const ahead = approve.length === 0 ? 'nothing' : approve.join(', ');
  return [
    '# What agents may do',
    'Each call is judged by what it does: the command as a whole, the file that a path leads to, the address that a name leads to. What is on no list here asks you.',
    '## Goes ahead without a question',
    `Files of the task’s own copy of the workspace are read, and written where the task declared them in the plan.\n\nCommands that only look, with the options and files that DevSquad knows: ${BUILT_IN_POLICY.commands.map(code).join(', ')}.`,
    ...(added.commands.length > 0
      ? [
          `Yours (\`devsquad.allowedCommands\`), as they stand here and with nothing behind them:\n${list(added.commands)}`,
        ]
      : []),
    ...(added.hosts.length > 0 ? [`Pages of your hosts (\`devsquad.allowedHosts\`):\n${list(added.hosts)}`] : []),
    ...(rules.length > 0 ? [`Rules that you saved (“DevSquad: Rules…” takes one back):\n${list(rules)}`] : []),
    `Answered ahead by \`devsquad.approve\`: ${ahead}.`,
    ...(servers.length > 0
      ? [
          `## Asks you, until you allow more\n\nMCP servers of a workspace that you listed (\`devsquad.mcpServers\`): each start and each tool, with the program, its arguments, its variables and the tool’s description. If one of them changes, it asks anew.\n${list(servers)}`,
        ]
      : []),
    '## Asks you each time, whatever is allowed ahead',
    `Writing a protected file, by a command as well:\n${protectedKinds()
      .map(([what, names]) => `- ${what}: ${names.map(code).join(', ')} …`)
      .join('\n')}\n- scripts, programs and hooks in \`package.json\``,
    'Reading a file that holds secrets: keys, `.env` files, credentials of clouds and package managers.',
    'All that goes out, once a run has read both a secret and text from outside.',
    ...(added.ask.length > 0 ? [`By this workspace’s \`.devsquad/policy.json\`:\n${list(added.ask)}`] : []),
    '## Is refused, whoever asks for it',
    'What would destroy the machine or a home folder, paths that lead outside the workspace, addresses of this machine and of private networks.',
    ...(added.refuse.length + added.refuseHosts.length > 0
      ? [`By this workspace’s \`.devsquad/policy.json\`:\n${list([...added.refuse, ...added.refuseHosts])}`]
      : []),
  ]
    .join('\n\n')
    .concat('\n');
}

function list(entries: readonly string[]): string {
  return entries.map((entry) => `- ${code(entry)}`).join('\n');
}

function code(text: string): string {
  return `\`${text.replaceAll('`', 'ˋ').replaceAll('\n', ' ')}\``;
}
