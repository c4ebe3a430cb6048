import assert from 'node:assert/strict';
import type { z } from 'zod';
import { parts } from '../../src/config/part.ts';
import type { Comparison } from '../../src/poll/fingerprint.ts';
import { fingerprint } from '../../src/poll/fingerprint.ts';

const schema = parts('');

/** What a config says about a comparison. */
export interface Keys {
  readonly select?: z.input<typeof schema>;
  readonly ignore?: z.input<typeof schema>;
  readonly compare?: Comparison['compare'];
}

/** The comparison that these keys of a config mean. */
export function comparison({ select, ignore, compare = 'value' }: Keys = {}): Comparison {
  return { select: schema.parse(select), ignore: schema.parse(ignore), compare };
}

/** Tells of two bodies of the same type whether they are the same state. */
export function same(
  contentType: string,
  keys: Keys,
): (before: string | Buffer, after: string | Buffer) => boolean {
  const by = comparison(keys);
  const print = (body: string | Buffer) => fingerprint(Buffer.from(body), contentType, by);
  return (before, after) => print(before) === print(after);
}

/** Two bodies of the same type are the same state. */
export function assertSame(
  contentType: string,
  keys: Keys,
  [before, after]: readonly [string | Buffer, string | Buffer],
): void {
  assert.ok(
    same(contentType, keys)(before, after),
    `a change: ${shown(before)} -> ${shown(after)}`,
  );
}

/** Two bodies of the same type are different states. */
export function assertChange(
  contentType: string,
  keys: Keys,
  [before, after]: readonly [string | Buffer, string | Buffer],
): void {
  assert.ok(
    !same(contentType, keys)(before, after),
    `no change: ${shown(before)} -> ${shown(after)}`,
  );
}

function shown(body: string | Buffer): string {
  return Buffer.from(body).toString().slice(0, 500);
}
