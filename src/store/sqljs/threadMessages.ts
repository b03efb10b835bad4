/** What the thread of the tables and its client say to each other. */
import type { CompiledSql, Row } from './tablesDatabase.ts';

export interface ThreadStart {
  readonly folder: string;
  readonly ledgerSequence: number | undefined;
}

export type ThreadRequest =
  /** Events in order as the JSON of an array, those without rows left out; with them the tables are at `sequence`. */
  | { readonly type: 'append'; readonly events: Uint8Array<ArrayBuffer>; readonly sequence: number }
  /** Answered between two transactions, once the tables are at `atLeast`. */
  | { readonly type: 'query'; readonly id: number; readonly query: CompiledSql; readonly atLeast: number }
  /** Answered once an image of `atLeast` or later is on disk. */
  | { readonly type: 'save'; readonly id: number; readonly atLeast: number }
  /** Applies what is pending, saves, ends. */
  | { readonly type: 'close'; readonly id: number };

export type ThreadReply =
  | { readonly type: 'opened'; readonly lastSequence: number; readonly setAside: readonly string[] }
  | { readonly type: 'applied'; readonly sequence: number }
  /** `rows` is empty where none were asked for. */
  | { readonly type: 'answer'; readonly id: number; readonly rows: readonly Row[] }
  | { readonly type: 'refused'; readonly id: number; readonly message: string };
