import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../src/server.js';
import { BookmarkStore } from '../src/store.js';

let server;

before(async () => {
  server = await startServer(new BookmarkStore());
});

after(() => server.close());

/** Status and message of a request that must fail. */
async function refused(method, path, body) {
  const response = await fetch(`${server.url}${path}`, { method, ...(body === undefined ? {} : { body }) });
  return { status: response.status, message: (await response.json()).error };
}

const post = (bookmark) => refused('POST', '/bookmarks', JSON.stringify(bookmark));

test('an unknown path is named', async () => {
  const { status, message } = await refused('GET', '/nowhere');
  assert.equal(status, 404);
  assert.match(message, /\/nowhere/);
});

test('a known path with another method says what is possible', async () => {
  const { status, message } = await refused('DELETE', '/bookmarks');
  assert.equal(status, 405);
  assert.match(message, /possible: GET, POST/);
});

test('an unknown bookmark is named, whatever is asked of it', async () => {
  for (const [method, body] of [['GET'], ['PATCH', '{"title":"New"}'], ['DELETE']]) {
    const { status, message } = await refused(method, '/bookmarks/404', body);
    assert.equal(status, 404, method);
    assert.match(message, /bookmark 404/);
  }
});

test('a body that is no JSON is told apart from one that does not fit', async () => {
  assert.equal((await refused('POST', '/bookmarks', '{"url":')).status, 400);
  assert.equal((await refused('POST', '/bookmarks', '[]')).status, 422);
});

test('a body over 64 KB is refused, and the caller gets the answer', async () => {
  const { status, message } = await post({ url: 'https://example.com', title: 'Long', note: 'x'.repeat(70_000) });
  assert.equal(status, 413);
  assert.match(message, /64 KB/);
});

test('only http and https addresses are kept', async () => {
  for (const url of [undefined, '', 'nodejs.org', 'ftp://example.com', 'javascript:alert(1)']) {
    const { status, message } = await post({ url, title: 'Somewhere' });
    assert.equal(status, 422, String(url));
    assert.match(message, /"url"/);
  }
});

test('a title has 1 to 200 characters', async () => {
  for (const title of [undefined, '   ', 'x'.repeat(201)]) {
    assert.equal((await post({ url: 'https://example.com', title })).status, 422);
  }
});

test('an unknown field is named, so that a slip of the pen is noticed', async () => {
  const { status, message } = await post({ url: 'https://example.com', title: 'Red', colour: 'red' });
  assert.equal(status, 422);
  assert.match(message, /"colour"/);
});
