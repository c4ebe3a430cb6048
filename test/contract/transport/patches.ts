import assert from 'node:assert/strict';
import type { Operation } from 'rfc6902';
import { applyPatch } from 'rfc6902';
import { BARE_SSE, type Client } from './clients.ts';
import type { Told } from './heard.ts';
import { read } from './reader.ts';
import { rulesOf } from './rule.ts';
import { openSite } from './site.ts';

const TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
} as const;

type Format = keyof typeof TYPES;

const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ id: from + i, name: `row ${from + i}` }));

/** A document through its changes, some of which a patch can say and some not. */
const VERSIONS: readonly unknown[] = [
  { rows: rows(0, 30), total: 30, 'a/b~c': { deep: { left: 1, right: 2 } } },
  { rows: rows(0, 30), total: 31, 'a/b~c': { deep: { left: 1, right: 2 } } },
  { rows: rows(0, 31), total: 31, 'a/b~c': { deep: { left: 1, right: 3 } } },
  { rows: rows(2, 31), total: 31, 'a/b~c': { deep: { right: 3 } }, '': 'é😀\u2028' },
  { rows: rows(2, 31), total: null, 'a/b~c': { deep: { right: 3 } }, '': 'é😀\u2028' },
  { rows: rows(2, 31), total: 1, 'a/b~c': { deep: {} }, '': '' },
  ['an array', ...rows(0, 30)],
  ['an array', ...rows(0, 15), { id: 'new' }, ...rows(16, 30)],
  rows(0, 30),
  { rows: rows(0, 30), __proto: 1, big: '9007199254740993' },
  { rows: rows(0, 30), __proto: 2, big: '9007199254740993' },
];

/** The document after an event. */
function after(document: unknown, { event, data }: Told, format: Format): unknown {
  if (event === 'snapshot') return data;
  assert.equal(event, 'patch');
  if (format === 'merge') return merged(document, data);
  // The library changes what it is given, and cannot replace the whole of it.
  const root = { document: structuredClone(document) };
  const operations = (data as Operation[]).map((operation) => {
    const from = 'from' in operation ? { from: `/document${operation.from}` } : {};
    return { ...operation, ...from, path: `/document${operation.path}` } as Operation;
  });
  const failures = applyPatch(root, operations).filter((result) => result !== null);
  assert.deepEqual(failures, []);
  return root.document;
}

/** RFC 7386 §2. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Differences in place of whole states. */
export function testPatches(client: Client): void {
  const rule = rulesOf(client);
  const asked = { '/api/x': undefined };

  for (const format of ['json', 'merge'] as const) {
    rule(`who applies every patch has the site's document (${format})`, async (t) => {
      const site = await openSite(t, { endpoint: { patch: format } });
      site.putJson('/api/x', VERSIONS[0]);
      const reader = read(t, client, site, asked);
      let document: unknown;
      for (const version of VERSIONS) {
        site.putJson('/api/x', version);
        document = after(document, await reader.next(), format);
        assert.deepEqual(document, version);
      }
      const types = reader.events.map(({ event }) => event);
      assert.equal(types[0], 'snapshot');
      assert.equal(types.includes('patch'), client.takesPatches);
      const patch = reader.events.find(({ event }) => event === 'patch');
      if (client.transport === 'multipart') assert.equal(patch?.contentType, TYPES[format]);

      const late = await read(t, client, site, asked).next();
      assert.deepEqual([late.event, late.data], ['snapshot', VERSIONS.at(-1)]);
    });

    rule(
      `who missed several changes gets a patch for each (${format})`,
      async (t) => {
        const site = await openSite(t, { endpoint: { patch: format } });
        site.putJson('/api/x', VERSIONS[0]);
        const witness = read(t, BARE_SSE, site, asked);
        const { id, data } = await witness.next();
        for (const version of VERSIONS.slice(1, 4)) {
          site.putJson('/api/x', version);
          await witness.next();
        }
        const reader = read(t, client, site, { '/api/x': id });
        let document = data;
        for (const version of VERSIONS.slice(1, 4)) {
          document = after(document, await reader.next(), format);
          assert.deepEqual(document, version);
        }
        assert.deepEqual(
          reader.events.map((told) => `${told.event} ${told.id}`),
          witness.events.slice(1).map((told) => `${told.event} ${told.id}`),
        );
        assert.ok(reader.events.some(({ event }) => event === 'patch'));
      },
      !client.hasCursors && 'without ids there is nothing to resume from',
    );
  }
}
