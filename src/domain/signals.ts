/** What may be lost: shown while it happens, never stored, never decided on. */
export type Signal =
  | { type: 'text-delta'; runId: string; taskId: string; agentId: string; text: string }
  | { type: 'tool-output'; runId: string; taskId: string; agentId: string; text: string };
