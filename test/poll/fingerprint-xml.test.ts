import { test } from 'node:test';
import type { Keys } from './comparisons.ts';
import { assertChange, assertSame } from './comparisons.ts';

const XML = 'application/xml';

type Case = readonly [rule: string, keys: Keys, before: string, after: string];

/** Parts that are in none of these documents: they are compared by what they say. */
const NONE: Keys = { ignore: '/no/such/part' };
/** The same, but by how they are written. */
const BYTES: Keys = { ...NONE, compare: 'bytes' };

const feed = (built: string, title: string) =>
  `<?xml version="1.0"?>\n<rss version="2.0"><channel><lastBuildDate>${built}</lastBuildDate>
   <item><title>${title}</title></item></channel></rss>`;

const SAME: readonly Case[] = [
  ['an ignored element', { ignore: '/rss/channel/lastBuildDate' }, feed('1', 'a'), feed('2', 'a')],
  [
    'an ignored element with elements in it',
    { ignore: '/a/b' },
    '<a><b><c>1</c></b></a>',
    '<a><b>2</b></a>',
  ],
  [
    'whether an ignored element is there',
    { ignore: '/a/b' },
    '<a>\n <b/>\n <c/>\n</a>',
    '<a>\n <c/>\n</a>',
  ],
  ['where an ignored element cuts a text', { ignore: '/a/b' }, '<a>x<b/>y</a>', '<a>xy</a>'],
  ['an ignored attribute', { ignore: '/a/@t' }, '<a t="1" u="2"/>', '<a t="9" u="2"/>'],
  ['whether an ignored attribute is there', { ignore: '/a/@t' }, '<a t="1" u="2"/>', '<a u="2"/>'],
  ['all attributes, if they are ignored', { ignore: '/a/@*' }, '<a t="1" u="2">x</a>', '<a>x</a>'],
  [
    'an ignored element of any name',
    { ignore: '/a/*/c' },
    '<a><x><c>1</c></x></a>',
    '<a><x><c>2</c></x></a>',
  ],
  [
    'ignored elements whose names fit a glob',
    { ignore: '/a/t?-*' },
    '<a><t1-x>1</t1-x></a>',
    '<a/>',
  ],
  [
    'an ignored name with a prefix',
    { ignore: '/d:a/d:b' },
    '<d:a><d:b>1</d:b></d:a>',
    '<d:a><d:b>2</d:b></d:a>',
  ],
  ['how an element is closed', NONE, '<a><b></b></a>', '<a><b/></a>'],
  ['the order of attributes', NONE, '<a b="1" c="2"/>', "<a c='2' b='1'/>"],
  ['how a character is written', NONE, '<a>&lt;&#65;</a>', '<a><![CDATA[<A]]></a>'],
  ['whitespace between tags', NONE, '<a><b/><c/></a>', '<a>\n  <b/>\n  <c/>\n</a>'],
  ['comments', NONE, '<a>x<!-- in 3 ms -->y</a>', '<a>xy<!-- in 4 ms --></a>'],
  ['what is not selected', { select: '/rss/channel/item' }, feed('1', 'a'), feed('2', 'a')],
  [
    'attributes that are not selected',
    { select: '/a/@u' },
    '<a t="1" u="2"/>',
    '<a t="2" u="2">x</a>',
  ],
  [
    'what is ignored of what is selected',
    { select: '/a/b', ignore: '/a/b/@t' },
    '<a><b t="1"/></a>',
    '<a><b t="2"/></a>',
  ],
  [
    'what is selected and ignored',
    { select: '/a/b', ignore: '/a/b' },
    '<a><b>1</b></a>',
    '<a><b>2</b></a>',
  ],
  [
    'what is ignored, when bytes count',
    { ignore: '/a/@t', compare: 'bytes' },
    '<a t="1"> </a>',
    '<a t="2"> </a>',
  ],
];
for (const [rule, keys, before, after] of SAME) {
  test(`no change of XML: ${rule}`, () => assertSame(XML, keys, [before, after]));
}

const CHANGES: readonly Case[] = [
  ['a text', NONE, '<a>1</a>', '<a>2</a>'],
  ['a name', NONE, '<a/>', '<b/>'],
  ['the letter case of a name', NONE, '<a><b/></a>', '<a><B/></a>'],
  ['the prefix of a name', NONE, '<x:a/>', '<y:a/>'],
  ['an attribute', NONE, '<a b="1"/>', '<a b="2"/>'],
  ['an attribute "__proto__"', NONE, '<a __proto__="1"/>', '<a __proto__="2"/>'],
  ['an attribute that becomes an element', NONE, '<a b="1"/>', '<a><b>1</b></a>'],
  ['the order of elements', NONE, '<a><b/><c/></a>', '<a><c/><b/></a>'],
  ['the level of an element', NONE, '<a><b/><c/></a>', '<a><b><c/></b></a>'],
  ['whitespace around a text', NONE, '<a>x</a>', '<a> x</a>'],
  ['a no-break space', NONE, '<a></a>', '<a>&#160;</a>'],
  ['a processing instruction', NONE, '<?x 1?><a/>', '<?x 2?><a/>'],
  ['what is in an element that ends with the document', NONE, '<a><b c="1"', '<a><b c="2"'],
  ['text that looks like what is around it', NONE, '<a>x<b/></a>', '<a>x&lt;1:b&gt;/</a>'],
  ['what is not ignored', { ignore: '/rss/channel/lastBuildDate' }, feed('1', 'a'), feed('1', 'b')],
  ['the same name on another level', { ignore: '/b' }, '<a><b>1</b></a>', '<a><b>2</b></a>'],
  ['the same name under another root', { ignore: '/a/b' }, '<x><b>1</b></x>', '<x><b>2</b></x>'],
  ['the letter case of what is ignored', { ignore: '/a/b' }, '<a><B>1</B></a>', '<a><B>2</B></a>'],
  ['an attribute, where "*" means elements', { ignore: '/a/*' }, '<a t="1"/>', '<a t="2"/>'],
  ['an element, where "@*" means attributes', { ignore: '/a/@*' }, '<a><b/></a>', '<a/>'],
  [
    'the attribute of another element',
    { ignore: '/a/@t' },
    '<a><b t="1"/></a>',
    '<a><b t="2"/></a>',
  ],
  ['a selected element that appears', { select: '/a/b' }, '<a/>', '<a><b/></a>'],
  ['a selected attribute that appears', { select: '/a/@t' }, '<a/>', '<a t=""/>'],
  [
    'a selected attribute that moves',
    { select: '/a/*/@t' },
    '<a><b t="1"/><c/></a>',
    '<a><b/><c t="1"/></a>',
  ],
  [
    'selected texts that swap',
    { select: ['/a/b', '/a/c'] },
    '<a><b>1</b><c>2</c></a>',
    '<a><b>2</b><c>1</c></a>',
  ],
  [
    'selected elements that come in another order',
    { select: '/a/*' },
    '<a><b/><c/></a>',
    '<a><c/><b/></a>',
  ],
  [
    'the limits of selected elements',
    { select: '/a/b' },
    '<a><b>x</b><b>y</b></a>',
    '<a><b>xy</b></a>',
  ],
  ['whitespace between tags, when bytes count', BYTES, '<a><b/></a>', '<a> <b/></a>'],
  ['the order of attributes, when bytes count', BYTES, '<a b="1" c="2"/>', '<a c="2" b="1"/>'],
  ['comments, when bytes count', BYTES, '<a><!-- 1 --></a>', '<a><!-- 2 --></a>'],
  ['whitespace in a tag, where there are no parts', {}, '<a b="1"/>', '<a  b="1"/>'],
  ['whitespace in a tag, where the parts are for HTML', { ignore: { css: 'p' } }, '<a/>', '<a />'],
];
for (const [rule, keys, before, after] of CHANGES) {
  test(`a change of XML: ${rule}`, () => assertChange(XML, keys, [before, after]));
}

const TYPES = [XML, 'text/xml; charset=utf-8', 'application/rss+xml', 'image/svg+xml', 'Text/XML'];
for (const type of TYPES) {
  test(`an answer of the type ${type} is compared as XML`, () => {
    assertSame(type, { ignore: '/a/@t' }, ['<a t="1"/>', '<a t="2"/>']);
  });
}

test('XML is read by the encoding that it names', () => {
  const latin = (text: string) =>
    Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${text}`, 'latin1');
  assertSame(XML, { ignore: '/é/@t' }, [latin('<é t="1"/>'), latin('<é t="2"/>')]);
  assertChange(XML, { ignore: '/é/@t' }, [latin('<é>ü</é>'), latin('<é>ö</é>')]);
  const wide = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
  assertSame(XML, { ignore: '/é/@t' }, [wide('<é t="1"/>'), wide('<é t="2"/>')]);
});

test('XML in a charset that nobody knows keeps its parts', () => {
  const type = 'text/xml; charset=x-mac-klingon';
  const latin = (text: string) => Buffer.from(text, 'latin1');
  assertSame(type, { ignore: '/a/@t' }, [latin('<a t="1">é</a>'), latin('<a t="2">é</a>')]);
  assertChange(type, { ignore: '/a/@t' }, [latin('<a>é</a>'), latin('<a>è</a>')]);
});

test('XML that is nested very deeply is compared by bytes', () => {
  const nested = (levels: number, inner: string) =>
    '<a>'.repeat(levels) + inner + '</a>'.repeat(levels);
  assertChange(XML, NONE, [nested(100_000, '<b/>'), nested(100_000, '<b />')]);
  assertChange(XML, { ignore: '/a/a' }, [nested(513, '<b/>'), nested(513, '<b />')]);
  assertSame(XML, NONE, [nested(511, '<b/>'), nested(511, '<b />')]);
  assertSame(XML, { ignore: '/a/a' }, [nested(512, '1'), nested(512, '2')]);
});

test('no entity that a document defines is put in', () => {
  const bomb = (inner: string) =>
    `<!DOCTYPE a [<!ENTITY x "${'y'.repeat(100)}"><!ENTITY f SYSTEM "file:///etc/passwd">]><a>${inner}</a>`;
  assertChange(XML, NONE, [bomb('&x;'), bomb('y'.repeat(100))]);
  assertChange(XML, NONE, [bomb('&x;'), bomb('&f;')]);
});
