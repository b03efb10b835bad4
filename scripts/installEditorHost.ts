// Installs the real VS Code that the tests drive and that `npm start` serves where there is no desktop one: the server and
// workbench inside the npm package code-server, run by the Node that this project pins. Nothing but the npm registry is
// used. Does nothing when the pinned version is in place; an interrupted install leaves only a `.partial` folder.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { editorHostFolder, projectFolder } from './project.ts';

const pin = {
  package: 'code-server@4.139.1',
  integrity: 'sha512-fUYvJVdz4ZoVJfakGiGWXFMpF8K1ObsrpGvX17ZxNpKOzdNHs7lANT670JTr4ZhA8DnWqyvvmFG/d3HV9Yy6ew==',
};

/** What the log files and the watch over a dead parent need: all that is worth a compiler. */
const compiled = ['@vscode/spdlog', '@vscode/native-watchdog'];

// Native modules are for one system and one Node.
const stamp = JSON.stringify({
  ...pin,
  compiled,
  system: `${process.platform}-${process.arch}`,
  abi: process.versions.modules,
});
const stampFile = path.join(editorHostFolder, '.complete');

/** Throws when the package cannot be fetched or is not the pinned one. */
export function installEditorHost(): void {
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
    return;
  }
  const started = performance.now();
  console.log(`Installing a real VS Code (${pin.package}) for tests and npm start. This takes about a minute, once.`);
  const partial = `${editorHostFolder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  unpack(partial);
  // Its lockfile misses an entry of a peer; its install steps build things that only other systems and the desktop need.
  npm(['ci', '--omit=dev', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'], partial);
  compile(partial);
  prune(partial);
  writeFileSync(path.join(partial, '.complete'), stamp);
  rmSync(editorHostFolder, { recursive: true, force: true });
  renameSync(partial, editorHostFolder);
  console.log(`VS Code is in place after ${Math.round((performance.now() - started) / 1000)} s.`);
}

function unpack(folder: string): void {
  const archive = path.join(folder, npm(['pack', pin.package, '--silent'], folder).trim());
  const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (integrity !== pin.integrity) {
    throw new Error(`${pin.package} is not the pinned package: its checksum is ${integrity}.`);
  }
  execFileSync('tar', ['xzf', archive, '--strip-components=3', 'package/lib/vscode'], { cwd: folder });
  rmSync(archive);
}

/** Where there is no compiler, VS Code runs nevertheless; its log channels stay empty and it writes no log files. */
function compile(folder: string): void {
  const system = `node-${process.platform}-${process.arch}`;
  const headers = path.join(projectFolder, 'node_modules/node/node_modules', system);
  try {
    npm(['rebuild', ...compiled], folder, { npm_config_nodedir: headers });
  } catch {
    console.log('No C++ compiler or no python3 here: this VS Code will write no log files. All else works.');
  }
}

function prune(folder: string): void {
  const modules = path.join(folder, 'node_modules');
  for (const unused of ['@github', '@microsoft/mxc-sdk', '@devcontainers', '@vscode/spdlog/build/Release/obj.target']) {
    rmSync(path.join(modules, unused), { recursive: true, force: true });
  }
  const system = `${process.platform}-${process.arch}`;
  for (const perSystem of ['@vscode/ripgrep-universal/bin', 'node-pty/prebuilds']) {
    for (const name of readdirSync(path.join(modules, perSystem)).filter((entry) => entry !== system)) {
      rmSync(path.join(modules, perSystem, name), { recursive: true });
    }
  }
}

function npm(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): string {
  return execFileSync('npm', [...args, '--loglevel', 'error'], {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', args[0] === 'rebuild' ? 'ignore' : 'inherit'],
  });
}
