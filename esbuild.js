// Builds dist/: the extension, the terminal program and their threads, as ES modules that share their chunks; and, but for
// the packed extension (--minify), the suite that runs inside VS Code's extension host and the models it is played with.
import { copyFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const minify = process.argv.includes('--minify');
const outdir = process.argv.find((argument) => argument.startsWith('--outdir='))?.slice('--outdir='.length) ?? 'dist';
rmSync(outdir, { recursive: true, force: true });

const forNode = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  sourcemap: !minify,
  logLevel: 'warning',
  // One flat folder: a thread is found beside whichever chunk starts it.
  entryNames: '[name]',
  chunkNames: 'chunk-[hash]',
  // CommonJS packages inside an ES module bundle still call require() for Node's built-ins.
  banner: {
    js: "import { createRequire as devsquadRequire } from 'node:module'; const require = devsquadRequire(import.meta.url);",
  },
  // Its other form asks for its own files in a way that no bundler follows.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  // sql.js asks for its own folder the CommonJS way.
  define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
};

const threads = ['src/store/sqljs/tablesThread.ts', 'src/ledger/journalThread.ts', 'src/ledger/imageThread.ts'];

await build({
  ...forNode,
  entryPoints: ['src/extension.ts', ...threads],
  outdir,
  external: ['vscode'],
  minify,
});
// What the webviews load, and nothing else: one script, one style sheet, one icon font.
await build({
  entryPoints: ['webview/main.tsx', 'webview/styles/main.css'],
  outdir: `${outdir}/webview`,
  entryNames: '[name]',
  assetNames: '[name]',
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'chrome134',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.ttf': 'file' },
  sourcemap: !minify,
  logLevel: 'warning',
  minify,
});
// What is read beside the bundle as it is.
const wasm = [
  'sql.js/dist/sql-wasm.wasm',
  'web-tree-sitter/web-tree-sitter.wasm',
  'tree-sitter-bash/tree-sitter-bash.wasm',
];
const copyWasm = (folder) => {
  for (const file of wasm) {
    copyFileSync(`node_modules/${file}`, `${folder}/${file.split('/').at(-1)}`);
  }
};
copyWasm(outdir);

if (!minify) {
  await build({
    ...forNode,
    entryPoints: ['test/editor/suite/index.ts', 'test/editor/suite/*.test.ts', ...threads],
    outdir: `${outdir}/test/suite`,
    external: ['vscode', 'mocha'],
  });
  copyWasm(`${outdir}/test/suite`);
  await build({
    ...forNode,
    splitting: false,
    entryPoints: ['test/support/scriptedModels/extension.ts'],
    outdir: `${outdir}/test/scriptedModels`,
    external: ['vscode'],
  });
  copyFileSync('test/support/scriptedModels/package.json', `${outdir}/test/scriptedModels/package.json`);
}
