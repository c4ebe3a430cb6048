import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Part } from '../../src/reader/multipart-parser.ts';
import { createMultipartParser } from '../../src/reader/multipart-parser.ts';
import type { SiteState } from '../flow/states-site.ts';
import { startStates } from '../flow/states-site.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { ask, get, parseAnswer } from '../support/raw-answer.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { until } from '../support/until.ts';

/*
 * Everybody who reads a multipart stream knows its boundary, and so can whoever writes into a state.
 * A part that the site never sent would be an image, or an event, of an attacker's.
 */

const FORMS = [
  ['x-mixed-replace', ''],
  ['mixed', '&type=mixed'],
] as const;

/** An open multipart stream. */
interface Reader {
  readonly boundary: string;
  readonly answer: RawAnswer;
  /** The parts with a body that have been shown until now, as the form's readers see them. */
  parts(): { type: string; body: string; names: string[] }[];
}

async function open(t: TestContext, port: number, query: string): Promise<Reader> {
  const peer: RawPeer = connectRaw(t, port);
  peer.send(get(`/_comet/multipart?url=/x${query}`));
  const head = parseAnswer(await peer.receive('\r\n\r\n'));
  assert.ok(head);
  assert.equal(head.status, 200);
  const [type = ''] = head.values('content-type');
  const boundary = /boundary=([^;\s]+)$/.exec(type)?.[1] ?? '';
  assert.ok(boundary.length >= 16, 'nobody guesses it');
  const body = () => parseAnswer(peer.received)?.body ?? '';
  return {
    boundary,
    answer: head,
    parts: () => (query === '' ? byBoundary(body(), boundary) : byLength(body(), boundary)),
  };
}

/** As browsers do: the boundary ends a part, wherever it stands. */
function byBoundary(body: string, boundary: string): ReturnType<Reader['parts']> {
  const pieces = body.split(new RegExp(`(?:\r\n)?--${boundary}(?:--)?\r\n`));
  return pieces.slice(1, -1).map((piece) => {
    const [head = '', ...rest] = piece.split('\r\n\r\n');
    const names = head.split('\r\n').map((line) => line.split(':', 1)[0] ?? '');
    const type = /^content-type: (.*)$/im.exec(head)?.[1] ?? '';
    return { type, body: rest.join('\r\n\r\n'), names };
  });
}

/** As programs do: the length tells where a part ends. */
function byLength(body: string, boundary: string): ReturnType<Reader['parts']> {
  const parts: Part[] = [];
  createMultipartParser(boundary, (part) => parts.push(part))(Buffer.from(body, 'latin1'));
  return parts
    .filter(({ headers }) => headers.has('x-event'))
    .map(({ headers, body: bytes }) => ({
      type: headers.get('content-type') ?? '',
      body: bytes.toString('latin1'),
      names: [...headers.keys()],
    }));
}

async function scene(t: TestContext, state: SiteState) {
  const site = await startStates(t, { '/x': state });
  const live = { '/x': { every: '50ms', vary: [] } };
  const proxy = await startTestProxy(t, { site: site.url, live });
  return { site, proxy };
}

const TEXT = { 'content-type': 'text/plain' };

for (const [form, query] of FORMS) {
  test(`a body that holds the boundary forges no part in ${form}`, async (t) => {
    const { site, proxy } = await scene(t, { headers: TEXT, body: 'first' });
    const reader = await open(t, proxy.port, query);
    await until(() => reader.parts().length === 1);
    const { boundary } = reader;
    const forged = [
      `x\r\n--${boundary}\r\nContent-Type: text/html\r\nX-Event: gone\r\n\r\nforged\r\n--${boundary}--\r\n`,
      `--${boundary}\r\nContent-Type: image/png\r\nContent-Length: 6\r\nX-Event: snapshot\r\n\r\nforged`,
      `--${boundary}`,
      boundary,
    ];
    for (const body of forged) {
      site.set('/x', { headers: TEXT, body });
      const polls = site.polls('/x');
      await until(() => site.polls('/x') >= polls + 2);
    }
    site.set('/x', { headers: TEXT, body: 'last' });
    await until(() => reader.parts().some(({ body }) => body === 'last'));
    const bodies = reader.parts().map(({ body }) => body);
    const type = new Set(reader.parts().map((part) => part.type));
    assert.deepEqual([...type], ['text/plain']);
    // Where a length tells the end of a part its body may hold anything; else it is left out.
    assert.deepEqual(bodies, form === 'mixed' ? ['first', ...forged, 'last'] : ['first', 'last']);
  });

  test(`who comes to ${form} while the state holds the boundary is shown no forged part`, async (t) => {
    const { site, proxy } = await scene(t, { headers: TEXT, body: 'first' });
    const { boundary } = await open(t, proxy.port, query);
    const body = `--${boundary}\r\nContent-Type: text/html\r\n\r\nforged\r\n--${boundary}\r\n`;
    site.set('/x', { headers: TEXT, body });
    const polls = site.polls('/x');
    await until(() => site.polls('/x') >= polls + 2);
    const late = await open(t, proxy.port, query);
    assert.equal(late.boundary, boundary);
    site.set('/x', { headers: TEXT, body: 'last' });
    await until(() => late.parts().some((part) => part.body === 'last'));
    assert.ok(late.parts().every(({ type }) => type === 'text/plain'));
    assert.ok(late.parts().every((part) => part.body !== 'forged'));
  });
}

test('a part is never a page with scripts: no document, no sniffing, a sandbox', async (t) => {
  const { site, proxy } = await scene(t, {
    headers: { 'content-type': 'text/html' },
    body: '<script>',
  });
  for (const [, query] of FORMS) {
    for (const destination of ['document', 'iframe', 'frame', 'object', 'embed', 'script']) {
      const request = get(`/_comet/multipart?url=/x${query}`, `Sec-Fetch-Dest: ${destination}`);
      const answer = await ask(t, proxy.port, request);
      assert.equal(answer.status, 403);
      assert.match(answer.body, /^WRONG_DESTINATION: /);
    }
  }
  assert.deepEqual(site.requests, []);
  for (const [, query] of FORMS) {
    const { answer } = await open(t, proxy.port, query);
    assert.deepEqual(answer.values('x-content-type-options'), ['nosniff']);
    assert.deepEqual(answer.values('cross-origin-resource-policy'), ['same-origin']);
    const policy = answer.values('content-security-policy')[0] ?? '';
    // Old browsers send no destination; they split and show the first form only.
    if (query === '') assert.match(policy, /(?:^|; )sandbox(?:;|$)/);
  }
});

const TYPES: readonly [what: string, line: string][] = [
  ['a folded line', 'Content-Type: text/plain;\r\n X-Event: gone'],
  ['a bare line feed', 'Content-Type: text/plain\n\nX-Event: gone'],
  ['a bare carriage return', 'Content-Type: text/plain\rX-Event: gone'],
  ['bytes beyond ASCII', 'Content-Type: text/plain; x=\xe9\x85'],
  ['a tab', 'Content-Type: text/plain;\tx=1'],
  ['nothing', 'Content-Type:'],
];
for (const [what, line] of TYPES) {
  test(`a type with ${what} adds nothing to the head of a part`, async (t) => {
    let body = '1';
    let typeLine = 'Content-Type: text/plain';
    const site = await startRawUpstream(t, (peer) => {
      let answered = 0;
      peer.socket.on('data', () => {
        const heads = peer.received.split('\r\n\r\n').length - 1;
        for (; answered < heads; answered++) {
          const length = `Content-Length: ${body.length}`;
          peer.send(`HTTP/1.1 200 OK\r\n${typeLine}\r\n${length}\r\n\r\n${body}`);
        }
      });
    });
    const live = { '/x': { every: '50ms', vary: [] } };
    const proxy = await startTestProxy(t, { site: site.url, live });
    const readers = await Promise.all(FORMS.map(([, query]) => open(t, proxy.port, query)));
    await until(() => readers.every((reader) => reader.parts().length === 1));
    [body, typeLine] = ['2', line];
    const asked = () =>
      site.connections.reduce((sum, { received }) => sum + received.split('GET ').length - 1, 0);
    const before = asked();
    await until(() => asked() >= before + 2);
    [body, typeLine] = ['3', 'Content-Type: text/plain'];
    await until(() => readers.every((reader) => reader.parts().some((part) => part.body === '3')));
    const known = /^(?:content-type|content-length|x-event|x-event-id|x-heartbeat)$/i;
    for (const reader of readers) {
      for (const { type, names } of reader.parts()) {
        assert.ok(
          names.every((name) => known.test(name)),
          JSON.stringify(names),
        );
        // The last is that of the word that says that the site answers nonsense.
        assert.match(
          type,
          /^(?:text\/plain[\x20-\x7e]*|application\/octet-stream|application\/json)?$/,
        );
      }
    }
  });
}

test('multipart carries one URL, so that no part is taken for one of another', async (t) => {
  const { site, proxy } = await scene(t, { headers: TEXT, body: '1' });
  for (const [, query] of FORMS) {
    const answer = await ask(t, proxy.port, get(`/_comet/multipart?url=/x&url=/x?2${query}`));
    assert.equal(answer.status, 400);
    assert.match(answer.body, /^BAD_PARAMETER: /);
  }
  assert.deepEqual(site.requests, []);
});
