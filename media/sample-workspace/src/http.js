/** The little of HTTP that every route needs. */

const LONGEST_BODY = 64 * 1024;

/** Something the caller did wrong. The message is sent as it is. */
export class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
  }
}

/** The request's body as JSON. A body that is too long is read to its end, so that the caller gets the answer. */
export async function readJson(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= LONGEST_BODY) {
      chunks.push(chunk);
    }
  }
  if (length > LONGEST_BODY) {
    throw new HttpError(413, `The body is longer than ${LONGEST_BODY / 1024} KB`);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpError(400, 'The body is not valid JSON');
  }
}

/** Sends a JSON answer; without a body only the status. */
export function send(response, status, body) {
  if (body === undefined) {
    response.writeHead(status).end();
    return;
  }
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text) })
    .end(text);
}
