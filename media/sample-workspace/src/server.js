/** Puts the routes behind a server. */
import { createServer } from 'node:http';
import { HttpError, readJson, send } from './http.js';
import { findRoute } from './router.js';
import { bookmarkRoutes } from './routes/bookmarks.js';
import { healthRoutes } from './routes/health.js';

const METHODS_WITH_BODY = new Set(['POST', 'PATCH']);

/** Starts the service on 127.0.0.1; port 0 takes a free one. */
export async function startServer(store, port = 0) {
  const routes = [...healthRoutes(store), ...bookmarkRoutes(store)];
  const server = createServer((request, response) => {
    answer(routes, request, response).catch((error) => sendError(response, error));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(routes, request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const { route, params } = findRoute(routes, request.method, pathname);
  const body = METHODS_WITH_BODY.has(request.method) ? await readJson(request) : undefined;
  const result = route.handle({ params, query: searchParams, body });
  send(response, result.status, result.body);
}

function sendError(response, error) {
  if (error instanceof HttpError) {
    send(response, error.status, { error: error.message });
    return;
  }
  console.error(error);
  send(response, 500, { error: 'Something went wrong on our side' });
}
