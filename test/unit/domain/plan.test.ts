import assert from 'node:assert/strict';
import { planProblems, projectPlanSchema } from '../../../src/domain/plan.ts';

const task = (key: string, dependsOn: string[] = []) => ({
  ...{ key, dependsOn, title: 'T', description: 'D', role: 'coding', type: 'generate-code', acceptance: [] },
});
const problemsOf = (...tasks: object[]): string[] =>
  planProblems(projectPlanSchema.parse({ summary: 's', strategy: 'parallel', why: 'w', tasks }));

describe('a plan', () => {
  it('has no task that waits for itself, directly or round a corner', () => {
    assert.match(problemsOf(task('a', ['a'])).join(), /cycle: a → a\./);
    assert.match(problemsOf(task('a', ['c']), task('b', ['a']), task('c', ['b'])).join(), /cycle: a → c → b → a\./);
    assert.deepEqual(problemsOf(task('a'), task('b', ['a'])), []);
  });

  it('has no task that waits for one that is not there, and no key twice', () => {
    assert.match(problemsOf(task('a', ['constructor'])).join(), /"constructor", which is no task/);
    assert.match(problemsOf(task('a'), task('a')).join(), /"a" is used twice/);
  });

  it('has no glob that an engine could chew on for minutes', () => {
    for (const glob of ['*a*a*a*a*b', '**/a/**/b/**', '+(a|aa)*b', 'src/!(x)']) {
      assert.match(problemsOf({ ...task('a'), writes: [glob] }).join(), /^Task "a": The glob/, glob);
      const acceptance = [{ kind: 'files', unchanged: [glob] }];
      assert.match(problemsOf({ ...task('a'), acceptance }).join(), /^Task "a": The glob/, glob);
    }
    const writes = [
      '**',
      'src/**',
      '**/*.{ts,tsx}',
      'src/**/__tests__/**',
      'a.*.test.*',
      '*-*.[jt]s',
      'app/(group)/page.tsx',
    ];
    assert.deepEqual(problemsOf({ ...task('a'), writes }), []);
  });
});
