import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SquadEvent } from '../../src/domain/events.ts';
import { readJournal } from '../../src/ledger/journalFile.ts';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { rehearseHeadless } from '../support/headless.ts';
import { rehearsedTree } from '../support/rehearsedTree.ts';
import { devsquadBeside, type TerminalBeside } from '../support/terminalBeside.ts';
import {
  clickInDialog,
  clickInNotification,
  notification,
  openSideBar,
  sampleWorkspace,
  statusBar,
  treeItem,
} from '../support/workbench.ts';

describe('taking over in VS Code', () => {
  let workspace: string;
  let editor: Editor;
  let owner: TerminalBeside;
  let acknowledged: string;
  let expectedTree: string;

  before(async function () {
    expectedTree = await rehearsedTree(rehearseHeadless);
    workspace = sampleWorkspace();
    const settings = { 'workbench.secondarySideBar.defaultVisibility': 'hidden' };
    editor = await startEditor({ folder: workspace, settings });
    await openSideBar(editor);
  });

  after(async () => {
    owner.process.kill('SIGKILL');
    await editor.stop();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
  });

  const picture = async (name: string): Promise<void> => {
    // Messages and dialogs fade in.
    await editor.page.waitForTimeout(400);
    await editor.screenshot(`takeover-${name}`);
  };
  const folderIn = (...names: string[]): string => {
    const parent = path.join(editor.homeFolder, '.devsquad', ...names);
    return path.join(parent, readdirSync(parent)[0] ?? '');
  };

  it('is offered when the terminal that does the work does not answer any more', async () => {
    owner = devsquadBeside(editor, 'run', '--workspace', workspace, '--approve', 'all', '--json');
    await statusBar(editor, 'terminal').waitFor();
    await treeItem(editor, /Tags and search, (?:working|waits for you)/).waitFor();
    await picture('1-follows');
    owner.process.kill('SIGSTOP');
    forgetStart(folderIn('owners'));

    await notification(editor, 'does not answer').waitFor();
    acknowledged = owner.output();
    await statusBar(editor, /terminal does not answer · \d\/4$/).waitFor();
  });

  it('begins with a click in a dialog that says what it does, and the run ends right', async () => {
    await clickInNotification(editor, 'does not answer', 'Take Over…', 'takeover-2-offered');
    await notification(editor, 'asking the terminal once more').waitFor();
    await picture('3-asked-once-more');
    await editor.page.locator('.monaco-dialog-box').waitFor();
    await picture('4-dialog');
    const said = await clickInDialog(editor, 'Take Over');
    assert.match(said, new RegExp(`\\(process ${owner.process.pid}\\)[^]*goes on from everything it has acknowledged`));
    await notification(editor, /You have taken over: “Add tags[^”]*” was taken up with \d of 4 tasks proven/).waitFor();
    await notification(editor, /working · \d of 4 tasks proven/).waitFor();
    await picture('5-at-work');
    await notification(editor, 'Done and proven').waitFor();
    await picture('6-done');
  });

  it('leaves the process that wakes up nothing to acknowledge', async () => {
    owner.process.kill('SIGCONT');
    const { exitCode, stdout, stderr } = await owner.end;
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /taken over/);
    assert.equal(stdout, acknowledged, 'the woken owner said something was done');

    const { events, damage } = await readJournal(folderIn('squads'));
    assert.deepEqual(damage, []);
    const bySequence = new Map(events.map((event) => [event.sequence, event]));
    for (const { sequence, type, epoch } of eventsIn(acknowledged)) {
      assert.deepEqual([bySequence.get(sequence)?.type, bySequence.get(sequence)?.epoch], [type, epoch]);
    }
    const ends = events.filter((event) => event.type === 'run-ended');
    assert.equal(ends.length, 1);
    assert.deepEqual([ends[0]?.status, ends[0]?.diff?.tree, ends[0]?.epoch], ['succeeded', expectedTree, 2]);
  });
});

/** As where nothing tells a process from a later one with its number: it is not ended, only kept from doing more. */
function forgetStart(owners: string): void {
  const [link = ''] = readdirSync(owners).filter((name) => name.startsWith('epoch.'));
  const file = path.join(owners, link);
  const record = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...record, startMark: undefined }));
}

function eventsIn(stdout: string): Pick<SquadEvent, 'sequence' | 'type' | 'epoch'>[] {
  // What `--json` prints are the journal's events.
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as SquadEvent);
}
