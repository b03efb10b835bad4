export function tagRoutes(store) {
  return [{ method: 'GET', path: '/tags', handle: () => ({ status: 200, body: store.tags() }) }];
}
