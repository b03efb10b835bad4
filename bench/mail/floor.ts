/** What the disk itself allows: the bytes of a message appended and synced, then those of its acknowledgement. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { IN_FLIGHT, MESSAGE_TEXT, type MailSystem } from './mailSystem.ts';

const ACKNOWLEDGEMENT = 'a'.repeat(64);

export function openFloor(folder: string): MailSystem {
  const descriptor = openSync(path.join(folder, 'floor'), 'ax');
  const append = (text: string): void => {
    writeSync(descriptor, text);
    fdatasyncSync(descriptor);
  };
  return {
    name: "this disk's fdatasync (floor)",
    roundTrip: () => {
      append(MESSAGE_TEXT);
      append(ACKNOWLEDGEMENT);
    },
    roundTrips: () => {
      append(MESSAGE_TEXT.repeat(IN_FLIGHT));
      append(ACKNOWLEDGEMENT.repeat(IN_FLIGHT));
    },
    close: () => {
      closeSync(descriptor);
    },
  };
}
