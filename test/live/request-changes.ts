import type { BodyField } from '../../src/config/body-field.ts';
import { ignoreBody, match, request } from '../../src/config/request.ts';
import { parseBody } from '../../src/live/request-body.ts';
import { matchesBody } from '../../src/live/request-match.ts';
import type { ShapedBody } from '../../src/live/request-shape.ts';
import { shapeBody } from '../../src/live/request-shape.ts';

export const FORM = 'application/x-www-form-urlencoded';

/** The keys of an endpoint that shape its polls' bodies, as they stand in a config. */
export interface BodyKeys {
  readonly ignore?: readonly string[];
  readonly rpc?: 'json-rpc';
  readonly set?: Readonly<Record<string, unknown>>;
}

/** Parts of a body, as `ignoreBody` names them. */
export function fields(names: readonly string[]): readonly BodyField[] {
  return ignoreBody.parse([...names]);
}

/** The body of the poll for a body that a client sends; `undefined` when there is none. */
export function shape(
  keys: BodyKeys,
  body: string | Uint8Array,
  contentType: string = 'application/json',
): ShapedBody | undefined {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return shapeBody(parseBody(contentType, bytes), bytes, {
    ignoreBody: fields(keys.ignore ?? []),
    rpc: keys.rpc,
    changes: request.parse({ body: keys.set ?? {} }).body,
  });
}

/** The same as text. */
export function sent(keys: BodyKeys, body: string, contentType?: string): string | undefined {
  return shape(keys, body, contentType)?.sent.toString();
}

/** Does `match.body` of a config mean a request with this body? */
export function isMeant(
  wanted: Readonly<Record<string, unknown>>,
  body: string | Uint8Array,
  contentType: string = 'application/json',
  contentEncoding?: string,
): boolean {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const parsed = parseBody(contentType, bytes, contentEncoding);
  return matchesBody(parsed, match.parse({ body: wanted }).body);
}
