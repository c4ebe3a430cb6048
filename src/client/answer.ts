import type { LiveState } from './live-states.ts';
import type { PageRequest } from './request-key.ts';

/** What a request of the page is answered with. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body: text, or base64 where `isBase64`. */
  readonly data: string;
  readonly isBase64: boolean;
  /** The site has sent this text in another charset than UTF-8. */
  readonly isRecoded: boolean;
}

/** As the site would answer this request. @param isRpc - With the `id` of its call. */
export function answerTo(
  { headers: asked, body }: PageRequest,
  state: LiveState,
  isRpc: boolean,
): Answer {
  const { status, headers, isBase64 } = state;
  const etag = headers['etag'];
  const isKnown =
    (etag !== undefined && asked['if-none-match'] === etag) ||
    (asked['if-modified-since'] !== undefined &&
      asked['if-modified-since'] === headers['last-modified']);
  const type = headers['content-type'];
  const isRecoded = type !== undefined && type !== state.contentType && !isBase64;
  const data = isRpc ? withId(state.data, callId(body)) : state.data;
  return {
    status: isKnown ? 304 : status,
    statusText: isKnown ? 'Not Modified' : status === 204 ? 'No Content' : 'OK',
    headers,
    data: isKnown ? '' : data,
    isBase64,
    isRecoded,
  };
}

/** The body as bytes. */
export function bytesOf({
  data,
  isBase64,
}: Pick<Answer, 'data' | 'isBase64'>): Uint8Array<ArrayBuffer> {
  // unescape turns the escapes of UTF-8 into one letter a byte; TextEncoder is younger than Blob.
  const letters = isBase64 ? atob(data) : unescape(encodeURIComponent(data));
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** The id of a JSON-RPC call, as JSON. */
function callId(body: string): string | undefined {
  try {
    return JSON.stringify((JSON.parse(body) as { id?: unknown }).id);
  } catch {
    return undefined;
  }
}

/** A JSON object with another value of its member `id`; all other letters stay. */
export function withId(text: string, id: string | undefined): string {
  if (id === undefined) return text;
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
  let depth = 0;
  let name = '';
  let from = -1;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [piece] = match;
    if (from >= 0 && depth === 1 && (piece === ',' || piece === '}')) {
      return `${text.slice(0, from)}${id}${text.slice(match.index)}`;
    }
    if (piece === '{' || piece === '[') depth += 1;
    else if (piece === '}' || piece === ']') depth -= 1;
    else if (piece === ':' && depth === 1 && name === '"id"') from = token.lastIndex;
    name = depth === 1 ? piece : '';
  }
  return text;
}
