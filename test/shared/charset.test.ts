import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { charsetLabel, charsetOf, decodeText } from '../../src/shared/charset.ts';

const latin = (text: string) => Buffer.from(text, 'latin1');
const wide = (text: string) => Buffer.from(text, 'utf16le');
const swapped = (text: string) => wide(text).swap16();

type Case = readonly [rule: string, body: Buffer, type: string, text: string, charset: string];

const TEXTS: readonly Case[] = [
  ['a byte order mark says UTF-8', Buffer.from('\ufeffé'), 'text/plain', 'é', 'utf-8'],
  ['a byte order mark says UTF-16', wide('\ufeffé'), 'text/xml', 'é', 'utf-16le'],
  ['a byte order mark says which UTF-16', swapped('\ufeffé'), 'text/html', 'é', 'utf-16be'],
  [
    'a byte order mark is believed more than a header',
    wide('\ufeffé'),
    'text/html; charset=utf-8',
    'é',
    'utf-16le',
  ],
  ['a byte order mark counts in JSON', wide('\ufeff"é"'), 'application/json', '"é"', 'utf-16le'],
  ['a header says it', latin('é'), 'text/plain; charset=ISO-8859-1', 'é', 'windows-1252'],
  [
    'a header says it in quotes',
    latin('é'),
    'text/plain; charset="windows-1252"',
    'é',
    'windows-1252',
  ],
  [
    'a header says it in quotes that are wrong',
    latin('é'),
    "text/plain;charset='latin1'",
    'é',
    'windows-1252',
  ],
  [
    'a header says it after other parameters',
    latin('é'),
    'text/plain; format=flowed; CharSet = latin1',
    'é',
    'windows-1252',
  ],
  [
    'ASCII is windows-1252, as in browsers',
    latin('\x80é'),
    'text/plain; charset=us-ascii',
    '€é',
    'windows-1252',
  ],
  ['another alphabet', Buffer.from([0xd4]), 'text/plain; charset=koi8-r', 'т', 'koi8-r'],
  [
    'a charset of several bytes',
    Buffer.from([0x93, 0xfa]),
    'text/plain; charset=Shift_JIS',
    '日',
    'shift_jis',
  ],
  ['UTF-16 without a mark', wide('é'), 'text/plain; charset=utf-16le', 'é', 'utf-16le'],
  [
    'a header is believed more than a document',
    latin('<meta charset=koi8-r>é'),
    'text/html; charset=latin1',
    '<meta charset=koi8-r>é',
    'windows-1252',
  ],
  [
    'a document says it',
    latin('<meta charset=latin1>é'),
    'text/html',
    '<meta charset=latin1>é',
    'windows-1252',
  ],
  [
    'a document says it the old way',
    latin('<META http-equiv="Content-Type" content="text/html; charset=iso-8859-2">\xb1'),
    'text/html',
    '<META http-equiv="Content-Type" content="text/html; charset=iso-8859-2">ą',
    'iso-8859-2',
  ],
  [
    'a document says it without saying its type',
    latin('<meta http-equiv=content-type content="charset=koi8-r">\xd4'),
    'text/html',
    '<meta http-equiv=content-type content="charset=koi8-r">т',
    'koi8-r',
  ],
  [
    'a document says it with its attributes the other way round',
    latin("<meta content='text/html;charset=koi8-r' http-equiv=content-type />\xd4"),
    'text/html',
    "<meta content='text/html;charset=koi8-r' http-equiv=content-type />т",
    'koi8-r',
  ],
  [
    'a document says it in its declaration',
    latin('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'),
    'text/xml',
    '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>',
    'windows-1252',
  ],
  [
    'a picture says it in its declaration',
    latin("<?xml encoding='latin1'?><svg>é</svg>"),
    'image/svg+xml',
    "<?xml encoding='latin1'?><svg>é</svg>",
    'windows-1252',
  ],
  [
    'a document that says UTF-16 in ASCII is UTF-8',
    Buffer.from('<meta charset=utf-16>é'),
    'text/html',
    '<meta charset=utf-16>é',
    'utf-8',
  ],
  [
    'what is said in a comment is not said',
    Buffer.from('<!-- <meta charset=koi8-r> -->é'),
    'text/html',
    '<!-- <meta charset=koi8-r> -->é',
    'utf-8',
  ],
  [
    'what a description mentions is not said',
    Buffer.from('<meta name=a content="a; charset=koi8-r">é'),
    'text/html',
    '<meta name=a content="a; charset=koi8-r">é',
    'utf-8',
  ],
  [
    'what is said too late is not said',
    Buffer.from(`${' '.repeat(1024)}<meta charset=koi8-r>é`),
    'text/html',
    `${' '.repeat(1024)}<meta charset=koi8-r>é`,
    'utf-8',
  ],
  [
    'what a text mentions is not said',
    Buffer.from('<meta charset=koi8-r>é'),
    'text/plain',
    '<meta charset=koi8-r>é',
    'utf-8',
  ],
  [
    'a charset that nobody knows is not said',
    Buffer.from('<meta charset=klingon>é'),
    'text/html',
    '<meta charset=klingon>é',
    'utf-8',
  ],
  ['nobody says anything of UTF-8', Buffer.from('é'), 'text/html', 'é', 'utf-8'],
  [
    'nobody says anything of HTML that is no UTF-8',
    latin('é\x80'),
    'text/html',
    'é€',
    'windows-1252',
  ],
  ['JSON is UTF-8', Buffer.from('"é"'), 'application/json', '"é"', 'utf-8'],
  [
    'JSON is what a header says',
    latin('"é"'),
    'application/json;charset=iso-8859-1',
    '"é"',
    'windows-1252',
  ],
  ['a script', latin('é'), 'application/javascript; charset=latin1', 'é', 'windows-1252'],
  ['a form', latin('é'), 'application/x-www-form-urlencoded; charset=latin1', 'é', 'windows-1252'],
  ['bytes of any type that are UTF-8', Buffer.from('é'), 'application/octet-stream', 'é', 'utf-8'],
  ['bytes without type that are UTF-8', Buffer.from('é'), '', 'é', 'utf-8'],
  [
    'bytes that are said to be text',
    latin('é'),
    'application/octet-stream; charset=latin1',
    'é',
    'windows-1252',
  ],
  [
    'a picture that is UTF-8',
    Buffer.from('P1 1 1 0'),
    'image/x-portable-bitmap; charset=latin1',
    'P1 1 1 0',
    'utf-8',
  ],
  [
    'ASCII in a charset that nobody knows',
    latin('abc'),
    'text/plain; charset=klingon',
    'abc',
    'utf-8',
  ],
  ['nothing', Buffer.alloc(0), 'text/plain', '', 'utf-8'],
];
for (const [rule, body, type, text, charset] of TEXTS) {
  test(`a body is text: ${rule}`, () => {
    assert.equal(decodeText(body, type), text);
    assert.equal(charsetOf(body, type), charset);
  });
}

const NO_TEXTS: readonly (readonly [rule: string, body: Buffer, type: string])[] = [
  ['UTF-8 that is none', latin('é'), 'text/plain; charset=utf-8'],
  ['HTML that promises UTF-8 and is none', latin('<meta charset=utf-8>é'), 'text/html'],
  ['text of which nobody says anything and that is no UTF-8', latin('é'), 'text/plain'],
  ['XML of which nobody says anything and that is no UTF-8', latin('<a>é</a>'), 'text/xml'],
  ['JSON of which nobody says anything and that is no UTF-8', latin('"é"'), 'application/json'],
  [
    'bytes that a charset does not have',
    Buffer.from([0x93, 0x00]),
    'text/plain; charset=shift_jis',
  ],
  ['half a character', Buffer.from([0x00, 0xd8]), 'text/plain; charset=utf-16le'],
  ['a charset that nobody knows', latin('é'), 'text/plain; charset=klingon'],
  ['a charset that browsers gave up', latin('+AOk-'), 'text/plain; charset=utf-7'],
  ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47]), 'image/png'],
  ['a picture with a charset', Buffer.from([0xff, 0xd8, 0xff]), 'image/jpeg; charset=iso-8859-1'],
  [
    'bytes that begin like a mark by chance',
    Buffer.from([0xff, 0xfe, 0x41, 0x00]),
    'application/octet-stream',
  ],
  ['a sound that begins like a mark', Buffer.from([0xff, 0xfe, 0x41, 0x00]), 'audio/mpeg'],
];
for (const [rule, body, type] of NO_TEXTS) {
  test(`a body is no text: ${rule}`, () => {
    assert.equal(decodeText(body, type), undefined);
  });
}

test('every byte of windows-1252 is the character that it is in browsers', () => {
  // From the index of the Encoding Standard.
  const expected = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => 0x80 + index));
  assert.equal(decodeText(bytes, 'text/plain; charset=windows-1252'), expected);
  const others = Buffer.from(
    Array.from({ length: 256 }, (_, byte) => byte).filter((b) => b < 0x80 || b > 0x9f),
  );
  assert.equal(decodeText(others, 'text/plain; charset=windows-1252'), others.toString('latin1'));
});

test('the charset of a header is its own name in lower case', () => {
  assert.equal(charsetLabel('text/plain'), undefined);
  assert.equal(charsetLabel('text/plain; format=flowed'), undefined);
  assert.equal(charsetLabel('text/plain; charset=UTF8'), 'utf-8');
  assert.equal(charsetLabel('text/plain; charset=KOI8-R; x=y'), 'koi8-r');
  assert.equal(charsetLabel('text/plain; charset='), undefined);
});

test('whatever the bytes and the type are, reading them never throws', () => {
  const types = fc.oneof(
    fc.constantFrom('text/html', 'text/xml', 'application/json', 'image/png', ''),
    fc
      .constantFrom('utf-16', 'x-user-defined', 'iso-2022-kr', 'hz-gb-2312', 'replacement')
      .map((label) => `text/html; charset=${label}`),
    fc.string().map((label) => `text/plain; charset=${label}`),
    fc.string(),
  );
  const starts = fc.constantFrom(
    '',
    '\ufeff',
    '<meta charset=',
    '<?xml encoding="',
    '<meta http-equiv=content-type content="',
  );
  fc.assert(
    fc.property(types, starts, fc.uint8Array({ maxLength: 60 }), (type, start, bytes) => {
      const body = Buffer.concat([Buffer.from(start), bytes]);
      const text = decodeText(body, type);
      if (text !== undefined) assert.ok(charsetOf(body, type));
    }),
    { numRuns: 2_000 },
  );
});

test('a text in UTF-8 of any type is what it was', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('text/plain', 'image/png', ''),
      (text, type) => {
        const body = Buffer.from(text);
        assert.equal(decodeText(body, type), body.toString('utf8').replace(/^\ufeff/, ''));
      },
    ),
  );
});

test('a document that never ends a tag does not make reading slow', () => {
  const body = latin(`<meta ${'="'.repeat(500)}${'<meta '.repeat(200_000)}é`);
  assert.equal(charsetOf(body, 'text/html'), 'windows-1252');
});
