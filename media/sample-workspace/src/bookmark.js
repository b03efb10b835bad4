/** What a bookmark may look like when it comes from outside. One row of FIELDS per field. */
import { HttpError } from './http.js';

const LONGEST_TITLE = 200;
const LONGEST_NOTE = 2000;

const FIELDS = {
  url: parseUrl,
  title: parseTitle,
  note: parseNote,
};

/** A whole bookmark, as POST takes it. */
export function parseBookmark(body) {
  refuseUnknownFields(body);
  return Object.fromEntries(Object.entries(FIELDS).map(([name, parse]) => [name, parse(body[name])]));
}

/** Only the fields that are there, as PATCH takes them. */
export function parseChanges(body) {
  refuseUnknownFields(body);
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, FIELDS[name](value)]));
}

function refuseUnknownFields(body) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new HttpError(422, 'A bookmark is a JSON object');
  }
  const unknown = Object.keys(body).find((name) => !Object.hasOwn(FIELDS, name));
  if (unknown !== undefined) {
    throw new HttpError(422, `A bookmark has no field "${unknown}"`);
  }
}

function parseUrl(value) {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new HttpError(422, '"url" must be an http or https address');
  }
  return url.href;
}

function parseTitle(value) {
  const title = typeof value === 'string' ? value.trim() : '';
  if (title === '' || title.length > LONGEST_TITLE) {
    throw new HttpError(422, `"title" must be a text of 1 to ${LONGEST_TITLE} characters`);
  }
  return title;
}

function parseNote(value = '') {
  if (typeof value !== 'string' || value.length > LONGEST_NOTE) {
    throw new HttpError(422, `"note" must be a text of at most ${LONGEST_NOTE} characters`);
  }
  return value.trim();
}
