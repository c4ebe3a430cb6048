import { CREDENTIALS } from '../config/vary.ts';
import type { Identity } from './channel-key.ts';

/** What of a request says where it goes, from which address, or how its answer should look. */
const NOT_CREDENTIALS =
  /^(?:host|x-forwarded-.*|accept|accept-.*|user-agent|x-requested-with|origin|referer|prefer|dnt|sec-.*)$/;

/**
 * Is it one session that two requests were sent with, as far as these parts of them tell?
 *
 * SECURITY: requests without any credential are nobody's: what one of them does ends no channel.
 */
export function haveSameCredentials(a: Identity['forwarded'], b: Identity['forwarded']): boolean {
  const names = [...a.keys()].filter((name) => !NOT_CREDENTIALS.test(name));
  if (names.length === 0 || !isCovered(b, names)) return false;
  // A form or a link carries no header of a script's, such as a CSRF token: the others tell enough.
  const isEnough = names.some((name) => CREDENTIALS.has(name));
  const told = names.filter((name) => !isEnough || CREDENTIALS.has(name) || b.has(name));
  return told.every((name) => isEqual(a, b, name));
}

/** Has it no credential beside these? */
function isCovered(forwarded: Identity['forwarded'], names: readonly string[]): boolean {
  for (const name of forwarded.keys()) {
    if (!names.includes(name) && !NOT_CREDENTIALS.test(name)) return false;
  }
  return true;
}

function isEqual(a: Identity['forwarded'], b: Identity['forwarded'], name: string): boolean {
  const values = a.get(name) ?? [];
  const others = b.get(name) ?? [];
  return values.length === others.length && values.every((value, i) => value === others[i]);
}
