/** Ends a switch over a union: the compiler refuses a call that is reachable, and a value that got past it throws. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}
