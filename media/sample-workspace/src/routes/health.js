export function healthRoutes(store) {
  return [
    { method: 'GET', path: '/health', handle: () => ({ status: 200, body: { status: 'ok', bookmarks: store.size } }) },
  ];
}
