/** Secrets that stand in the environment of every program and VS Code of a test, and how a test finds where they got to. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';

/** Nobody may be told. */
export const SECRETS: Readonly<Record<string, string>> = {
  OPENAI_API_KEY: 'sk-canary-8f1d2c3b4a59',
  DATABASE_URL: 'postgres://app:canary-5e6f7a8b@db/main',
};

/** Names of the secrets that a text holds. */
export function secretsIn(text: string | Buffer): string[] {
  return Object.entries(SECRETS).flatMap(([name, secret]) => (text.includes(secret) ? [name] : []));
}

/** "NAME in FILE" for each regular file below that holds one; a link may lead to the whole machine. */
export function secretsBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      return secretsBelow(place);
    }
    return entry.isFile() ? secretsIn(readFileSync(place)).map((name) => `${name} in ${place}`) : [];
  });
}

/** VS Code's terminals tell the window the whole environment: a pair of that object is no leak of ours. */
function withoutEnvironment(text: string): string {
  return Object.entries(SECRETS).reduce((rest, [name, secret]) => rest.replaceAll(`"${name}":"${secret}"`, ''), text);
}

/**
 * Watches all that a window and its extensions say to each other from now on: what goes to webviews, trees, messages and logs
 * is in it. Answers what was found so far.
 */
export function watchForSecrets(page: Page): () => readonly string[] {
  const found = new Set<string>();
  const look = (text: string, where: string): void => {
    for (const name of secretsIn(withoutEnvironment(text))) {
      found.add(`${name} in ${where}`);
    }
  };
  page.on('websocket', (socket) => {
    const listen = ({ payload }: { payload: string | Buffer }): void => {
      look(payload.toString(), 'what a window and its extensions said');
    };
    socket.on('framereceived', listen);
    socket.on('framesent', listen);
  });
  page.on('console', (message) => {
    look(message.text(), 'a window’s console');
  });
  return () => [...found];
}
