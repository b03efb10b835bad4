// `npm run package`: a minified build, packed as devsquad-VERSION.vsix in the project folder.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectFolder } from './project.ts';

const { name, version } = JSON.parse(readFileSync(path.join(projectFolder, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
};

runNode('esbuild.js', '--minify');
runNode('node_modules/@vscode/vsce/vsce', 'package', '--no-dependencies', '--out', `${name}-${version}.vsix`);

function runNode(...args: readonly string[]): void {
  execFileSync(process.execPath, args, { cwd: projectFolder, stdio: 'inherit' });
}
