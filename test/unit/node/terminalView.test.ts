import assert from 'node:assert/strict';
import type { SquadView } from '../../../src/domain/squadState.ts';
import { frameOf, TerminalView } from '../../../src/node/terminalView.ts';
import { tellStory } from '../../support/eventGenerator.ts';

describe('the live view of the terminal', () => {
  it('draws no line longer than the terminal is wide, whatever happens', () => {
    let drawn = 0;
    tellStory(7, 400, ({ state }) => {
      for (const line of frameOf(state, 60, false)) {
        drawn++;
        assert.ok(Array.from(line).length <= 60, line);
        assert.doesNotMatch(line, /[\u0000-\u001f]/); // eslint-disable-line no-control-regex
      }
    });
    assert.ok(drawn > 0);
  });

  it('leaves nothing of itself behind, and prints nothing into an open question', () => {
    const written: string[] = [];
    const state: SquadView = tellStory(7, 50, () => undefined).state;
    const view = new TerminalView({ columns: 60, write: (text) => written.push(text) }, () => state, false);
    view.print('first');
    view.hold();
    view.print('meanwhile');
    assert.deepEqual(written, ['first\n']);
    view.release();
    assert.deepEqual(written, ['first\n', 'meanwhile\n']);
    view.close();
    view.print('too late to be seen');
    assert.deepEqual(written, ['first\n', 'meanwhile\n']);
  });
});
