// Loaded by mocha for test/editor: a failed test leaves a picture of what was on screen, and no VS Code outlives the run.
import { closeBrowser } from './editorBrowser.ts';
import { runningEditors } from './editorHost.ts';

// mocha itself sees to SIGINT.
process.once('SIGTERM', () => process.exit(143));

export const mochaHooks: Mocha.RootHookObject = {
  async afterEach(this: Mocha.Context) {
    const test = this.currentTest;
    if (test?.state !== 'failed') {
      return;
    }
    const name = `failed-${test.fullTitle().replace(/[^\w]+/g, '-')}`;
    for (const [index, editor] of runningEditors().entries()) {
      await editor.screenshot(`${name}-${index + 1}`);
      console.error(`Last words of VS Code:\n${editor.log.slice(-2_000)}`);
    }
  },
  async afterAll() {
    for (const editor of runningEditors()) {
      await editor.stop();
    }
    await closeBrowser();
  },
};
