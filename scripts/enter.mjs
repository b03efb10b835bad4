// The door to every script of this project: `node scripts/enter.mjs SCRIPT [arguments]`. Installs the packages where they
// are missing or not those of the lockfile, then runs SCRIPT on the Node that the project pins. Plain JavaScript for any
// Node from 20 on, because it runs before the pinned one is there.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const programs = path.join(root, 'node_modules/.bin');
const pinnedNode = path.join(root, 'node_modules/node/bin/node');
const pinnedVersion = readJson('package.json').devDependencies.node;

const [script, ...args] = process.argv.slice(2);
if (!script) {
  fail('Usage: node scripts/enter.mjs SCRIPT [arguments]');
}
if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(
    `This is Node ${process.version}. DevSquad brings its own Node ${pinnedVersion}, but needs 20 or later to fetch it.`,
  );
}

endWithNpm();
const installed = installMissingPackages();
const file = path.resolve(root, script);
if (!installed && process.version === `v${pinnedVersion}`) {
  process.argv = [process.execPath, file, ...args];
  process.env.PATH = pathWith(programs);
  await import(pathToFileURL(file).href);
} else {
  runOnPinnedNode();
}

/** npm hands a signal only to the shell between us, which dies of it and tells nobody; a killed npm tells not even that. */
function endWithNpm() {
  if (!process.env.npm_lifecycle_event) {
    return;
  }
  const atStart = lineage();
  const watch = setInterval(() => {
    if (lineage() !== atStart) {
      clearInterval(watch);
      process.kill(process.pid, 'SIGTERM');
    }
  }, 500);
  watch.unref();
}

/** Our parent and, where that is npm's shell and the system can say so, the parent of that. */
function lineage() {
  try {
    // The second field is the program in brackets, the fourth the parent.
    const [, program, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${process.ppid}/stat`, 'utf8')) ?? [];
    return `${process.ppid} ${program?.endsWith('sh') ? parent : ''}`;
  } catch {
    return String(process.ppid);
  }
}

/** True when packages were installed just now: the Node that runs this file may be one that is gone. */
function installMissingPackages() {
  const reason = whatIsMissing();
  if (!reason) {
    return false;
  }
  console.error(`${reason}: running npm ci.`);
  // Without our own programs in PATH, because npm ci removes them while it runs.
  const { status } = spawnSync('npm', ['ci'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, PATH: pathWithout(programs) },
  });
  if (status !== 0) {
    fail('npm ci failed, see above. Run npm ci first, then try again.');
  }
  const stillMissing = whatIsMissing();
  if (stillMissing) {
    fail(
      `${stillMissing}, even after npm ci. Run npm ci first, without --ignore-scripts (npm config get ignore-scripts).`,
    );
  }
  return true;
}

function whatIsMissing() {
  if (!existsSync(path.join(root, 'node_modules/.package-lock.json'))) {
    return 'The packages are not installed';
  }
  const present = readJson('node_modules/.package-lock.json').packages;
  for (const [folder, wanted] of Object.entries(readJson('package-lock.json').packages)) {
    const found = present[folder];
    // An optional package may be one for another system; the entry '' is the project itself.
    if (folder !== '' && !(found?.version === wanted.version && found?.integrity === wanted.integrity)) {
      if (found || !wanted.optional) {
        return `${folder} is not what package-lock.json says`;
      }
    }
  }
  return existsSync(pinnedNode) ? undefined : `Node ${pinnedVersion} is not installed`;
}

function runOnPinnedNode() {
  const child = spawn(pinnedNode, [file, ...args], {
    stdio: 'inherit',
    env: { ...process.env, PATH: pathWith(programs) },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else {
      process.exitCode = code ?? 1;
    }
  });
}

function pathWith(folder) {
  return [folder, pathWithout(folder)].join(path.delimiter);
}

function pathWithout(folder) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.filter((entry) => entry !== folder).join(path.delimiter);
}

function readJson(name) {
  return JSON.parse(readFileSync(path.join(root, name), 'utf8'));
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
