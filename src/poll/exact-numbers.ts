/*
 * `JSON.parse` rounds numbers that a double cannot hold: two different documents would look the
 * same. Here such numbers become strings before it sees them.
 */

/** Starts a string that stands for a number; strings that start with it get it once more. */
const MARK = '\u0001';
/** The only spelling of the mark that JSON allows. */
const ESCAPED_MARK = '\\u0001';

/**
 * Quote numbers of a JSON text, so that none is lost when it is parsed: those that would be rounded
 * (`inexact`), or every one as it is written (`all`). `unquoted` tells them from strings then.
 *
 * What is no JSON is none after this either.
 */
export function quoteNumbers(text: string, which: 'inexact' | 'all'): string {
  if (which === 'inexact' && !DOUBTFUL.test(text)) return text;
  let result = '';
  let copied = 0;
  const put = (start: number, end: number, replacement: string) => {
    result += text.slice(copied, start) + replacement;
    copied = end;
  };
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const isMarked = text.startsWith(ESCAPED_MARK, at + 1);
      if (isMarked && !isName(text, end)) put(at + 1, at + 1, ESCAPED_MARK);
      at = end - 1;
    } else if (code === MINUS || isDigit(code)) {
      const end = endOfNumber(text, at);
      const kept = keptNumber(text.slice(at, end), which);
      if (kept !== undefined && !isName(text, end)) put(at, end, `"${ESCAPED_MARK}${kept}"`);
      at = end - 1;
    }
  }
  return result + text.slice(copied);
}

/** What a string was in the text before `quoteNumbers`: a number, or a string. */
export function unquoted(value: string): { kind: 'number' | 'string'; text: string } {
  if (!value.startsWith(MARK)) return { kind: 'string', text: value };
  return { kind: value.startsWith(MARK, 1) ? 'string' : 'number', text: value.slice(1) };
}

const [QUOTE, BACKSLASH, MINUS, COLON] = [0x22, 0x5c, 0x2d, 0x3a];

/** A double holds any number of 15 digits, if its power of ten is small. */
const ALWAYS_EXACT = 15;

/**
 * There may be a number of more digits, or with a large power, or a string that looks as if one had
 * been quoted. In most texts there is none, and this is much faster than to look for the others.
 */
const DOUBTFUL = /\d[\d.]{15}|\d[eE][+-]?\d{2}|"\\u0001/;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Behind the closing quote; in a broken text perhaps behind its end. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    at += code === BACKSLASH ? 2 : 1;
  }
  return at;
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1;
  while (isOfNumber(text.charCodeAt(at))) at += 1;
  return at;
}

/** Digits, `.`, `+`, `-`, `e` and `E`. */
function isOfNumber(code: number): boolean {
  return (
    isDigit(code) || code === 0x2e || code === 0x2b || code === MINUS || (code | 0x20) === 0x65
  );
}

/** Names of members are strings already: a number in their place is a mistake that must stay one. */
function isName(text: string, end: number): boolean {
  let at = end;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return text.charCodeAt(at) === COLON;
}

/** How a number is kept in a string; `undefined` when it need not be, or is none. */
function keptNumber(token: string, which: 'inexact' | 'all'): string | undefined {
  if (which === 'inexact' && !DOUBTFUL.test(token)) return undefined;
  if (!NUMBER.test(token)) return undefined;
  if (which === 'all') return token;
  const exact = decimal(token);
  return exact === decimal(String(Number(token))) ? undefined : exact;
}

/**
 * One text for all spellings of a number: its digits without zeros at either end, and the power of
 * ten that they are multiplied by.
 */
function decimal(token: string): string {
  const isNegative = token.startsWith('-');
  const [mantissa = '', power = '0'] = token.slice(isNegative ? 1 : 0).split(/[eE]/);
  // With a longer one nobody can count; the spelling stands for the number then.
  if (power.length > ALWAYS_EXACT) return token;
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = whole + fraction;
  let start = 0;
  while (digits[start] === '0') start += 1;
  if (start === digits.length) return '0';
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  const exponent = Number(power) - fraction.length + digits.length - end;
  return `${isNegative ? '-' : ''}${digits.slice(start, end)}e${exponent}`;
}
