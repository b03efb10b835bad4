import path from 'node:path';

/** The folder that package.json stands in. */
export const projectFolder = path.resolve(import.meta.dirname, '..');

/** Where a real VS Code is installed. `DEVSQUAD_EDITOR_HOST` names another folder, so that several clones can share one. */
export const editorHostFolder = path.resolve(
  process.env['DEVSQUAD_EDITOR_HOST'] ?? path.join(projectFolder, '.vscode-test/host'),
);
