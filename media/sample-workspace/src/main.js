import { loadBookmarks, saveBookmarks } from './bookmarkFile.js';
import { startServer } from './server.js';
import { BookmarkStore } from './store.js';

const file = process.env.SHELF_FILE ?? 'data/bookmarks.json';
const store = new BookmarkStore({
  bookmarks: loadBookmarks(file),
  onChange: (bookmarks) => saveBookmarks(file, bookmarks),
});
const server = await startServer(store, Number(process.env.PORT ?? 3000));
console.log(`Shelf is open at ${server.url}, ${store.size} bookmarks from ${file}`);
