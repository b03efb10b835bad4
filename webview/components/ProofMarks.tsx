/** A task's checks: a square each, green passed, red failed, hollow not run yet; more than six become a number. */
import type { TaskView } from '../../src/domain/squadState.ts';

export function ProofMarks({ task }: { readonly task: TaskView }) {
  const results = task.acceptance.map((_, index) => task.checks.findLast((check) => check.index === index)?.passed);
  if (results.length === 0) {
    return <span />;
  }
  const passed = results.filter((result) => result).length;
  const label = `${passed} of ${results.length} checks passed`;
  if (results.length > 6) {
    return (
      <span class="muted small-text" aria-label={label}>
        {passed} / {results.length}
      </span>
    );
  }
  return (
    <span class="proof-marks" role="img" aria-label={label} title={label}>
      {results.map((result, index) => (
        <i key={index} class={result === undefined ? '' : result ? 'passed' : 'failed'} />
      ))}
    </span>
  );
}
