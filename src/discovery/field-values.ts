import { redactUrl } from '../shared/logger.ts';
import type { KeyedHash } from './keyed-hash.ts';
import type { RequestField } from './request-fields.ts';

const DAY_MS = 86_400_000;
/** Clocks of clients are wrong, and a page may be open since yesterday. */
const TIME_TOLERANCE_MS = 2 * DAY_MS;
/** Values that may be shown, of files. */
const MAX_TEXTS = 20_000;
const SHOWN = /^[\p{L}\p{N} .,:+/_@-]{0,40}$/u;
const LOOKS_RANDOM = /(?=.*\d)[a-z0-9+/_-]{20,}/i;

/** The value of a field as a number, and what it looks like. */
export interface FieldValue {
  readonly value: number;
  readonly looksLike: 'time' | 'fraction' | undefined;
}

/**
 * Turns values into numbers: equal ones into equal ones. Of numbers the order stays too, since a
 * cursor is known by rising.
 *
 * SECURITY: a text becomes a keyed hash, and a number is multiplied by a secret one.
 */
export class FieldValues {
  readonly #hash: KeyedHash;
  readonly #factor: number;
  readonly #texts: Map<number, string> | undefined;

  /**
   * @param factor - A secret number between 1 and 2.
   * @param texts - Whether short values are kept to be shown: never those of a running proxy.
   */
  constructor(hash: KeyedHash, factor: number, texts: 'keep' | 'forget') {
    this.#hash = hash;
    this.#factor = factor;
    this.#texts = texts === 'keep' ? new Map() : undefined;
  }

  read(field: RequestField, atMs: number): FieldValue {
    const { text } = field;
    const plain = text.startsWith('"') && text.length > 1 ? text.slice(1, -1) : text;
    const number = asNumber(plain);
    const value = number === undefined ? -1 - this.#hash(text) : number * this.#factor;
    const looksLike = looks(plain, number, atMs);
    if (this.#texts && looksLike === undefined) this.#keep(value, field, this.#texts);
    return { value, looksLike };
  }

  /** The value as a JSON text, if it may be shown. */
  textOf(value: number): string | undefined {
    return this.#texts?.get(value);
  }

  #keep(value: number, { where, name, text }: RequestField, texts: Map<number, string>): void {
    if (texts.has(value) || texts.size >= MAX_TEXTS) return;
    const shown = where === 'json' && text.startsWith('"') ? text.slice(1, -1) : text;
    const parameter = `?${name.split('/').at(-1)}=${shown}`;
    // SECURITY: whatever looks like a secret by its name or by itself is only compared.
    const isSecret = redactUrl(parameter) !== parameter || LOOKS_RANDOM.test(shown);
    if (isSecret || !SHOWN.test(shown)) return;
    if (where !== 'json') texts.set(value, JSON.stringify(text));
    else if (canBeWanted(text)) texts.set(value, text);
  }
}

/** May it be wanted by `match`? There `null` is what is not there, and long numbers are not exact. */
function canBeWanted(json: string): boolean {
  return (
    json !== 'null' && (!/^-?\d/.test(json) || Math.abs(Number(json)) <= Number.MAX_SAFE_INTEGER)
  );
}

function asNumber(text: string): number | undefined {
  return /^(?:\d{1,15}|\d{1,9}\.\d{1,20}|\.\d{1,20})$/.test(text) ? Number(text) : undefined;
}

function looks(
  text: string,
  number: number | undefined,
  atMs: number,
): 'time' | 'fraction' | undefined {
  if (number === undefined) return undefined;
  const isTime =
    Math.abs(number - atMs) < TIME_TOLERANCE_MS ||
    Math.abs(number * 1_000 - atMs) < TIME_TOLERANCE_MS;
  if (isTime) return 'time';
  return number < 1 && /\.\d{6,}$/.test(text) ? 'fraction' : undefined;
}
