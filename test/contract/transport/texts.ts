import assert from 'node:assert/strict';
import { open } from '../../../src/reader/open.ts';
import type { Received } from '../../../src/reader/received.ts';
import type { Client } from './clients.ts';
import type { Document } from './documents.ts';
import { DOCUMENTS } from './documents.ts';
import type { Told } from './heard.ts';
import { read } from './reader.ts';
import { rulesOf } from './rule.ts';
import { openSite } from './site.ts';

/** The nasty documents. */
export function testTexts(client: Client): void {
  const rule = rulesOf(client);
  const isBareSse = client.isBare && client.transport === 'sse';

  for (const document of DOCUMENTS) {
    const { name, type, body, isBinary } = document;
    if (isBareSse && isBinary) {
      rule(`a document arrives as it was, or is refused if that cannot be (${name})`, async (t) => {
        const site = await openSite(t);
        site.put('/api/x', { type, body });
        const { status, text = '' } = await read(t, client, site, { '/api/x': undefined }).ended;
        assert.equal(status, 406);
        assert.match(text, /^NOT_TEXT: /);
      });
      continue;
    }
    rule(`a document arrives as it was (${name})`, async (t) => {
      const site = await openSite(t);
      site.put('/api/x', { type, body });
      const reader = read(t, client, site, { '/api/x': undefined });
      const told = await reader.next();
      assert.equal(told.event, 'snapshot');
      assertSame(told.body, expectedBody(client, document));
      if (document.isJson) assertSameValue(told.data, body);
      assert.deepEqual([told.contentType, told.encoding], expectedType(client, document));
      site.putJson('/api/x', 'what follows is not disturbed');
      assert.equal((await reader.next()).data, 'what follows is not disturbed');
    });
    if (client.isBare) continue;
    rule(`the reading side of the command line reads the same (${name})`, async (t) => {
      const site = await openSite(t);
      site.put('/api/x', { type, body });
      const told = await read(t, client, site, { '/api/x': undefined }).next();
      const received = await firstOf(client, site.proxy.url);
      assert.deepEqual(received, asReceived(told, document));
    });
  }
}

/** The body as far as the transport gives it back. */
function expectedBody({ isBare, transport }: Client, { body, isJson }: Document): Buffer {
  const text = body.toString('latin1');
  if (isBare && transport === 'sse') return Buffer.from(text.replace(/\r\n|\r/g, '\n'), 'latin1');
  if (isBare || transport === 'multipart' || !isJson) return body;
  return Buffer.from(text.replace(/[\r\n]/g, ' '), 'latin1');
}

/** `contentType` and `encoding`. */
function expectedType({ isBare, transport }: Client, document: Document) {
  const { type = 'application/octet-stream', isJson, isBinary } = document;
  if (transport === 'multipart') return [type, undefined];
  const encoding = isBinary ? 'base64' : undefined;
  return [isBare || isJson ? undefined : type, encoding];
}

/** Without the comparison's own text, which would be longer than the body. */
function assertSame(actual: Buffer, expected: Buffer): void {
  if (actual.equals(expected)) return;
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  const near = (bytes: Buffer) => JSON.stringify(bytes.toString('latin1', at - 20, at + 20));
  assert.fail(`at byte ${at}: ${near(actual)}, not ${near(expected)}`);
}

function assertSameValue(actual: unknown, body: Buffer): void {
  const expected: unknown = JSON.parse(body.toString('utf8'));
  assert.deepEqual(actual, expected);
  if (typeof actual !== 'object' || actual === null) return;
  assert.deepEqual(Object.getOwnPropertyNames(actual), Object.getOwnPropertyNames(expected));
  assert.equal(Object.getPrototypeOf(actual), Object.getPrototypeOf(expected));
  assert.equal('polluted' in {}, false);
}

async function firstOf({ transport }: Client, origin: string): Promise<Received | undefined> {
  const urls = new Map([['/api/x', undefined]]);
  for await (const item of open({ origin, transport, urls, headers: {}, insecure: false })) {
    if (item.kind === 'event') return item.event;
  }
  return undefined;
}

/** The same in the members of an envelope, which multipart does not have on the wire. */
function asReceived({ body, ...told }: Told, { isJson, isBinary }: Document): object {
  if (isBinary) return { ...told, encoding: 'base64', data: body.toString('base64') };
  if (!isJson) return { ...told, data: body.toString('utf8') };
  const { contentType: _, ...rest } = told;
  return rest;
}
