/** Node's own SQLite with a write-ahead log that is synced at every commit: one row per message, marked when processed. */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { IN_FLIGHT, MESSAGE_TEXT, type MailSystem } from './mailSystem.ts';

export function openNativeSqlite(folder: string): MailSystem {
  const database = new DatabaseSync(path.join(folder, 'mail.sqlite'));
  database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
    CREATE TABLE messages (id INTEGER PRIMARY KEY, receiver TEXT NOT NULL, content TEXT NOT NULL, status TEXT NOT NULL)`);
  const insert = database.prepare(`INSERT INTO messages (receiver, content, status) VALUES (?, ?, 'pending')`);
  const process = database.prepare(`UPDATE messages SET status = 'processed' WHERE id = ?`);
  const send = (): number | bigint => insert.run('receiver', MESSAGE_TEXT).lastInsertRowid;
  return {
    name: 'node:sqlite, WAL, FULL',
    roundTrip: () => {
      process.run(send());
    },
    roundTrips: () => {
      database.exec('BEGIN');
      const ids = Array.from({ length: IN_FLIGHT }, send);
      database.exec('COMMIT; BEGIN');
      for (const id of ids) {
        process.run(id);
      }
      database.exec('COMMIT');
    },
    close: () => {
      database.close();
    },
  };
}
