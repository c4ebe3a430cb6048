import type { Random } from './random.ts';

type Mutation = (text: string, random: Random) => string;

/** Header lines that disguise framing, routing or hops, or that parsers read in different ways. */
const LINES = [
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 5, 5',
  'Content-Length: +5',
  'Content-Length: 0x5',
  'Content-Length: 99999999999999999999',
  'Content-Length:',
  'Content-Length : 5',
  'content_length: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding: identity',
  'Trailer: X-Sum, Content-Length',
  'TE: trailers',
  'Connection: close',
  'Connection: keep-alive, Content-Length, Transfer-Encoding, Host',
  'Connection: Upgrade',
  'Upgrade: h2c',
  'Upgrade: websocket',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Host: other.test',
  'Keep-Alive: timeout=0, max=0',
  'X-Accel-Redirect: /x',
  'X-A: a\0b',
  'X-A: \x7f\x01',
  'X-A: caf\xe9\xff',
  '__proto__: a',
  ': empty',
  ' leading: a',
  'no colon',
  'Set-Cookie: a=b; Path=/',
  'Content-Encoding: gzip',
  'Content-Type: text/event-stream',
  'Location: http://[',
  'Via: 1.1 a, b, ,,',
  'Max-Forwards: 0',
  'Cookie: ; ;=;a=',
];

const ENDS = ['\n', '\r', '\r\r\n', '\n\n', '\r\n ', '\r\n\t', '\0\r\n', ''];

function at(text: string, random: Random, insert: string, dropped = 0): string {
  const index = random.int(text.length + 1);
  return text.slice(0, index) + insert + text.slice(index + dropped);
}

function inHead(text: string, change: (lines: string[]) => void): string {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return text;
  const lines = text.slice(0, end).split('\r\n');
  change(lines);
  return lines.join('\r\n') + text.slice(end);
}

const MUTATIONS: readonly Mutation[] = [
  // A bit is flipped.
  (text, random) => {
    const index = random.int(text.length);
    const code = text.charCodeAt(index) ^ (1 << random.int(8));
    return text.slice(0, index) + String.fromCharCode(code & 0xff) + text.slice(index + 1);
  },
  // A byte comes in, or goes.
  (text, random) => at(text, random, String.fromCharCode(random.int(256))),
  (text, random) => at(text, random, '', 1 + random.int(4)),
  // One line ends in another way.
  (text, random) => {
    const ends = [...text.matchAll(/\r\n/g)].map(({ index }) => index);
    const index = ends[random.int(ends.length)] ?? 0;
    return text.slice(0, index) + random.pick(ENDS) + text.slice(index + 2);
  },
  // All of them do.
  (text, random) => text.replaceAll('\r\n', random.pick(['\n', '\r\n', '\r'])),
  // A header comes in, comes twice, or goes.
  (text, random) =>
    inHead(text, (lines) => lines.splice(1 + random.int(lines.length), 0, random.pick(LINES))),
  (text, random) =>
    inHead(text, (lines) => lines.splice(1, 0, lines[1 + random.int(lines.length - 1)] ?? '')),
  (text, random) => inHead(text, (lines) => lines.splice(1 + random.int(lines.length), 1)),
  // There is too much of it.
  (text, random) =>
    inHead(text, (lines) =>
      lines.push(`X-Big: ${'b'.repeat(random.pick([1_000, 17_000, 70_000]))}`),
    ),
  (text) =>
    inHead(text, (lines) => lines.push(...Array.from({ length: 250 }, (_, i) => `X-${i}: a`))),
  // Numbers change: lengths, chunk sizes, statuses, versions.
  (text, random) =>
    text.replace(/\d+/g, (digits) => (random.chance(0.3) ? String(random.int(1_200)) : digits)),
  // The rest is missing, or comes twice.
  (text, random) => text.slice(0, random.int(text.length)),
  (text) => text + text,
];

/** Change a message in one to four ways. Texts are latin1. */
export function mutate(text: string, random: Random): string {
  let mutated = text;
  for (let i = random.int(4); i >= 0; i--) mutated = random.pick(MUTATIONS)(mutated, random);
  return mutated;
}

/** Cut a message into the parts in which it is sent. */
export function cut(text: string, random: Random): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > 1 && parts.length < 3 && random.chance(0.4)) {
    const size = 1 + random.int(rest.length - 1);
    parts.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return [...parts, rest];
}
