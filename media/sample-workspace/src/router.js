/** Finds the route for a request. A route is `{ method, path, handle }`; `:name` in a path matches one segment. */
import { HttpError } from './http.js';

/** Returns the route and its parameters. Throws 404 for an unknown path and 405 for a known one with another method. */
export function findRoute(routes, method, pathname) {
  const onPath = routes.flatMap((route) => {
    const params = matchPath(route.path, pathname);
    return params ? [{ route, params }] : [];
  });
  if (onPath.length === 0) {
    throw new HttpError(404, `There is nothing at ${pathname}`);
  }
  const found = onPath.find(({ route }) => route.method === method);
  if (!found) {
    const allowed = onPath.map(({ route }) => route.method).join(', ');
    throw new HttpError(405, `${method} is not possible here; possible: ${allowed}`);
  }
  return found;
}

function matchPath(pattern, pathname) {
  const expected = pattern.split('/');
  const actual = pathname.split('/');
  if (expected.length !== actual.length) {
    return undefined;
  }
  const params = {};
  for (const [index, segment] of expected.entries()) {
    if (segment.startsWith(':')) {
      params[segment.slice(1)] = actual[index];
    } else if (segment !== actual[index]) {
      return undefined;
    }
  }
  return params;
}
