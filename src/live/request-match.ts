import type { Wanted, WantedField, WantedParameter } from '../config/request.ts';
import { findValue, foldName, scalarAt } from './json-place.ts';
import type { RequestBody } from './request-body.ts';
import type { Parameter } from './url-encoded.ts';
import { parseParameters } from './url-encoded.ts';

/** Has the query of a target all of these parameters? */
export function matchesQuery(target: string, wanted: readonly WantedParameter[]): boolean {
  if (wanted.length === 0) return true;
  const start = target.indexOf('?');
  return matchesText(start === -1 ? '' : target.slice(start + 1), wanted);
}

/**
 * Has a body all of these fields? A body that cannot be looked into has none, and does not lack
 * any either.
 */
export function matchesBody(body: RequestBody, wanted: readonly WantedField[]): boolean {
  if (wanted.length === 0) return true;
  if (body.kind === 'opaque') return false;
  if (body.kind === 'json') {
    const { bytes } = body;
    return wanted.every(({ field, wanted: value }) => {
      return field.kind === 'json' && matchesPlace(bytes, field.path, value);
    });
  }
  const fields = wanted.flatMap(({ field, wanted: value }) =>
    field.kind === 'form' ? [{ name: field.name, wanted: value }] : [],
  );
  return fields.length === wanted.length && matchesText(body.text, fields);
}

function matchesPlace(bytes: Uint8Array, path: readonly string[], wanted: Wanted): boolean {
  const found = findValue(bytes, path);
  if (found === 'doubtful') return false;
  if (found === 'absent') return wanted.mayLack;
  if (wanted.values === 'any') return true;
  const value = scalarAt(bytes, found);
  return value !== undefined && wanted.values.includes(value);
}

/**
 * SECURITY: servers that also take ";" for "&", or compare names in their own way, see more
 * parameters: what is one by any of these readings has to fit.
 */
function matchesText(text: string, wanted: readonly WantedParameter[]): boolean {
  const parameters = parseParameters(text);
  const perhaps = [...parameters, ...(text.includes(';') ? parseParameters(text, /[&;]/) : [])];
  if (perhaps.some(({ name }) => name === undefined)) return false;
  return wanted.every(({ name, wanted: value }) => {
    const isThere = parameters.some((each) => each.name === name);
    return (
      (isThere || value.mayLack) &&
      perhaps.every((each) => !mayBeRead(each.name ?? '', name) || fitsText(each, value))
    );
  });
}

/** Could a server take a name for another one? PHP reads ` a.b[]` as an array named `a_b`. */
function mayBeRead(name: string, wanted: string): boolean {
  const plain = (text: string) => foldName(text.trimStart().replaceAll(/[. ]/g, '_'));
  const array = wanted.includes('[') ? -1 : name.indexOf('[');
  const names = array > 0 ? [name.slice(0, array), name.replaceAll('[', '_')] : [name];
  return names.some((each) => plain(each) === plain(wanted));
}

function fitsText(parameter: Parameter, { values }: Wanted): boolean {
  return values === 'any' || values.some((value) => String(value) === parameter.value);
}
