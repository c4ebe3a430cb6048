import type { ParameterChange } from '../config/request.ts';
import { matchesGlob } from '../shared/glob.ts';

/*
 * Queries and forms: parameters between "&", as they stand there. What stays is byte for byte as it
 * was sent, order and empty parameters too.
 */

/** One parameter of a query or a form. */
export interface Parameter {
  readonly raw: string;
  /** `undefined` when it is no UTF-8: nobody knows what a server makes of it. */
  readonly name: string | undefined;
  /** As above: pages of another charset send such. */
  readonly value: string | undefined;
}

/** The parameters of a text. */
export function parseParameters(text: string, separator: RegExp | '&' = '&'): Parameter[] {
  if (text === '') return [];
  return text.split(separator).map((raw) => {
    const equals = raw.indexOf('=');
    const name = decode(equals === -1 ? raw : raw.slice(0, equals));
    return { raw, name, value: equals === -1 ? '' : decode(raw.slice(equals + 1)) };
  });
}

/** Does a pattern of `ignoreQuery` name this parameter, and does nothing else keep it? */
export function isIgnored(
  name: string,
  patterns: readonly string[],
  kept: readonly string[] = [],
): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, name)) && !kept.includes(name);
}

/**
 * Set parameters, or leave them out. A new value takes the place of the first of the name; others
 * of the name go.
 */
export function changeParameters(
  parameters: readonly Parameter[],
  changes: readonly ParameterChange[],
): string[] {
  const left = new Map(changes.map((change) => [change.name, textOf(change)]));
  const texts: string[] = [];
  const changed = new Set(left.keys());
  for (const { name, raw } of parameters) {
    if (name === undefined || !changed.has(name)) texts.push(raw);
    else if (left.has(name)) {
      texts.push(...(left.get(name) ?? []));
      left.delete(name);
    }
  }
  return [...texts, ...[...left.values()].flat()];
}

function textOf({ name, value }: ParameterChange): string[] {
  return value === null ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`];
}

function decode(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
