import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../src/server.js';
import { BookmarkStore } from '../src/store.js';

let server;

before(async () => {
  server = await startServer(new BookmarkStore());
});

after(() => server.close());

const ask = (method, path, body) =>
  fetch(`${server.url}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

test('a new bookmark can be read back', async () => {
  const created = await ask('POST', '/bookmarks', { url: 'https://nodejs.org', title: '  Node.js  ' });
  assert.equal(created.status, 201);
  const { id } = await created.json();

  const read = await ask('GET', `/bookmarks/${id}`);
  assert.equal(read.status, 200);
  const bookmark = await read.json();
  assert.equal(bookmark.url, 'https://nodejs.org/');
  assert.equal(bookmark.title, 'Node.js');
  assert.equal(bookmark.note, '');
});

test('the list has the newest bookmark first', async () => {
  await ask('POST', '/bookmarks', { url: 'https://example.com/older', title: 'Older' });
  await ask('POST', '/bookmarks', { url: 'https://example.com/newer', title: 'Newer' });

  const list = await (await ask('GET', '/bookmarks')).json();
  assert.deepEqual(
    list.slice(0, 2).map((bookmark) => bookmark.title),
    ['Newer', 'Older'],
  );
});

test('a change leaves the other fields alone', async () => {
  const created = await ask('POST', '/bookmarks', { url: 'https://example.com', title: 'Exmaple', note: 'typo' });
  const { id } = await created.json();

  const changed = await (await ask('PATCH', `/bookmarks/${id}`, { title: 'Example' })).json();
  assert.equal(changed.title, 'Example');
  assert.equal(changed.note, 'typo');
  assert.equal(changed.url, 'https://example.com/');
});

test('a deleted bookmark is gone', async () => {
  const created = await ask('POST', '/bookmarks', { url: 'https://example.com/gone', title: 'Gone' });
  const { id } = await created.json();

  assert.equal((await ask('DELETE', `/bookmarks/${id}`)).status, 204);
  assert.equal((await ask('GET', `/bookmarks/${id}`)).status, 404);
});

test('health tells how many bookmarks there are', async () => {
  const health = await (await ask('GET', '/health')).json();
  assert.equal(health.status, 'ok');
  assert.ok(health.bookmarks > 0);
});
