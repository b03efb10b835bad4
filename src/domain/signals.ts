/** What may be lost: shown while it happens, never stored; decided on only by events that say what was seen. */
export type Signal =
  | { type: 'text-delta'; runId: string; taskId: string; agentId: string; text: string }
  /** The agent's loop goes round. */
  | { type: 'turn-begun'; runId: string; taskId: string; agentId: string }
  /** The agent stands in the queue for its model; the next sign says that it has come up. */
  | { type: 'call-waits'; runId: string; taskId: string; agentId: string }
  | { type: 'tool-output'; runId: string; taskId: string; agentId: string; text: string };
