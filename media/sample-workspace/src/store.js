/** All bookmarks, in memory. Whoever wants to keep them listens with `onChange`. */
export class BookmarkStore {
  #bookmarks = new Map();
  #lastId = 0;
  #now;
  #onChange;

  /** `now` gives the time of day as a Date; `onChange` gets all bookmarks, oldest first, after every change. */
  constructor({ bookmarks = [], now = () => new Date(), onChange = () => {} } = {}) {
    this.#now = now;
    this.#onChange = onChange;
    for (const bookmark of bookmarks) {
      this.#bookmarks.set(bookmark.id, bookmark);
      this.#lastId = Math.max(this.#lastId, Number(bookmark.id));
    }
  }

  get size() {
    return this.#bookmarks.size;
  }

  /** Newest first. */
  list() {
    return [...this.#bookmarks.values()].reverse();
  }

  get(id) {
    return this.#bookmarks.get(id);
  }

  add(fields) {
    this.#lastId += 1;
    const bookmark = { id: String(this.#lastId), ...fields, createdAt: this.#now().toISOString() };
    this.#bookmarks.set(bookmark.id, bookmark);
    this.#changed();
    return bookmark;
  }

  /** The changed bookmark, or undefined where there is none with that id. */
  update(id, changes) {
    const bookmark = this.#bookmarks.get(id);
    if (!bookmark) {
      return undefined;
    }
    const changed = { ...bookmark, ...changes };
    this.#bookmarks.set(id, changed);
    this.#changed();
    return changed;
  }

  /** Whether there was one. */
  remove(id) {
    const removed = this.#bookmarks.delete(id);
    if (removed) {
      this.#changed();
    }
    return removed;
  }

  #changed() {
    this.#onChange([...this.#bookmarks.values()]);
  }
}
