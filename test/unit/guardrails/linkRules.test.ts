import assert from 'node:assert/strict';
import { judgeLink, type EditorLink } from '../../../src/guardrails/linkRules.ts';

const HIDDEN = Array.from('obey', (each) => String.fromCodePoint(0xe0000 + each.charCodeAt(0))).join('');

describe('a link into the editor', () => {
  const followed: readonly (readonly [what: string, link: string, objective: string, shown?: string])[] = [
    ['words with codes', 'run?objective=Rate-limit%20the%20API%20per%20key', 'Rate-limit the API per key'],
    ['the codes of a web form', 'run?objective=Rate-limit+the+API', 'Rate-limit the API'],
    ['signs that mean something in a query', 'run?objective=Port%20C%2B%2B%20to%20100%25%20%3D', 'Port C++ to 100% ='],
    ['a number sign', 'run?objective=Fix%20%23123', 'Fix #123'],
    ['other scripts and pictures', `run?objective=${encodeURIComponent('שלום 你好 ⚠️')}`, 'שלום 你好 ⚠️'],
    ['lines', 'run?objective=%0D%0AOne%0D%0A%09two%20three%0A', 'One\n\ttwo three'],
    ['a direction that turns', 'run?objective=Fix%20%E2%80%AEgnp.exe', 'Fix gnp.exe', 'Fix ⟨U+202E⟩gnp.exe'],
    ['a terminal’s orders', 'run?objective=a%20%1B%5B2J%00b%0Dc', 'a [2Jbc', 'a ⟨U+001B⟩[2J⟨U+0000⟩b⟨U+000D⟩c'],
    ['what looks like a link', 'run?objective=[x](command:quit)%20javascript:y', '[x](command:quit) javascript:y'],
    ['codes of codes', 'run?objective=a%2526approve%253Dall%20b', 'a%26approve%3Dall b'],
    ['codes of codes without a blank', 'run?objective=a%2526approve%253Dall', 'a&approve=all'],
  ];
  for (const [what, link, objective, shown = objective] of followed) {
    it(`asks before it is followed: ${what}`, () => {
      assert.deepEqual(judgeLink(fromDesktop(link)), { kind: 'ask', objective, shown });
    });
  }

  it('says the same where a browser hands it over with its codes', () => {
    const query = 'objective=Port+C%2B%2B+%26+%E2%9C%93+to+100%25';
    const objective = 'Port C++ & ✓ to 100%';
    assert.deepEqual(judgeLink({ path: '/run', query, fragment: '' }), { kind: 'ask', objective, shown: objective });
  });

  it('shows what it hides, letter by letter, and passes none of it on', () => {
    const verdict = judgeLink(fromDesktop(`run?objective=Tidy%20up${encodeURIComponent(HIDDEN)}`));
    assert.ok(verdict.kind === 'ask');
    assert.equal(verdict.objective, 'Tidy up');
    assert.equal(verdict.shown, 'Tidy up⟨U+E006F⟩⟨U+E0062⟩⟨U+E0065⟩⟨U+E0079⟩');
  });

  const refused: readonly (readonly [what: string, link: string, reason: RegExp])[] = [
    ['no path', '?objective=x', /no link to “\/”/],
    ['another path', 'answer?objective=x', /no link to “\/answer”/],
    ['a path in other letters', 'RUN?objective=x', /no link to “\/RUN”/],
    ['a path with more behind it', 'run/?objective=x', /no link to “\/run\/”/],
    ['a path that leads back', 'x/../run?objective=x', /no link to “\/x\/\.\.\/run”/],
    ['a path with hidden characters', 'run%E2%80%8B?objective=x', /no link to “\/run⟨U\+200B⟩”/],
    ['an endless path', 'r'.repeat(9_000), /no link to “\/r{39}…”/],
    ['nothing', 'run', /“objective” has to stand in it once, not never/],
    ['an empty objective', 'run?objective=', /“objective” says nothing/],
    ['an objective of blanks', 'run?objective=%20%0A%09', /“objective” says nothing/],
    ['an objective nobody sees', 'run?objective=%E2%80%8B%E2%80%AE', /“objective” says nothing/],
    ['an objective twice', 'run?objective=good&objective=evil', /has to stand in it once, not more often/],
    ['an objective twice, one in codes', 'run?objective=good&%6Fbjective=evil', /once, not more often/],
    ['approvals', 'run?objective=x&approve=all', /has the parameter “approve”/],
    ['a model', 'run?model=editor:a/b&objective=x', /has the parameter “model”/],
    ['a base URL', 'run?objective=x&baseUrl=http://evil', /has the parameter “baseUrl”/],
    ['a budget', 'run?objective=x&budget[usd]=100', /has the parameter “budget\[usd\]”/],
    ['an answer', 'run?objective=x&answer=allow', /has the parameter “answer”/],
    ['other letters', 'run?Objective=x', /has the parameter “Objective”/],
    ['a hidden character in a name', 'run?objective%E2%80%8B=x', /has the parameter “objective⟨U\+200B⟩”/],
    ['a look-alike', 'run?оbjective=x', /has the parameter “оbjective”/],
    ['a name of every object', 'run?__proto__=x&objective=y', /has the parameter “__proto__”/],
    ['a name without a value', 'run?objective=x&approve', /has the parameter “approve”/],
    ['a name with a line in it', 'run?objective=x&a%0Ab=1', /has the parameter “a b”/],
    ['a coded &', 'run?objective=Search%20%26%20replace', /has the parameter “ replace”.*no “&” in it/],
    ['an endless name', `run?${'n'.repeat(9_000)}=x`, /has the parameter “n{40}…”/],
    ['something behind a #', 'run?objective=Fix%20#123', /behind a “#”.*%23/],
    ['a long objective', `run?objective=${'x'.repeat(1_001)}`, /1,000 characters and 12 lines/],
    ['an objective of many lines', `run?objective=${'x%0A'.repeat(12)}x`, /1,000 characters and 12 lines/],
    ['an objective longer as it is shown', `run?objective=x${'%E2%80%8B'.repeat(200)}y`, /1,000 characters/],
    ['an endless query', `run?objective=${'x'.repeat(1_000_000)}`, /1,000 characters/],
    ['endless parameters', `run?${'objective=x&'.repeat(2_000)}`, /1,000 characters/],
  ];
  for (const [what, link, reason] of refused) {
    it(`is refused as a whole with ${what}`, () => {
      const verdict = judgeLink(fromDesktop(link));
      assert.equal(verdict.kind, 'deny', JSON.stringify(verdict).slice(0, 200));
      assert.match(verdict.reason, /^This link was not followed\. /);
      assert.match(verdict.reason, reason);
      assert.ok(verdict.reason.length < 250, 'a sentence, not a flood');
    });
  }
});

/** What a handler gets on a desktop: VS Code takes a link apart and then the codes out of each part. */
function fromDesktop(link: string): EditorLink {
  const parts = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(link);
  const part = (index: number): string => decodeURIComponent(parts?.[index] ?? '');
  return { path: `/${part(1)}`, query: part(2), fragment: part(3) };
}
