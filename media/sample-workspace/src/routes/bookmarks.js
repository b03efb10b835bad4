import { parseBookmark, parseChanges } from '../bookmark.js';
import { HttpError } from '../http.js';

export function bookmarkRoutes(store) {
  return [
    { method: 'GET', path: '/bookmarks', handle: () => ({ status: 200, body: store.list() }) },
    {
      method: 'POST',
      path: '/bookmarks',
      handle: ({ body }) => ({ status: 201, body: store.add(parseBookmark(body)) }),
    },
    {
      method: 'GET',
      path: '/bookmarks/:id',
      handle: ({ params }) => ({ status: 200, body: found(store.get(params.id), params.id) }),
    },
    {
      method: 'PATCH',
      path: '/bookmarks/:id',
      handle: ({ params, body }) => ({
        status: 200,
        body: found(store.update(params.id, parseChanges(body)), params.id),
      }),
    },
    {
      method: 'DELETE',
      path: '/bookmarks/:id',
      handle: ({ params }) => {
        found(store.remove(params.id) || undefined, params.id);
        return { status: 204 };
      },
    },
  ];
}

function found(value, id) {
  if (value === undefined) {
    throw new HttpError(404, `There is no bookmark ${id}`);
  }
  return value;
}
