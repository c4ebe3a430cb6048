import { z } from 'zod';
import { isGlob } from '../shared/glob.ts';
import type { BodyField } from './body-field.ts';
import { readBodyField, readSingleField } from './body-field.ts';
import { addKeyProblem, alsoWhenValuesFailed } from './checks.ts';
import { text } from './fields.ts';
import { readHeaderName } from './header-name.ts';
import { mayVaryOn } from './vary.ts';

/*
 * Which requests of a path an endpoint means, and how its polls differ from them.
 */

/** A value of a request as it can be compared. */
export type Scalar = string | number | boolean;

/** What a part of a request has to be. */
export interface Wanted {
  /** One of these; or anything, as long as it is there. */
  readonly values: readonly Scalar[] | 'any';
  /** It need not be there. */
  readonly mayLack: boolean;
}

/** A query parameter, or a field of a body, and what it has to be. */
export interface WantedParameter {
  readonly name: string;
  readonly wanted: Wanted;
}
export interface WantedField {
  readonly field: BodyField;
  readonly wanted: Wanted;
}

/** Which requests of a path are meant: those that all of this fits. */
export interface Match {
  readonly query: readonly WantedParameter[];
  readonly body: readonly WantedField[];
}

/** A query parameter or form field that a poll carries with this value, or not at all. */
export interface ParameterChange {
  readonly name: string;
  readonly value: string | null;
}
/** A part of a body that a poll carries with this value (of JSON: its text), or not at all. */
export interface FieldChange {
  readonly field: BodyField;
  readonly value: string | null;
}

/** How a poll differs from the page's own request. */
export interface RequestChanges {
  readonly query: readonly ParameterChange[];
  readonly body: readonly FieldChange[];
}

/** How an upstream hands out a token: with a refusal, in this header. */
export interface Handshake {
  readonly status: number;
  /** In lower case. */
  readonly header: string;
}

/** A record whose keys are read too, into a list; problems of keys and values are told at once. */
function entries<V extends z.ZodType, T>(
  value: V,
  problemOf: (key: string, value: unknown) => string | undefined,
  read: (key: string, value: z.output<V>) => T,
) {
  const check = z.superRefine((record: Record<string, unknown>, context) => {
    for (const [key, each] of Object.entries(record)) {
      const problem = problemOf(key, each);
      if (problem) addKeyProblem(context, [key], problem);
    }
  });
  return z
    .record(z.string(), value)
    .check(alsoWhenValuesFailed(check))
    .transform((record): readonly T[] =>
      Object.entries(record).map(([key, each]) => read(key, each as z.output<V>)),
    );
}

function nameProblem(name: string): string | undefined {
  if (name === '') return 'must be the name of a query parameter';
  if (isGlob(name)) return 'must name one parameter, without "*" and "?"';
  return halfProblem(name);
}

function singleFieldProblem(key: string): string | undefined {
  const field = readSingleField(key);
  return 'problem' in field ? field.problem : undefined;
}

/** A field that was checked: nothing is left to go wrong. */
function fieldOf(key: string): BodyField {
  const field = readSingleField(key);
  return 'problem' in field ? { kind: 'form', name: key } : field;
}

const scalar = z.union([
  z.string(),
  z.number().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER),
  z.boolean(),
  z.null(),
]);

const wanted = z.union([scalar, z.array(scalar).min(1)]);

function starProblem(value: unknown): string | undefined {
  return Array.isArray(value) && value.includes('*')
    ? 'has "*" in a list: "*" alone stands for any value'
    : undefined;
}

function readWanted(value: z.output<typeof wanted>): Wanted {
  if (value === '*') return { values: 'any', mayLack: false };
  const list = Array.isArray(value) ? value : [value];
  return { values: list.filter((each) => each !== null), mayLack: list.includes(null) };
}

const VALUES =
  'A value is a text, a number, true or false, or a list of which any one will do; "*" is any value, null means that it is not there.';

/** `match`. */
export const match = z
  .strictObject({
    query: entries(
      wanted,
      (name, value) => nameProblem(name) ?? starProblem(value),
      (name, value): WantedParameter => ({ name, wanted: readWanted(value) }),
    )
      .prefault({})
      .meta({
        description: `Query parameter -> its value. Where there are several of the name, all have to fit. ${VALUES}`,
        examples: [{ view: 'status', page: ['1', null] }],
      }),
    body: entries(
      wanted,
      (key, value) => singleFieldProblem(key) ?? starProblem(value),
      (key, value): WantedField => ({ field: fieldOf(key), wanted: readWanted(value) }),
    )
      .prefault({})
      .meta({
        description: `Part of the body -> its value: "/name" is a JSON Pointer into a JSON body, another name is a field of a form. ${VALUES}`,
        examples: [{ '/method': ['torrent-get', 'session-get'] }, { action: 'status' }],
      }),
  })
  .prefault({})
  .meta({
    description:
      'Which requests of this path are meant. All others go to the site untouched. Default: all.',
  });

/** `method`. */
export const method = z.enum(['GET', 'POST']).default('GET').meta({
  description:
    'With what the endpoint is asked for. A poll by POST sends the body of the page\'s own request; requests share it only when their bodies are the same, less "ignoreBody".',
});

/** `ignoreBody`. */
export const ignoreBody = z
  .array(
    text(readBodyField, { minLength: 1, examples: ['/params/nocache', '/rows/*/seen', 'token'] }),
  )
  .default([])
  .meta({
    description:
      'Parts of a body that only defeat caches: not compared, and not sent. A JSON Pointer whose names may hold "*" and "?" for any characters, or the name of a form field, which may too. An element of an array becomes null, so that the others keep their places.',
  });

/** `rpc`. */
export const rpc = z.literal('json-rpc').optional().meta({
  description:
    'Bodies are JSON-RPC calls: their "id" differs each time and is not compared. Polls have an id of their own, and who asked gets theirs back. Batches go to the site untouched.',
});

function parameterChange(name: string, value: Scalar | null): ParameterChange {
  return { name, value: value === null ? null : String(value) };
}

const halfProblem = (value: unknown) =>
  typeof value === 'string' && /\p{Surrogate}/u.test(value)
    ? 'must not hold half of a character'
    : undefined;

function bodyChangeProblem(key: string, value: unknown): string | undefined {
  const isText = typeof value !== 'object' || value === null;
  return (
    singleFieldProblem(key) ??
    halfProblem(value) ??
    (key.startsWith('/') || isText
      ? undefined
      : 'is a form field, which holds a text: a JSON Pointer starts with "/"')
  );
}

function fieldChange(key: string, value: unknown): FieldChange {
  const field = fieldOf(key);
  if (value === null || value === undefined) return { field, value: null };
  return { field, value: field.kind === 'json' ? JSON.stringify(value) : String(value) };
}

/** `request`. */
export const request = z
  .strictObject({
    query: entries(
      scalar,
      (name, value) => nameProblem(name) ?? halfProblem(value),
      (name, value) => parameterChange(name, value),
    )
      .prefault({})
      .meta({
        description: 'Query parameter -> the value with which it is sent; null leaves it out.',
        examples: [{ rid: '0' }],
      }),
    body: entries(z.unknown(), bodyChangeProblem, fieldChange)
      .prefault({})
      .meta({
        description:
          'JSON Pointer or form field -> the value with which it is sent; null leaves it out.',
        examples: [{ '/arguments/ids': 'recently-active' }],
      }),
  })
  .prefault({})
  .meta({ description: "How polls differ from the page's own request." });

function readHandshakeHeader(value: string): string | { problem: string } {
  const name = readHeaderName(value);
  if (typeof name !== 'string') return name;
  return mayVaryOn(name.toLowerCase()) && !/^(?:cookie|authorization)$/i.test(name)
    ? name.toLowerCase()
    : { problem: `"${value}" cannot be the header of a handshake` };
}

/** `handshake`. */
export const handshake = z
  .strictObject({
    status: z.int().min(400).max(499).meta({ description: 'The status of the refusal.' }),
    header: text(readHandshakeHeader, {
      description: 'The header with the token, in the refusal and in the polls.',
      examples: ['x-transmission-session-id'],
    }),
  })
  .optional()
  .meta({
    description:
      'The upstream refuses polls without a token that it hands out itself: when it answers with this status and this header, the poll is sent once more with the header, and so are those after it.',
  });
