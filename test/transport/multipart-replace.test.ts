import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { controlEvent, patchEvent } from '../../src/protocol/event.ts';
import { mixedReplace } from '../../src/transport/multipart.ts';
import { snapshot } from '../protocol/events.ts';
import { OPTIONS } from './framings.ts';
import type { Part } from './multipart-reader.ts';
import { boundaryOf, readAsImage, stream } from './multipart-reader.ts';
import { bodies, types } from './multipart-states.ts';

const B = boundaryOf(mixedReplace);
const png = (id: string, body: string | Buffer = id) =>
  snapshot(id, Buffer.from(body), 'image/png');
const gif = (id: string) => snapshot(id, Buffer.from(id), 'image/gif');

/** The texts of what each of these events adds. */
const texts = (...events: ChannelEvent[]) =>
  [...stream(mixedReplace, events)].map(({ bytes }) => bytes.toString());

/** What an image element has shown, as `type body`. */
const shown = (bytes: Buffer) => readAsImage(bytes, B).map(({ type, body }) => `${type} ${body}`);

/** All of the bytes of these events, and their end. */
function ended(...events: ChannelEvent[]): Buffer {
  const pieces = [...stream(mixedReplace, events)];
  const farewell = pieces.at(-1)?.framing.farewell(2_000) ?? '';
  return Buffer.concat([...pieces.map(({ bytes }) => bytes), Buffer.from(farewell)]);
}

test('opened as a document it runs no scripts', () => {
  assert.deepEqual(mixedReplace.headers(OPTIONS), {
    'content-type': `multipart/x-mixed-replace; boundary=${B}`,
    'content-security-policy': "sandbox; default-src 'none'",
  });
});

test('the head of the next image is written with the image before it', () => {
  const next = `\r\n--${B}\r\nContent-Type: image/png\r\n\r\n`;
  assert.deepEqual(texts(png('a-1'), png('a-2'), png('a-3')), [
    `--${B}\r\n`,
    `Content-Type: image/png\r\n\r\na-1${next}`,
    `a-2${next}`,
    `a-3${next}`,
  ]);
});

test('an image is shown as soon as it is written, also one of another type', () => {
  let bytes = Buffer.alloc(0);
  const events = [png('a-1'), png('a-2'), gif('a-3'), gif('a-4'), png('a-5')];
  const last = [...stream(mixedReplace, events)].map((piece) => {
    bytes = Buffer.concat([bytes, piece.bytes]);
    return shown(bytes).at(-1);
  });
  const [png1, png2, png5] = ['image/png a-1', 'image/png a-2', 'image/png a-5'];
  assert.deepEqual(last, [undefined, png1, png2, 'image/gif a-3', 'image/gif a-4', png5]);
});

// Chromium shows an empty part as a broken image, and no image after it any more.
test('no part is left empty when an image is of another type than the one before it', () => {
  const parts = readAsImage(ended(png('a-1'), gif('a-2'), png('a-3')), B);
  assert.ok(!parts.slice(0, -1).some(({ body }) => body.length === 0), 'empty parts');
});

test('a body without a byte is no image and is not sent', () => {
  const [, first, empty, third] = texts(png('a-1'), png('a-2', ''), png('a-3'));
  assert.equal(empty, '');
  assert.ok(first?.startsWith('Content-Type: image/png\r\n\r\na-1') && third?.startsWith('a-3'));
});

// A single byte in the part that is begun already takes the place of the last image.
test('the last image stays when the stream ends', () => {
  for (const events of [[png('a-1')], [png('a-1'), png('a-2')], [png('a-1'), gif('a-2')]]) {
    const parts = readAsImage(ended(...events), B).filter(({ body }) => body.length > 0);
    assert.equal(String(parts.at(-1)?.body), events.at(-1)?.id);
  }
});

test('a stream that ends before its first image is well formed', () => {
  assert.equal(String(ended()), `--${B}\r\n\r\n\r\n--${B}--\r\n`);
});

test('a heartbeat before the first image is a field in its head that nobody knows', () => {
  const [prelude, first] = texts(png('a-1'));
  const bytes = `${prelude}${mixedReplace.heartbeat}${mixedReplace.heartbeat}${first}`;
  assert.deepEqual(shown(Buffer.from(bytes)), ['image/png a-1']);
  assert.equal(mixedReplace.heartbeat, 'X-Heartbeat: 1\r\n');
});

test('what is no state is not written, before the first image and after it', () => {
  const words = [
    controlEvent('stale', 'a-1~stale', { code: 'UPSTREAM_TIMEOUT' }),
    controlEvent('fresh', 'a-1', {}),
    patchEvent('json', 'a-2', '[]'),
    controlEvent('gone', undefined, { status: 410 }),
  ];
  assert.deepEqual(texts(...words).slice(1), ['', '', '', '']);
  const [, , ...after] = texts(png('a-1'), ...words, png('a-2'));
  assert.deepEqual(after.slice(0, -1), ['', '', '', '']);
  assert.ok(after.at(-1)?.startsWith('a-2\r\n'), 'the head that was begun is still open');
});

test('a body that holds the boundary is not written: it could be read as parts of ours', () => {
  for (const body of [B, `x\r\n--${B}\r\nContent-Type: text/html\r\n\r\n<script>`, `--${B}--`]) {
    const [, first, forged, next] = texts(png('a-1'), png('a-2', body), png('a-3'));
    assert.equal(forged, '');
    assert.ok(first?.includes('a-1') && next?.startsWith('a-3\r\n'));
    assert.equal(texts(png('a-1', body))[1], '');
  }
});

test('a head holds printable ASCII only, and never lines of the site', () => {
  for (const type of ['', 'image/é', 'image/png\r\n\r\nforged', 'a\nb', 'a\0b']) {
    const bytes = ended(snapshot('a-1', Buffer.from('x'), type));
    assert.equal(shown(bytes)[0], 'application/octet-stream x');
  }
});

test('whatever bytes and types follow each other, the newest that fits is shown', () => {
  const state = fc.record({ type: types, body: bodies(B, 1) });
  fc.assert(
    fc.property(fc.array(state, { maxLength: 8 }), (states) => {
      let bytes = Buffer.alloc(0);
      let wanted: string | undefined;
      let hasImage = false;
      const events = states.map(({ type, body }, i) => snapshot(`a-${i}`, body, type));
      for (const [i, piece] of [...stream(mixedReplace, events)].entries()) {
        bytes = Buffer.concat([bytes, piece.bytes]);
        const state = states[i - 1];
        const isWhole = state && state.body.length > 0 && !state.body.includes(B);
        if (isWhole && (isImage(state.type) || !hasImage)) {
          wanted = described(state);
          hasImage = isImage(state.type);
        }
        const last = readAsImage(bytes, B)
          .filter(({ body }) => body.length > 0)
          .at(-1);
        assert.equal(last && described(last), wanted);
      }
      const all = readAsImage(bytes, B).map(({ body }) => body.toString('latin1'));
      const given = new Set(states.map(({ body }) => body.toString('latin1')));
      assert.ok(
        all.every((body) => body === '' || given.has(body)),
        'nothing else is shown',
      );
    }),
    { numRuns: 300 },
  );
});

test('what is no image does not take the place of an image', () => {
  const events = [
    snapshot('a-1', Buffer.from('one'), 'image/png'),
    snapshot('a-2', Buffer.from('<p>error</p>'), 'text/html'),
    snapshot('a-3', Buffer.from('two'), 'image/png'),
  ];
  const bytes = Buffer.concat([...stream(mixedReplace, events)].map((piece) => piece.bytes));
  const all = readAsImage(bytes, B).map(({ body }) => body.toString('latin1'));
  assert.deepEqual(
    all.filter((body) => body !== ''),
    ['one', 'two'],
  );
});

const isImage = (type: string) => type.startsWith('image/');

function described({
  type = '',
  body,
}: Pick<Part, 'body'> & { readonly type: string | undefined }) {
  const isPrintable = type !== '' && [...type].every((c) => c >= ' ' && c <= '~');
  return `${isPrintable ? type.trim() : 'application/octet-stream'} ${body.toString('latin1')}`;
}
