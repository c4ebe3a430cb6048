import type { VaryItem } from '../config/vary.ts';
import type { Sharing } from '../shared/explanation.ts';
import { headerValues } from '../shared/raw-headers.ts';
import type { AskedRequest } from './asked-request.ts';
import { varyLabel } from './endpoint-words.ts';
import { matchingHeaders } from './matching-headers.ts';

/** What an endpoint tells clients apart by. */
interface Identification {
  readonly vary: readonly VaryItem[];
  readonly authorizedBy?: readonly VaryItem[];
}

/** Who shares the polls of an endpoint, as far as the config says it. */
export function explainSharing(
  { vary, authorizedBy = [] }: Identification,
  asked: AskedRequest,
): Sharing {
  const told = missingParts([...vary, ...authorizedBy], asked);
  const missing = told.length > 0 ? { missing: told } : {};
  const parts = vary.filter(({ kind }) => kind !== 'query').map(varyLabel);
  const same = parts.length > 0 ? `the same ${parts.join(' and ')}` : 'the same host';
  if (authorizedBy.length > 0) {
    const proof = authorizedBy.map(varyLabel).join(' and ');
    const reason = `one poll is for all with ${same} whom the site lets in: each session is asked for once with its own ${proof}`;
    return { kind: 'authorized', reason, ...missing };
  }
  if (parts.length === 0) {
    const reason = `polls carry no credential, and all clients of ${same} share them`;
    return { kind: 'public', reason, ...missing };
  }
  const reason = `polls carry a client's ${parts.join(' and ')}, and only clients with the same share them`;
  return { kind: 'private', reason, ...missing };
}

/** Names of what polls forward of their clients, where it is not the name of the header. */
const FORWARDED_NAMES: ReadonlyMap<string, string> = new Map([
  ['x-forwarded-proto', 'scheme'],
  ['x-forwarded-for', 'ip'],
]);

/**
 * Names of the parts in which two clients differ: why they are on different channels.
 *
 * @param mine - What a poll forwards of the one: header names in lower case with their values.
 */
export function differingParts(
  mine: ReadonlyMap<string, readonly string[]>,
  other: ReadonlyMap<string, readonly string[]>,
): string[] {
  const valuesOf = (part: ReadonlyMap<string, readonly string[]>, name: string) =>
    JSON.stringify(part.get(name) ?? []);
  return [...new Set([...mine.keys(), ...other.keys()])]
    .filter((name) => valuesOf(mine, name) !== valuesOf(other, name))
    .map((name) => FORWARDED_NAMES.get(name) ?? name);
}

/** What clients are told apart by and the request has not; an absent parameter is an address too. */
function missingParts(items: readonly VaryItem[], asked: AskedRequest): string[] {
  const missing = items.filter((item) => !hasPart(item, asked)).map(varyLabel);
  return [...new Set(asked.downstream.host === '' ? ['host', ...missing] : missing)];
}

function hasPart(item: VaryItem, { rawHeaders, downstream }: AskedRequest): boolean {
  switch (item.kind) {
    case 'cookies':
      return headerValues(rawHeaders, 'cookie').length > 0;
    case 'cookie':
      return cookieNames(headerValues(rawHeaders, 'cookie')).includes(item.name);
    case 'header':
      return headerValues(rawHeaders, item.name).length > 0;
    case 'headers':
      return matchingHeaders(item.pattern, rawHeaders).length > 0;
    case 'address':
      return downstream.address !== '';
    case 'query':
      return true;
  }
}

function cookieNames(lines: readonly string[]): string[] {
  return lines
    .flatMap((line) => line.split(';'))
    .map((pair) => pair.split('=', 1)[0]?.trim() ?? '');
}
