import type { ScriptedCall } from '../scriptedServer.ts';
import type { EditorFault } from './editorFaults.ts';
import type { EditorRequest } from './editorRequest.ts';

export interface EditorAnswer {
  readonly text?: string;
  readonly toolCalls?: readonly ScriptedCall[];
}

/** What a scripted model of VS Code says to a request. */
export type EditorScript = (request: EditorRequest) => EditorAnswer | EditorFault;
