import type { BodyField } from '../config/body-field.ts';
import type { FieldChange, ParameterChange } from '../config/request.ts';
import type { Edit } from './json-edit.ts';
import { editJson } from './json-edit.ts';
import { findValue } from './json-place.ts';
import { rawText } from './json-text.ts';
import type { RequestBody } from './request-body.ts';
import { changeParameters, isIgnored, parseParameters } from './url-encoded.ts';

/** How the bodies of polls differ from those of the page's requests. */
export interface BodyChanges {
  readonly ignoreBody: readonly BodyField[];
  readonly rpc: 'json-rpc' | undefined;
  /** `request.body` of the config. */
  readonly changes: readonly FieldChange[];
}

/** The body of a poll. */
export interface ShapedBody {
  /** What is sent, and keyed: equal for all bodies that differ only in what does not count. */
  readonly sent: Buffer;
  /** With `rpc`: the caller's own id, as JSON text. */
  readonly callerId: string | undefined;
}

/** The id of every poll. */
const POLL_ID = '1';

/** SECURITY: it is given back to whoever sent it, and kept as long as the request waits. */
const MAX_ID_BYTES = 256;

/**
 * Make the body of a poll from the body of a request. Where nothing has to change, every byte is
 * the client's.
 *
 * @returns `undefined` when the body is not of the form that the changes are for: such a request is
 *   none of the endpoint.
 */
export function shapeBody(
  body: RequestBody,
  bytes: Uint8Array,
  { ignoreBody, rpc, changes }: BodyChanges,
): ShapedBody | undefined {
  if (ignoreBody.length === 0 && changes.length === 0 && !rpc) {
    return { sent: asBuffer(bytes), callerId: undefined };
  }
  if (body.kind === 'opaque' || changes.some(({ field }) => field.kind !== body.kind)) {
    return undefined;
  }
  if (body.kind === 'json') return shapeJson(body.bytes, { ignoreBody, rpc, changes });
  return rpc ? undefined : { sent: shapeForm(body, ignoreBody, changes), callerId: undefined };
}

/** Set query parameters of a target, or leave them out; everything else is byte for byte as it was. */
export function shapeTarget(target: string, changes: readonly ParameterChange[]): string {
  if (changes.length === 0) return target;
  const start = target.indexOf('?');
  const path = start === -1 ? target : target.slice(0, start);
  const query = start === -1 ? '' : target.slice(start + 1);
  const texts = changeParameters(parseParameters(query), changes);
  if (texts.length === 0) return query === '' ? target : path;
  return `${path}?${texts.join('&')}`;
}

function shapeJson(bytes: Uint8Array, options: BodyChanges): ShapedBody | undefined {
  const callerId = options.rpc ? readCallerId(bytes) : undefined;
  if (options.rpc && callerId === undefined) return undefined;
  const edits: Edit[] = [
    ...options.ignoreBody.flatMap((field) =>
      field.kind === 'json' ? [{ path: field.path, value: undefined }] : [],
    ),
    ...options.changes.flatMap(({ field, value }) =>
      field.kind === 'json' ? [{ path: field.path, value: value ?? undefined }] : [],
    ),
    ...(options.rpc ? [{ path: ['id'], value: POLL_ID }] : []),
  ];
  const text = editJson(bytes, edits);
  return text === undefined ? undefined : { sent: Buffer.from(text), callerId };
}

/** The id of a call. One without is a notification, which has no answer. */
function readCallerId(bytes: Uint8Array): string | undefined {
  const found = findValue(bytes, ['id']);
  if (typeof found === 'string' || found.end - found.start > MAX_ID_BYTES) return undefined;
  const raw = rawText(bytes, found);
  return raw === 'null' || /^["\d-]/.test(raw) ? raw : undefined;
}

function shapeForm(
  { parameters }: Extract<RequestBody, { kind: 'form' }>,
  ignoreBody: readonly BodyField[],
  changes: readonly FieldChange[],
): Buffer {
  const patterns = ignoreBody.flatMap((field) => (field.kind === 'form' ? [field.name] : []));
  const left = parameters.filter(({ name = '' }) => !isIgnored(name, patterns));
  const values = changes.flatMap(({ field, value }) =>
    field.kind === 'form' ? [{ name: field.name, value }] : [],
  );
  return Buffer.from(changeParameters(left, values).join('&'));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
