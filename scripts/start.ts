// `npm start`: VS Code with the extension and a fresh copy of the sample workspace, until Ctrl-C. A desktop VS Code where
// `code` is in PATH; otherwise one served on 127.0.0.1, whose address is printed. `DEVSQUAD_START=served` asks for that.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EditorServer, linkExtension, writeUserSettings } from './editorServer.ts';
import { findProgram } from './findProgram.ts';
import { installEditorHost } from './installEditorHost.ts';
import { projectFolder } from './project.ts';
import { installMissing, systemPrograms } from './systemPrograms.ts';

const runFolder = mkdtempSync(path.join(tmpdir(), 'devsquad-start-'));
let server: EditorServer | undefined;
process.on('exit', () => {
  rmSync(runFolder, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    void (server?.stop() ?? Promise.resolve()).finally(() => process.exit(0));
  });
}

try {
  installMissing(systemPrograms.git);
  execFileSync(process.execPath, ['esbuild.js'], { cwd: projectFolder, stdio: 'inherit' });
  const workspace = copySampleWorkspace();
  const desktop = process.env['DEVSQUAD_START'] === 'served' ? undefined : findProgram('code');
  await (desktop ? openDesktop(desktop, workspace) : serve(workspace));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

/** A copy that may be changed at will, with a repository of its own. */
function copySampleWorkspace(): string {
  const workspace = path.join(runFolder, 'sample-workspace');
  const sample = path.join(projectFolder, 'media/sample-workspace');
  mkdirSync(workspace);
  if (existsSync(sample)) {
    cpSync(sample, workspace, { recursive: true });
  } else {
    writeFileSync(path.join(workspace, 'README.md'), '# Sample workspace\n');
  }
  const git = (...args: readonly string[]): void => {
    execFileSync('git', args, { cwd: workspace, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'DevSquad sample');
  git('config', 'user.email', 'sample@devsquad.invalid');
  git('config', 'commit.gpgsign', 'false');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'The sample workspace');
  return workspace;
}

/** Resolves when the window is closed. */
async function openDesktop(code: string, workspace: string): Promise<void> {
  console.log(
    `Opening ${code} with DevSquad and ${workspace}, which is removed when its window is closed or on Ctrl-C.`,
  );
  const development = `--extensionDevelopmentPath=${projectFolder}`;
  const child = spawn(code, ['--new-window', '--wait', development, workspace], { stdio: 'inherit' });
  await new Promise((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  });
}

/** Resolves when VS Code answers; its process keeps this one running. */
async function serve(workspace: string): Promise<void> {
  installEditorHost();
  const extensionsFolder = path.join(runFolder, 'extensions');
  const temporaryFolder = path.join(runFolder, 'tmp');
  const dataFolder = path.join(runFolder, 'data');
  mkdirSync(extensionsFolder);
  mkdirSync(temporaryFolder);
  linkExtension(projectFolder, extensionsFolder);
  writeUserSettings(dataFolder, { 'workbench.startupEditor': 'readme' });
  // Whoever can connect can run programs, and any page in a browser can try: so the address holds a secret.
  const connectionToken = randomBytes(16).toString('hex');
  server = await EditorServer.start({
    dataFolder,
    extensionsFolder,
    connectionToken,
    env: { TMPDIR: temporaryFolder },
  });
  const query = new URLSearchParams({ folder: workspace, tkn: connectionToken });
  console.log('No desktop VS Code was found, so one is served. Open this address, and end it with Ctrl-C:');
  console.log(`http://127.0.0.1:${server.port}/?${query.toString().replaceAll('%2F', '/')}`);
}
