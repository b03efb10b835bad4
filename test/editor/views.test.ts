import { startEditor, type Editor } from '../support/editorHost.ts';

describe('DevSquad in the activity bar', () => {
  let editor: Editor;

  before(async () => {
    editor = await startEditor();
  });

  after(() => editor.stop());

  it('opens a container with the view of agents, which says what to do first', async () => {
    await editor.page.getByRole('tab', { name: 'DevSquad' }).click();

    await editor.page.getByRole('heading', { name: 'Agents' }).waitFor();
    await editor.page.getByText('State an objective. A team plans it').waitFor();
    await editor.screenshot('views-first-look');
  });
});
