import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadBookmarks, saveBookmarks } from '../src/bookmarkFile.js';
import { BookmarkStore } from '../src/store.js';

const node = { url: 'https://nodejs.org/', title: 'Node.js', note: '' };

test('ids go on after the highest one that was loaded', () => {
  const store = new BookmarkStore({ bookmarks: [{ id: '7', ...node }] });
  assert.equal(store.add(node).id, '8');
});

test('a bookmark says when it was made', () => {
  const store = new BookmarkStore({ now: () => new Date('2025-03-01T09:00:00Z') });
  assert.equal(store.add(node).createdAt, '2025-03-01T09:00:00.000Z');
});

test('every change is told, and only changes', () => {
  const told = [];
  const store = new BookmarkStore({ onChange: (bookmarks) => told.push(bookmarks.length) });
  const { id } = store.add(node);
  store.update(id, { title: 'Node' });
  store.update('99', { title: 'Nobody' });
  store.remove(id);
  store.remove(id);
  assert.deepEqual(told, [1, 1, 0]);
});

test('bookmarks survive in their file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shelf-'));
  const file = join(folder, 'data', 'bookmarks.json');
  try {
    assert.deepEqual(loadBookmarks(file), []);
    const store = new BookmarkStore({ onChange: (bookmarks) => saveBookmarks(file, bookmarks) });
    store.add(node);
    const again = new BookmarkStore({ bookmarks: loadBookmarks(file) });
    assert.deepEqual(again.list(), store.list());
  } finally {
    rmSync(folder, { recursive: true });
  }
});
