/** What can carry mail, as the benchmark sees it, and the two ways in which it is driven. */

/** One message in every system: 1 KB of content. */
export const MESSAGE_TEXT = 'x'.repeat(1024);

/** How many messages are under way at once in the second column. */
export const IN_FLIGHT = 64;

export interface MailSystem {
  readonly name: string;
  /** Sends one message to a waiting receiver; over once the send and the receiver's acknowledgement are durable. */
  roundTrip(): Promise<void> | void;
  /** The same for `IN_FLIGHT` at once, where a system's own way to do so is a batch; elsewhere as many loops are run. */
  roundTrips?(): void;
  /** Waits for what may lag behind the acknowledgement. */
  settled?(): Promise<void>;
  close(): Promise<void> | void;
}

/** Messages per second, one at a time. */
export async function oneAtATime(system: MailSystem, forMs: number): Promise<number> {
  const started = performance.now();
  let done = 0;
  while (performance.now() - started < forMs) {
    await system.roundTrip();
    done++;
  }
  return perSecond(done, started);
}

/** Messages per second, with `IN_FLIGHT` of them under way. */
export async function manyInFlight(system: MailSystem, forMs: number): Promise<number> {
  const started = performance.now();
  let done = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() - started < forMs) {
      await system.roundTrip();
      done++;
    }
  };
  if (system.roundTrips) {
    while (performance.now() - started < forMs) {
      system.roundTrips();
      done += IN_FLIGHT;
    }
  } else {
    await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  }
  return perSecond(done, started);
}

function perSecond(count: number, started: number): number {
  return (count * 1000) / (performance.now() - started);
}
