import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectFolder } from './project.ts';

export interface PackedExtension {
  readonly file: string;
  /** Bytes of all code that loading the extension loads with it, before anything is imported on demand. */
  readonly activationBytes: number;
}

/** A minified build, packed as NAME-VERSION.vsix in `folder`. Built aside, so that `dist/` stays as it is. */
export function packExtension(folder: string): PackedExtension {
  const stage = mkdtempSync(path.join(tmpdir(), 'devsquad-package-'));
  try {
    const manifest = readFileSync(path.join(projectFolder, 'package.json'), 'utf8');
    const { name, version } = JSON.parse(manifest) as { name: string; version: string };
    for (const part of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', '.vscodeignore', 'media']) {
      cpSync(path.join(projectFolder, part), path.join(stage, part), { recursive: true });
    }
    const dist = path.join(stage, 'dist');
    runNode(projectFolder, path.join(projectFolder, 'esbuild.js'), '--minify', `--outdir=${dist}`);
    const file = path.join(folder, `${name}-${version}.vsix`);
    const vsce = path.join(projectFolder, 'node_modules/@vscode/vsce/vsce');
    runNode(stage, vsce, 'package', '--no-dependencies', '--skip-license', '--out', file);
    return { file, activationBytes: bytesLoadedWith('extension.js', dist) };
  } finally {
    rmSync(stage, { recursive: true, force: true, maxRetries: 3 });
  }
}

function runNode(cwd: string, ...args: readonly string[]): void {
  execFileSync(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

function bytesLoadedWith(entry: string, dist: string): number {
  const seen = new Set<string>();
  const visit = (file: string): number => {
    if (seen.has(file)) {
      return 0;
    }
    seen.add(file);
    const code = readFileSync(path.join(dist, file), 'utf8');
    const imports = code.matchAll(
      /(?:^|[;}\s])(?:import|export)\s*(?:[\w*{][^;'"]*?from\s*)?["']\.\/([\w.-]+\.js)["']/g,
    );
    return [...imports].reduce((sum, [, name]) => sum + visit(name ?? ''), Buffer.byteLength(code));
  };
  return visit(entry);
}
