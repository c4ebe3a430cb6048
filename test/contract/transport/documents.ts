import { NASTY_TEXTS } from '../../transport/nasty-texts.ts';

/** A body of the site's, and what is nasty about it. */
export interface Document {
  readonly name: string;
  readonly type: string | undefined;
  readonly body: Buffer;
  /** It is JSON and says so. */
  readonly isJson: boolean;
  /** It is not UTF-8 text. */
  readonly isBinary: boolean;
}

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A line of JSON with 300 KB that are hard to write. */
const LARGE = JSON.stringify({ text: '\\"</script>\u2028é😀\n'.repeat(12_000) });

const JSON_TEXTS: readonly (readonly [name: string, text: string])[] = [
  ['quotes and backslashes', '{"a":"\\"\\\\\'`\\/"}'],
  ['line ends between tokens', '\n{"a":\r\n1,\r"b":\n[\r\n]}\r\n'],
  ['escaped line ends', '{"a":"1\\n2\\r\\n3\\r4"}'],
  ['ends of scripts and comments', '{"a":"</script><!--<script>]]>--></SCRIPT >"}'],
  ['what ends a CDATA section, and entities', '["]]>","&lt;&amp;","<![CDATA["]'],
  ['raw U+2028 and U+2029', '{"a":"1\u2028\u20292\u0085"}'],
  ['emoji', '{"😀":"👩‍👩‍👧‍👦 é ☃"}'],
  ['escapes of lone surrogates', '["\\ud800","\\udfff\\ud83d","a\\udc00b"]'],
  ['an escaped NUL', '{"a":"1\\u00002"}'],
  ['__proto__', '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":1}}}'],
  ['names that look alike', '{"a":1,"a":2,"A":3,"\\u0061":4,"":5,"é":6,"e\u0301":7}'],
  ['numbers beyond 2^53', '[9007199254740993,1e400,-0,0.10000000000000000001,1.0,1E5]'],
  ['an envelope of ours', '{"url":"/x","id":"y","event":"gone","data":{"retryMs":1}}'],
  ['a hint of ours', '{"event":"retry","data":{"retryMs":0}}'],
  ['an empty string', '""'],
  ['null', 'null'],
  ['spaces only around', '  \t{ "a" : 1 }\t '],
  ['300 KB', LARGE],
];

const NO_JSON_TEXTS: readonly (readonly [name: string, text: string])[] = [
  ['nothing', ''],
  ['half of it', '{"a":'],
  ['a line after it', '{"a":1}\n{"b":2}'],
  ['a byte order mark before it', '\ufeff{"a":1}'],
];

const BINARY: readonly (readonly [name: string, type: string, body: Buffer])[] = [
  ['a PNG', 'image/png', Buffer.from(PNG, 'base64')],
  [
    'invalid UTF-8 in JSON',
    'application/json',
    Buffer.from('7b2261223a22ff22 7d'.replace(' ', ''), 'hex'),
  ],
  ['invalid UTF-8 in text', 'text/plain; charset=utf-8', Buffer.from('61c3280d0a62', 'hex')],
  ['half of a surrogate pair in UTF-8', 'text/plain', Buffer.from('eda080', 'hex')],
  ['every byte', 'application/octet-stream', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
];

function text(
  kind: string,
  type: string | undefined,
  texts: readonly (readonly [name: string, text: string])[],
  isJson = false,
): Document[] {
  return texts.map(([name, body]) => ({
    name: `${kind}: ${name}`,
    type,
    body: Buffer.from(body),
    isJson,
    isBinary: false,
  }));
}

/** Documents that broke other servers. */
export const DOCUMENTS: readonly Document[] = [
  ...text('JSON', 'application/json', JSON_TEXTS, true),
  ...text('no JSON, though it says so', 'application/json', NO_JSON_TEXTS),
  ...text('text', 'text/plain; charset=utf-8', NASTY_TEXTS),
  ...text('text', 'text/plain', [
    ['what looks like line ends', 'a\u2028b\nc\u2029d\r\ne\u0085f\vg\fh'],
  ]),
  ...text('XML', 'application/xml', [['CDATA', '<a><![CDATA[ ]]&gt; </script> ]]></a>\r\n']]),
  ...text('of no type', undefined, [['JSON', '{"a":1}']]),
  ...BINARY.map(([name, type, body]) => {
    return { name: `binary: ${name}`, type, body, isJson: false, isBinary: true };
  }),
];
