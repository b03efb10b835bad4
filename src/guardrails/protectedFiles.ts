/**
 * Files that need a person's own word, by their name alone: those that make a tool, an editor, a pipeline or an agent run or
 * obey something, those that hold secrets, and DevSquad's own. Names are compared as the most forgiving file system would.
 */
import { asSeen } from './textHygiene.ts';

/** A file whose content decides what else runs. Folders end with a slash: all in them is meant, at any depth. */
const PROTECTED: readonly (readonly [what: string, names: readonly string[]])[] = [
  ['git’s own files', ['.git/', '.git', '.gitattributes', '.gitmodules', '.gitconfig', '.git-blame-ignore-revs']],
  ['a hook of git', ['.husky/', '.githooks/', '.hooks/', '.pre-commit-config.yaml', '.pre-commit-config.yml']],
  ['a hook of git', ['lefthook.yml', 'lefthook.yaml', '.lefthook.yml', '.lefthook/', '.lintstagedrc', '.huskyrc']],
  ['a setting of an editor', ['.vscode/', '.vscode-server/', '.idea/', '.fleet/', '.zed/', '.vs/', '.sublime/']],
  ['a setting of an editor', ['.nvim.lua', '.exrc', '.vimrc', '.nvimrc', '.dir-locals.el', '.editorconfig']],
  ['a dev container', ['.devcontainer/', '.devcontainer.json', 'devcontainer.json', '.gitpod.yml', '.devfile.yaml']],
  ['a workflow', ['.github/', '.gitlab/', '.gitlab-ci.yml', '.circleci/', '.buildkite/', '.drone.yml', '.travis.yml']],
  ['a workflow', ['azure-pipelines.yml', 'bitbucket-pipelines.yml', 'jenkinsfile', '.woodpecker/', '.woodpecker.yml']],
  ['a workflow', ['.forgejo/', '.gitea/', 'appveyor.yml', '.appveyor.yml', 'cloudbuild.yaml', 'buildspec.yml']],
  ['a list of MCP servers', ['mcp.json', '.mcp.json', 'mcp_config.json', 'mcp_settings.json', '.mcp/']],
  [
    'the rules of an agent',
    ['agents.md', 'agent.md', 'claude.md', 'claude.local.md', 'gemini.md', '.rules', '.goosehints'],
  ],
  [
    'the rules of an agent',
    ['.claude/', '.claude.json', '.codex/', '.gemini/', '.cursor/', '.cursorrules', '.cursorignore'],
  ],
  [
    'the rules of an agent',
    ['.windsurf/', '.windsurfrules', '.clinerules', '.clinerules/', '.roo/', '.roorules', '.roomodes'],
  ],
  [
    'the rules of an agent',
    ['.continue/', '.continuerules', '.aider.conf.yml', '.aiderrules', '.aiderignore', '.kiro/'],
  ],
  [
    'the rules of an agent',
    ['.amazonq/', '.opencode/', 'opencode.json', 'opencode.jsonc', '.junie/', '.augment/', '.trae/'],
  ],
  [
    'the rules of an agent',
    ['copilot-instructions.md', '.copilot/', '.agents/', '.agent/', '.crush/', 'crush.json', '.qwen/'],
  ],
  [
    'a setting of a package manager',
    ['.npmrc', '.yarnrc', '.yarnrc.yml', '.yarn/', '.pnpmfile.cjs', 'pnpmfile.cjs', '.pnpmfile.mjs'],
  ],
  [
    'a setting of a package manager',
    ['bunfig.toml', '.pip/', 'pip.conf', '.pypirc', '.cargo/', '.gemrc', '.bundle/', '.mvn/'],
  ],
  [
    'a setting of a shell',
    ['.envrc', '.bashrc', '.bash_profile', '.bash_login', '.bash_logout', '.bash_aliases', '.profile'],
  ],
  [
    'a setting of a shell',
    ['.zshrc', '.zshenv', '.zprofile', '.zlogin', '.zlogout', '.inputrc', '.direnv/', '.mise.toml'],
  ],
  ['a setting of a shell', ['mise.toml', '.tool-versions', '.asdfrc', '.kshrc', '.cshrc', '.tcshrc', '.login']],
  ['DevSquad’s own policy', ['.devsquad/', '.devsquad', 'devsquad.json', '.devsquadrules']],
];
const PROTECTED_PATTERNS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a setting of an editor', /\.code-workspace$/],
  ['the rules of an agent', /\.(?:instructions|prompt|chatmode|agent)\.md$/],
  ['the rules of an agent', /\.mdc$/],
];

const SECRET_FOLDERS = ['.ssh', '.aws', '.azure', '.gcloud', '.kube', '.gnupg', '.password-store', '.terraform.d'];
const SECRET_NAMES = new Set([
  ...['.netrc', '_netrc', '.npmrc', '.git-credentials', '.pypirc', '.pgpass', '.my.cnf', '.htpasswd', '.dockercfg'],
  ...['.vault-token', '.yarnrc.yml', 'credentials', 'credentials.json', 'secrets.json', 'secrets.yml', 'secrets.yaml'],
  ...['terraform.tfstate', '.terraformrc', 'kubeconfig', 'service-account.json', 'serviceaccount.json'],
]);
const SECRET_PATTERNS = [
  /\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg|pkcs12|p8|ovpn|tfvars)$/,
  /^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?:[.\-_].*)?$/,
  /^id_[^.]*$/,
  /^\.env(?:[.\-_].*)?$/,
  /\.env$/,
];
/** Made to be shared: they show which secrets there are and hold none. */
const EXAMPLE =
  /[.\-_](?:example|sample|template|dist|defaults?)$|^\.env\.(?:example|sample|template|dist|defaults?)\b/;

/** Words for why the file is protected, such as “a workflow”; undefined where it is not. `parts` are names from the root. */
export function whyProtected(parts: readonly string[]): string | undefined {
  const names = parts.map(foldName);
  for (const [what, entries] of PROTECTED) {
    const isThere = entries.some((entry) =>
      entry.endsWith('/') ? names.includes(entry.slice(0, -1)) : names.at(-1) === entry,
    );
    if (isThere) {
      return what;
    }
  }
  const last = names.at(-1) ?? '';
  return PROTECTED_PATTERNS.find(([, pattern]) => pattern.test(last))?.[0];
}

/** What is protected, with names for an example of each; for people. */
export function protectedKinds(): (readonly [what: string, names: readonly string[]])[] {
  const kinds = new Map<string, readonly string[]>();
  for (const [what, names] of PROTECTED) {
    kinds.set(what, [...(kinds.get(what) ?? []), ...names].slice(0, 4));
  }
  return [...kinds];
}

/** Whether the file holds secrets, as far as its name tells. */
export function isSecret(parts: readonly string[]): boolean {
  const names = parts.map(foldName);
  const last = names.at(-1) ?? '';
  if (names.some((name, index) => SECRET_FOLDERS.includes(name) || isSecretPair(name, names[index + 1]))) {
    return true;
  }
  return !EXAMPLE.test(last) && (SECRET_NAMES.has(last) || SECRET_PATTERNS.some((pattern) => pattern.test(last)));
}

function isSecretPair(folder: string, next: string | undefined): boolean {
  return (
    (folder === '.config' && (next === 'gcloud' || next === 'gh')) || (folder === '.docker' && next === 'config.json')
  );
}

/** `.git` as file systems of Windows and macOS would read it. */
export function isGitFolder(name: string): boolean {
  return foldName(name) === '.git';
}

/** A name without what some file system or reader does not see: letter case, dots and blanks at its end, streams, short names. */
export function foldName(name: string): string {
  const folded = asSeen(name)
    .toLowerCase()
    .replace(/:.*$/s, '')
    .replace(/[. ]+$/, '');
  return /^git~\d$/.test(folded) ? '.git' : folded;
}

/** Whether what the change makes of `package.json` runs something else: its scripts, its programs, its hooks and its sources. */
export function changesWhatRuns(before: string | undefined, after: string): boolean {
  const [old, next] = [before === undefined ? {} : partsThatRun(before), partsThatRun(after)];
  return old === undefined || next === undefined || JSON.stringify(old) !== JSON.stringify(next);
}

const PARTS_THAT_RUN = [
  ...['scripts', 'bin', 'husky', 'lint-staged', 'pre-commit', 'gypfile', 'config', 'workspaces', 'packageManager'],
  ...['prettier', 'eslintConfig', 'overrides', 'resolutions', 'pnpm', 'trustedDependencies', 'allowScripts'],
];

/** Undefined where the text is no JSON object, so that nobody can tell. */
function partsThatRun(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return undefined;
    }
    return Object.fromEntries(Object.entries(value).filter(([key]) => PARTS_THAT_RUN.includes(key)));
  } catch {
    return undefined;
  }
}
