import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../src/server.js';
import { BookmarkStore } from '../src/store.js';

const BOOKMARKS = [
  { url: 'https://nodejs.org/api/test.html', title: 'Node test runner', tags: ['JavaScript', 'testing'] },
  {
    url: 'https://developer.mozilla.org',
    title: 'MDN',
    note: 'Everything about JavaScript',
    tags: ['javascript', 'web'],
  },
  { url: 'https://www.sqlite.org', title: 'SQLite', tags: ['databases'] },
  { url: 'https://example.com', title: 'An example' },
];

let server;

before(async () => {
  server = await startServer(new BookmarkStore());
  for (const bookmark of BOOKMARKS) {
    assert.equal((await post(bookmark)).status, 201);
  }
});

after(() => server.close());

const post = (bookmark) => fetch(`${server.url}/bookmarks`, { method: 'POST', body: JSON.stringify(bookmark) });

async function titles(query) {
  const list = await (await fetch(`${server.url}/bookmarks?${new URLSearchParams(query)}`)).json();
  return list.map((bookmark) => bookmark.title);
}

test('a tag finds its bookmarks, newest first, in any letter case', async () => {
  assert.deepEqual(await titles({ tag: 'javascript' }), ['MDN', 'Node test runner']);
  assert.deepEqual(await titles({ tag: 'JAVASCRIPT' }), ['MDN', 'Node test runner']);
});

test('words are looked for in title, note and address', async () => {
  assert.deepEqual(await titles({ q: 'runner' }), ['Node test runner']);
  assert.deepEqual(await titles({ q: 'everything' }), ['MDN']);
  assert.deepEqual(await titles({ q: 'sqlite.org' }), ['SQLite']);
});

test('all words must be there, in any order', async () => {
  assert.deepEqual(await titles({ q: 'runner NODE' }), ['Node test runner']);
  assert.deepEqual(await titles({ q: 'runner sqlite' }), []);
});

test('tag and words narrow each other', async () => {
  assert.deepEqual(await titles({ tag: 'javascript', q: 'node' }), ['Node test runner']);
});

test('without a question everything is listed', async () => {
  assert.equal((await titles({})).length, BOOKMARKS.length);
  assert.equal((await titles({ tag: '', q: ' ' })).length, BOOKMARKS.length);
});

test('tags are kept once each, in lower case', async () => {
  const created = await post({ url: 'https://example.com/twice', title: 'Twice', tags: [' Once ', 'once', 'ONCE'] });
  const bookmark = await created.json();
  assert.deepEqual(bookmark.tags, ['once']);

  await fetch(`${server.url}/bookmarks/${bookmark.id}`, { method: 'DELETE' });
});

test('the tags are listed with how often they are used', async () => {
  const tags = await (await fetch(`${server.url}/tags`)).json();
  assert.deepEqual(tags, [
    { tag: 'javascript', count: 2 },
    { tag: 'databases', count: 1 },
    { tag: 'testing', count: 1 },
    { tag: 'web', count: 1 },
  ]);
});

test('tags that do not fit are refused', async () => {
  for (const tags of ['web', [''], ['x'.repeat(41)], [7], Array.from({ length: 11 }, (_, index) => `tag ${index}`)]) {
    const response = await post({ url: 'https://example.com', title: 'Example', tags });
    assert.equal(response.status, 422, JSON.stringify(tags));
  }
});

test('bookmarks from before there were tags can still be listed and searched', () => {
  const store = new BookmarkStore({ bookmarks: [{ id: '1', url: 'https://old.example/', title: 'Old', note: '' }] });
  assert.equal(store.list({ words: 'old' }).length, 1);
  assert.deepEqual(store.list({ tag: 'web' }), []);
  assert.deepEqual(store.tags(), []);
});
