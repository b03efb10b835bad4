// Builds dist/: the extension, the terminal program and their threads, as ES modules that share their chunks; and, but for
// the packed extension (--minify), the suite that runs inside VS Code's extension host.
import { copyFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const minify = process.argv.includes('--minify');
rmSync('dist', { recursive: true, force: true });

const forNode = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  sourcemap: !minify,
  logLevel: 'warning',
};

await build({
  ...forNode,
  entryPoints: ['src/extension.ts', 'src/store/sqljs/tablesThread.ts'],
  outdir: 'dist',
  // One flat folder: a thread is found beside whichever chunk starts it.
  entryNames: '[name]',
  chunkNames: 'chunk-[hash]',
  external: ['vscode'],
  // CommonJS packages inside an ES module bundle still call require() for Node's built-ins.
  banner: {
    js: "import { createRequire as devsquadRequire } from 'node:module'; const require = devsquadRequire(import.meta.url);",
  },
  // sql.js asks for its own folder the CommonJS way.
  define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
  minify,
});
// What the webviews load, and nothing else: one script, one style sheet, one icon font.
await build({
  entryPoints: ['webview/main.tsx', 'webview/styles/main.css'],
  outdir: 'dist/webview',
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
copyFileSync('node_modules/sql.js/dist/sql-wasm.wasm', 'dist/sql-wasm.wasm');

if (!minify) {
  await build({
    ...forNode,
    entryPoints: ['test/editor/suite/index.ts', 'test/editor/suite/*.test.ts'],
    outdir: 'dist/test/suite',
    external: ['vscode', 'mocha'],
  });
}
