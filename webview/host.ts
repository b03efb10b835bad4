/** The extension, as this page sees it: it can be sent requests, and keeps what the page wants to find again. */
import type { ViewRequest } from '../src/protocol/messages.ts';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

/** Given by VS Code to every webview, to be called once. */
declare function acquireVsCodeApi(): VsCodeApi;

const api = acquireVsCodeApi();

export function send(request: ViewRequest): void {
  api.postMessage(request);
}

/** What was last remembered under that name, also before a reload; undefined when it is no text. */
export function remembered(name: string): string | undefined {
  const value = memory()[name];
  return typeof value === 'string' ? value : undefined;
}

export function remember(name: string, value: string): void {
  api.setState({ ...memory(), [name]: value });
}

function memory(): Record<string, unknown> {
  const state = api.getState();
  return typeof state === 'object' && state !== null ? { ...state } : {};
}
