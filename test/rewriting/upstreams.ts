import type { Mapping } from '../../src/passthrough/url-map.ts';
import { mappingOf } from '../../src/passthrough/url-map.ts';
import type { Downstream } from '../../src/shared/downstream.ts';

/** Upstreams that tests speak of. */
export interface KnownUpstreams {
  /** Mounted at another path. */
  readonly bayeux: Mapping;
  /** On the same host as `bayeux`, below its path, mounted beside it. */
  readonly admin: Mapping;
  /** Has no path of its own, and a port. */
  readonly io: Mapping;
  /** Mounted at the path that it has anyway. */
  readonly faye: Mapping;
  /** The legacy site. */
  readonly site: Mapping;
}

export const UPSTREAMS: KnownUpstreams = {
  bayeux: mappingOf(new URL('https://push.example/bayeux/'), '/chat'),
  admin: mappingOf(new URL('https://push.example/bayeux/admin'), '/chat-admin'),
  io: mappingOf(new URL('http://node.example:8000'), '/live/io'),
  faye: mappingOf(new URL('https://faye.example/faye'), '/faye'),
  site: mappingOf(new URL('http://legacy:3000'), ''),
};

/** All mounts; the site is none. */
export const MOUNTS: readonly Mapping[] = [
  UPSTREAMS.bayeux,
  UPSTREAMS.admin,
  UPSTREAMS.io,
  UPSTREAMS.faye,
];

/** A client that sees the site under this origin. */
export function clientOf(origin: string): Downstream {
  const [scheme, authority = ''] = origin.split('://');
  return {
    address: '192.0.2.7',
    peer: '192.0.2.7',
    scheme: scheme === 'https' ? 'https' : 'http',
    authority,
    host: authority.toLowerCase(),
    trusted: false,
  };
}
