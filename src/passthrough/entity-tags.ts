import type { RawHeaders } from '../shared/raw-headers.ts';
import { mapHeaders } from './rewriting.ts';

/** What an entity tag has in its quotes; `undefined` of what is none. */
export function opaqueOf(tag: string): string | undefined {
  return /^(?:W\/)?"([^"]*)"$/.exec(tag.trim())?.[1];
}

/** Other bytes need another entity tag (RFC 9110 §8.8.3), and they are equal in meaning only. */
export function marked(headers: RawHeaders, mark: string): string[] {
  return mapHeaders(headers, (name, value) => {
    if (name !== 'etag') return value;
    const opaque = opaqueOf(value);
    return opaque === undefined ? undefined : `W/"${opaque}${mark}"`;
  });
}
