import type { TestContext } from 'node:test';
import type { RawPeer } from './raw-peer.ts';
import { connectRaw } from './raw-peer.ts';

/** One HTTP answer, as it stood on the wire. Texts are latin1. */
export interface RawAnswer {
  readonly status: number;
  readonly statusLine: string;
  /** Name and value as received, in order, duplicates too. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The values of one header, in order; `name` in lower case. */
  values(name: string): string[];
  /** Decoded when it was chunked. */
  readonly body: string;
  /** False when the connection ended before the body did. */
  readonly isWhole: boolean;
  /** What followed on the connection. */
  readonly rest: string;
}

interface Body {
  readonly body: string;
  readonly isWhole: boolean;
  readonly rest: string;
}

/** Read the first answer in these bytes. `hasEnded` says that the peer closed cleanly. */
export function parseAnswer(
  text: string,
  { method = 'GET', hasEnded = false } = {},
): RawAnswer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const values = (name: string) =>
    headers.filter(([candidate]) => candidate.toLowerCase() === name).map(([, value]) => value);
  const status = Number(statusLine.split(' ')[1]);
  const after = text.slice(end + 4);
  const length = values('content-length')[0];
  let read: Body;
  if (method === 'HEAD' || status === 204 || status === 304 || status < 200) {
    read = { body: '', isWhole: true, rest: after };
  } else if (values('transfer-encoding').length > 0) {
    read = readChunks(after);
  } else if (length !== undefined) {
    const wanted = Number(length);
    read = {
      body: after.slice(0, wanted),
      isWhole: after.length >= wanted,
      rest: after.slice(wanted),
    };
  } else {
    read = { body: after, isWhole: hasEnded, rest: '' };
  }
  return { status, statusLine, headers, values, ...read };
}

function readChunks(text: string): Body {
  let rest = text;
  let body = '';
  for (;;) {
    const head = /^([0-9a-f]+)\r\n/i.exec(rest);
    const size = Number.parseInt(head?.[1] ?? '', 16);
    const start = head?.[0].length ?? 0;
    const isWhole = head !== null && rest.slice(start + size, start + size + 2) === '\r\n';
    if (!isWhole) return { body: body + rest.slice(start), isWhole: false, rest: '' };
    body += rest.slice(start, start + size);
    rest = rest.slice(start + size + 2);
    if (size === 0) return { body, isWhole: true, rest };
  }
}

/**
 * Wait for the answer that starts at byte `from` of what the peer sent: until it is whole, or
 * until the connection ended before it was.
 */
export async function readAnswer(
  peer: RawPeer,
  options: { method?: string; from?: number } = {},
): Promise<RawAnswer> {
  const parse = (hasEnded: boolean) =>
    parseAnswer(peer.received.slice(options.from ?? 0), { ...options, hasEnded });
  const arrived = new Promise<void>((resolve) => {
    const look = () => {
      if (!parse(false)?.isWhole) return;
      peer.socket.off('data', look);
      resolve();
    };
    peer.socket.on('data', look);
    look();
  });
  let ending: string | undefined;
  await Promise.race([arrived, peer.closed.then((how) => (ending = how))]);
  const answer = parse(ending === 'end');
  if (!answer) throw new Error(`no answer, ${ending}: ${JSON.stringify(peer.received)}`);
  return answer;
}

/** Send one request on a connection of its own and read the answer. */
export function ask(
  t: TestContext,
  port: number,
  request: string,
  method = request.split(' ', 1)[0] ?? 'GET',
): Promise<RawAnswer> {
  const peer = connectRaw(t, port);
  peer.send(request);
  return readAnswer(peer, { method });
}

/** A request head: the target, and header lines after `Host`. */
export function get(target = '/', ...lines: string[]): string {
  return [`GET ${target} HTTP/1.1`, 'Host: site.test', ...lines, '', ''].join('\r\n');
}
