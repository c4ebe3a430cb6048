import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Gate } from '../../src/transport/gate.ts';
import { frameGate, scriptGate } from '../../src/transport/gate.ts';
import { httpTransports, ownUrlGate, webSocketGate } from '../../src/transport/transports.ts';

const OWN = 'https://shop.example';
const PARTNER = 'https://partner.example';
const EVIL = 'https://evil.example';
const OPEN_FOR_PARTNER = `open for ${PARTNER}`;

interface Given {
  readonly site?: string;
  readonly dest?: string;
  readonly origin?: string;
  readonly referer?: string;
  /** The origin that the URL names. */
  readonly claimed?: string;
}

/** `open`, `open for <origin>`, or the code of the refusal. */
function decide(gate: Gate, { site, dest, origin, referer, claimed }: Given): string {
  const headers = Object.entries({
    Origin: origin,
    Referer: referer,
    'Sec-Fetch-Site': site,
    'Sec-Fetch-Dest': dest,
  }).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  const result = gate(headers, { own: OWN, allowed: [PARTNER], claimed });
  if (result.kind === 'refused') return result.code;
  return result.foreign === undefined ? 'open' : `open for ${result.foreign}`;
}

const SCRIPT: [rule: string, given: Given, expected: string][] = [
  ['a page of our own', { site: 'same-origin', dest: 'script' }, 'open'],
  ['a page of our own in an old browser', { referer: `${OWN}/page?x#y` }, 'open'],
  ['our own Origin', { origin: OWN }, 'open'],
  ['our own page in other letters', { referer: 'HTTPS://Shop.Example/page' }, 'open'],
  ['who proves nothing: a program, or a page that hides its address', {}, 'CROSS_SITE'],
  ['an empty referrer', { referer: '' }, 'CROSS_SITE'],
  ['a referrer that is no URL', { referer: 'shop.example' }, 'CROSS_SITE'],
  ['a referrer without an origin', { referer: 'data:text/html,x' }, 'CROSS_SITE'],
  ['an address typed by a person', { site: 'none' }, 'CROSS_SITE'],
  ['our own referrer with no site behind it', { site: 'none', referer: `${OWN}/` }, 'CROSS_SITE'],
  ['our own referrer, but cross-site', { site: 'cross-site', referer: `${OWN}/` }, 'CROSS_SITE'],
  ['our own referrer, but same-site', { site: 'same-site', referer: `${OWN}/` }, 'CROSS_SITE'],
  ['our own Origin, but cross-site', { site: 'cross-site', origin: OWN }, 'CROSS_SITE'],
  ['cross-site without a referrer', { site: 'cross-site', dest: 'script' }, 'CROSS_SITE'],
  ['a listed page', { site: 'cross-site', referer: `${PARTNER}/a/b` }, OPEN_FOR_PARTNER],
  ['a listed page in an old browser', { referer: `${PARTNER}/` }, OPEN_FOR_PARTNER],
  ['a listed Origin', { site: 'cross-site', origin: PARTNER }, OPEN_FOR_PARTNER],
  ['a stranger', { site: 'cross-site', referer: `${EVIL}/` }, 'CROSS_SITE'],
  ['a stranger in an old browser', { referer: `${EVIL}/?${OWN}/` }, 'CROSS_SITE'],
  ['a stranger with a user name', { referer: `https://shop.example@evil.example/` }, 'CROSS_SITE'],
  ['our host by another scheme', { referer: 'http://shop.example/' }, 'CROSS_SITE'],
  ['our host by another port', { referer: `${OWN}:8443/` }, 'CROSS_SITE'],
  ['a listed host as a prefix', { referer: `${PARTNER}.evil.example/` }, 'CROSS_SITE'],
  ['a stranger whose referrer lies', { origin: EVIL, referer: `${OWN}/` }, 'CROSS_SITE'],
  ['an opaque origin whose referrer is ours', { origin: 'null', referer: `${OWN}/` }, 'CROSS_SITE'],
  ['an empty origin', { origin: '', referer: `${OWN}/` }, 'CROSS_SITE'],
];
for (const [rule, given, expected] of SCRIPT) {
  test(`a script for ${rule}: ${expected}`, () => {
    assert.equal(decide(scriptGate, given), expected);
  });
}

const FRAME: [rule: string, given: Given, expected: string][] = [
  ['a page of our own', { site: 'same-origin', dest: 'iframe' }, 'open'],
  ['a page of our own that names itself', { site: 'same-origin', claimed: OWN }, 'open'],
  ['an old browser', {}, 'open'],
  ['a person who opens it', { site: 'none' }, 'open'],
  ['cross-site without a name', { site: 'cross-site', dest: 'iframe' }, 'CROSS_SITE'],
  ['same-site without a name', { site: 'same-site', dest: 'iframe' }, 'CROSS_SITE'],
  ['cross-site in our own name', { site: 'cross-site', claimed: OWN }, 'CROSS_SITE'],
  ['a stranger in our own name', { origin: EVIL, claimed: OWN }, 'CROSS_SITE'],
  ['a listed page', { site: 'cross-site', claimed: PARTNER }, OPEN_FOR_PARTNER],
  ['a listed page in an old browser', { claimed: PARTNER }, OPEN_FOR_PARTNER],
  ['a page that names an origin that is not listed', { claimed: EVIL }, 'CROSS_SITE'],
  ['our own page that names a stranger', { site: 'same-origin', claimed: EVIL }, 'CROSS_SITE'],
];
for (const [rule, given, expected] of FRAME) {
  test(`a frame for ${rule}: ${expected}`, () => {
    assert.equal(decide(frameGate, given), expected);
  });
}

const DESTINATIONS: [name: string, gate: Gate, fits: string[]][] = [
  ['sse', httpTransports.sse.gate, ['empty', 'document']],
  ['stream', httpTransports.stream.gate, ['empty', 'document']],
  ['poll', httpTransports.poll.gate, ['empty', 'document']],
  ['multipart', httpTransports.multipart.gate, ['empty', 'image']],
  ['jsonp', httpTransports.jsonp.gate, ['script']],
  ['iframe', httpTransports.iframe.gate, ['iframe', 'frame']],
  ['ws', webSocketGate, ['websocket', 'empty']],
  ["an endpoint's own URL", ownUrlGate, ['empty', 'document']],
];
const ALL = ['empty', 'document', 'image', 'script', 'iframe', 'frame', 'websocket'];
const OTHERS = ['style', 'object', 'embed', 'video', 'worker', 'manifest', 'font', '', 'SCRIPT'];

for (const [name, gate, fits] of DESTINATIONS) {
  test(`${name} is for ${fits.join(' and ')} only, wherever the load comes from`, () => {
    for (const dest of [...ALL, ...OTHERS]) {
      const expected = fits.includes(dest) ? 'open' : 'WRONG_DESTINATION';
      assert.equal(decide(gate, { dest, site: 'same-origin' }), expected, dest);
      const partner = { dest, origin: PARTNER, claimed: PARTNER, site: 'cross-site' };
      const across = fits.includes(dest) ? OPEN_FOR_PARTNER : 'WRONG_DESTINATION';
      assert.equal(decide(gate, partner), across, dest);
    }
  });
}

test('only frames believe the origin that a URL names', () => {
  for (const [name, gate] of DESTINATIONS) {
    if (name === 'iframe') continue;
    const given = { site: 'cross-site', claimed: PARTNER };
    assert.equal(decide(gate, given), 'CROSS_SITE', name);
  }
});
