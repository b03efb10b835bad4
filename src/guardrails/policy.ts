/** What goes ahead without a question, as data. */
export interface Policy {
  /** Beginnings of commands, in words; each still has only harmless options and files. */
  readonly commands: readonly string[];
  /** Names of hosts, and `*.name` for every name below one. */
  readonly hosts: readonly string[];
  /** Beginnings of commands that ask each time. */
  readonly ask?: readonly string[];
  readonly refuse?: readonly string[];
  readonly refuseHosts?: readonly string[];
}

/** Programs that only look. What a project's own scripts do nobody knows, so they ask. */
export const BUILT_IN_POLICY: Policy = {
  commands: [
    ...[
      'git status',
      'git diff',
      'git log',
      'git show',
      'ls',
      'cat',
      'head',
      'tail',
      'wc',
      'pwd',
      'echo',
      'true',
      'false',
    ],
    ...['grep', 'find', 'sort', 'sed -n', 'node --version', 'npm --version', 'git --version'],
  ],
  hosts: [],
};
