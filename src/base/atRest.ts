/**
 * For work that may wait while others are busy. Pauses until nothing has gone on during a pause, or until the wait has been
 * long enough. Rejects where the pause does.
 */
export async function untilAtRest(o: {
  /** Grows whenever something goes on. */
  readonly progress: () => number;
  readonly pause: () => Promise<void>;
  /** Asked after each pause. */
  readonly isLongEnough: () => boolean;
}): Promise<void> {
  let before: number;
  do {
    before = o.progress();
    await o.pause();
  } while (o.progress() !== before && !o.isLongEnough());
}
