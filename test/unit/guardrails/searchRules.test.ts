import assert from 'node:assert/strict';
import { whyCostly } from '../../../src/guardrails/searchRules.ts';

describe('a regular expression to search for', () => {
  const harmless = [
    '(x+x+)+y',
    'export (class|function) [A-Z]\\w+',
    '\\.{3}',
    '[0-9]{4}-[0-9]{2}',
    'a{1,200}',
    '\\\\1',
    '{',
    'f\\(\\)',
  ];
  for (const expression of harmless) {
    it(`may be ${expression}`, () => {
      assert.equal(whyCostly(expression), undefined);
    });
  }

  const costly = [
    '(x*)*\\1y',
    '(a)(b)\\2',
    '\\\\\\1',
    '((((x{1,200}){1,200}){1,200}){1,200})y',
    'a{30000}',
    '(a{100}){100,}',
  ];
  for (const expression of costly) {
    it(`is refused when it is ${expression}`, () => {
      assert.match(whyCostly(expression) ?? '', /\w/);
    });
  }
});
