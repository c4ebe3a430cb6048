/** One part of a multipart answer. */
export interface Part {
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Read a multipart stream (RFC 2046 §5.1) whose parts have a `Content-Length`: then a body may hold
 * anything, the boundary too. A part without one has no body.
 */
export function createMultipartParser(boundary: string, onPart: (part: Part) => void) {
  const delimiter = Buffer.from(`--${boundary}`);
  let rest = Buffer.alloc(0);

  /** The length of the first part with its delimiter; `undefined` while it is not all there. */
  function take(): number | undefined {
    const start = rest.indexOf(delimiter);
    if (start === -1) return undefined;
    const headStart = start + delimiter.length;
    const headEnd = rest.indexOf(HEAD_END, headStart);
    if (headEnd === -1) return undefined;
    const headers = parseHeaders(rest.subarray(headStart, headEnd).toString('latin1'));
    const bodyStart = headEnd + HEAD_END.length;
    const bodyEnd = bodyStart + Number(headers.get('content-length') ?? 0);
    if (rest.length < bodyEnd) return undefined;
    onPart({ headers, body: rest.subarray(bodyStart, bodyEnd) });
    return bodyEnd;
  }

  return (bytes: Buffer): void => {
    rest = Buffer.concat([rest, bytes]);
    for (let taken = take(); taken !== undefined; taken = take()) rest = rest.subarray(taken);
  };
}

function parseHeaders(head: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}
