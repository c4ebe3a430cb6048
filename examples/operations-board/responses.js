import { createHash } from 'node:crypto';

const BODY_LIMIT = 64 * 1024;

/** A failure that the visitor is told about with the status it carries. */
export class HttpError extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * Sends a complete response of one type.
 */
export function send(response, status, type, body, headers = {}) {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

/**
 * Sends a page, which browsers have to ask for again each time.
 */
export function sendHtml(response, status, html, headers = {}) {
  send(response, status, 'text/html; charset=utf-8', html, {
    'Cache-Control': 'no-cache',
    ...headers,
  });
}

/**
 * Sends a value as JSON.
 */
export function sendJson(response, status, value, headers = {}) {
  const type = 'application/json; charset=utf-8';
  send(response, status, type, JSON.stringify(value), { 'Cache-Control': 'no-cache', ...headers });
}

/**
 * Sends a value as JSON with an ETag, or just 304 when the browser has the same one already.
 */
export function sendTaggedJson(request, response, value, headers = {}) {
  const digest = createHash('sha1').update(JSON.stringify(value)).digest('hex');
  const tag = `"${digest.slice(0, 20)}"`;
  const known = (request.headers['if-none-match'] ?? '')
    .split(',')
    .map((entry) => entry.trim().replace(/^W\//, ''));
  if (known.includes(tag) || known.includes('*')) {
    response.writeHead(304, { ETag: tag, ...headers });
    response.end();
  } else {
    sendJson(response, 200, value, { ETag: tag, ...headers });
  }
}

/**
 * Sends the browser to another page of this site.
 */
export function redirect(response, location, headers = {}) {
  response.writeHead(302, { Location: location, 'Content-Length': 0, ...headers });
  response.end();
}

/**
 * Reads the urlencoded form in a request's body.
 */
export async function readForm(request) {
  const chunks = [];
  let size = 0;
  // Left open on an early exit, because the answer still has to go out on the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > BODY_LIMIT) {
      throw new HttpError(413, 'The form you sent is too large.', { Connection: 'close' });
    }
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
