import type { PersonalPolicy } from '../poll/personal.ts';
import type { Endpoint } from './endpoint.ts';
import { isKeyed } from './keyed-headers.ts';

/**
 * What the answers of a channel may say and be shared all the same.
 *
 * @param cookies - The `Cookie` lines that polls send now.
 */
export function personalPolicy(
  { config, isPrivate, keyed }: Pick<Endpoint, 'config' | 'isPrivate' | 'keyed'>,
  cookies: () => readonly string[],
): PersonalPolicy {
  const constants = new Set(Object.keys(config.headers).map((name) => name.toLowerCase()));
  return {
    isPublic: !isPrivate,
    setCookie: config.setCookie,
    cacheControl: config.cacheControl,
    isKeyed: (header) => constants.has(header) || isKeyed(header, keyed),
    get cookies() {
      return cookies();
    },
  };
}
