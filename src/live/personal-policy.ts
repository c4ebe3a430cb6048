import type { PersonalPolicy } from '../poll/personal.ts';
import type { Identity } from './channel-key.ts';
import type { Endpoint } from './endpoint.ts';
import { isKeyed } from './keyed-headers.ts';

/** What the answers of a channel may say and be shared all the same. */
export function personalPolicy(
  { config, isPrivate }: Pick<Endpoint, 'config' | 'isPrivate'>,
  { forwarded }: Pick<Identity, 'forwarded'>,
): PersonalPolicy {
  const constants = new Set(Object.keys(config.headers).map((name) => name.toLowerCase()));
  return {
    isPublic: !isPrivate,
    setCookie: config.setCookie,
    cacheControl: config.cacheControl,
    isKeyed: (header) => constants.has(header) || isKeyed(header, config.vary),
    cookies: forwarded.get('cookie') ?? [],
  };
}
