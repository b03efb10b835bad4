/** Which regular expressions a search takes. Most of POSIX is matched in linear time; this names what is not. */

/** Repetitions in all: an engine unrolls them, one within the other, before it has read a line. */
const MOST_REPETITIONS = 1000;

/** Why an extended regular expression could keep the machine busy for ever, as a sentence for the model; undefined where it cannot. */
export function whyCostly(expression: string): string | undefined {
  const plain = expression.replace(/\\\\/g, '');
  if (/\\[1-9]/.test(plain)) {
    return 'It refers back to a group (\\1), which no engine matches in bounded time. Search for a plainer expression and look through what it finds.';
  }
  const counts = [...plain.matchAll(/\{(\d*)(?:,(\d*))?\}/g)].map(([, least, most = '']) =>
    Number(most === '' ? least : most),
  );
  return counts.reduce((product, count) => product * Math.max(1, count), 1) > MOST_REPETITIONS
    ? `Its repetitions come to more than ${MOST_REPETITIONS}. Use * or + in place of large counts.`
    : undefined;
}
