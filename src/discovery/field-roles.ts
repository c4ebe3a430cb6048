import type { Shape, ShapeField } from './shape.ts';
import type { Event } from './track.ts';

/**
 * What a field is for: `buster` defeats caches; `cursor` says what the client has already; `call`
 * names the call of a script or of JSON-RPC; `opaque` is another text each time, and nobody can say
 * why; `part` tells one thing from another.
 */
export type FieldRole = 'buster' | 'cursor' | 'call' | 'opaque' | 'part';

const CURSOR =
  /^(?:since|after|cursor|sinceid|since_id|next_batch|(?:last|min|from)_?(?:id|seq|event|event_?id|mod|modified|modseq|update|updated|time|ts|check|message|msg|message_?id|timestamp)|seq|lastseq|last|rev|from|offset|start|version|ack|generation|index)$/i;
/** These say so also when they never changed while somebody looked. */
const SURE_CURSOR =
  /^(?:since|after|cursor|sinceid|since_id|next_batch|last_?(?:id|seq|event|event_?id|mod|modified|update|updated|message|msg|message_?id|check))$/i;
const BUSTER =
  /^(?:_+|_uniq|uniq(?:ue)?|_?dc|_?ts|_?t|tm|time|timestamp|now|cb|cache_?bust(?:er)?|_?no_?cache|nc|_?rnd|_?rand(?:om)?|_?r|ran|z|zx|x|ms|date|_?salt)$/i;
const CALL = /^(?:callback|jsonp|jsonpcallback|cb)$/i;
/** Of requests that can be compared with the one before. */
const MIN_COMPARED = 3;
const NEARLY_ALL = 0.9;

/** How the values of one field follow each other. */
interface Course {
  /** Whether times or fractions are nearly all of them. */
  readonly areTimes: boolean;
  readonly areFractions: boolean;
  readonly compared: number;
  readonly changed: number;
  /** Of the changes between numbers those that go up. */
  readonly rising: number;
  readonly numbers: number;
  /** No value was seen twice. */
  readonly isEachNew: boolean;
  /** A value that was left came back. */
  readonly comesBack: boolean;
}

/** What each field of a kind of requests is for, by how its values follow each other. */
export function fieldRoles(shape: Shape, clients: readonly (readonly Event[])[]): FieldRole[] {
  const isCall = shape.fields.some(
    ({ where, name }) => where === 'json' && /^\/(?:jsonrpc|method)$/.test(name),
  );
  return shape.fields.map((field, i) => {
    if (isCall && field.where === 'json' && field.name === '/id') return 'call';
    return roleOf(field, courseOf(clients, i));
  });
}

function roleOf({ name: pointer }: ShapeField, course: Course): FieldRole {
  const { compared, changed, isEachNew } = course;
  const name = pointer.split('/').at(-1) ?? '';
  const isEverOther = compared >= MIN_COMPARED && changed >= NEARLY_ALL * compared;
  const rises = course.numbers >= MIN_COMPARED && course.rising >= NEARLY_ALL * course.numbers;
  if (CALL.test(name) && isEverOther && !course.areTimes && course.numbers === 0) return 'call';
  if (SURE_CURSOR.test(name)) return 'cursor';
  if (CURSOR.test(name) && changed > 0 && (rises || course.areTimes)) return 'cursor';
  if (course.areTimes || course.areFractions) return 'buster';
  if (!isEverOther) return isCursorByCourse(course) ? 'cursor' : 'part';
  if (BUSTER.test(name) && isEachNew) return 'buster';
  if (course.numbers > 0) {
    // A number that goes up and down has nothing to say; one that only rises may say how far it is.
    if (rises) return 'cursor';
    return isEachNew ? 'buster' : 'part';
  }
  if (name === '') return 'buster';
  return isEachNew ? 'opaque' : 'part';
}

/** It rises now and then, and never goes back: it moves on with what there is to see. */
function isCursorByCourse({ compared, changed, numbers, rising, comesBack }: Course): boolean {
  return (
    compared >= MIN_COMPARED &&
    changed >= 2 &&
    numbers === changed &&
    rising === changed &&
    !comesBack
  );
}

function courseOf(clients: readonly (readonly Event[])[], field: number): Course {
  const seen = new Set<number>();
  const mark = 1 << field;
  const course = {
    total: 0,
    times: 0,
    fractions: 0,
    compared: 0,
    changed: 0,
    rising: 0,
    numbers: 0,
  };
  let comesBack = false;
  for (const events of clients) {
    const own = new Set<number>();
    let last: number | undefined;
    for (const { values, times, fractions } of events) {
      const value = values[field] ?? 0;
      course.total += 1;
      if (times & mark) course.times += 1;
      if (fractions & mark) course.fractions += 1;
      seen.add(value);
      if (last !== undefined) {
        course.compared += 1;
        if (value !== last) {
          course.changed += 1;
          if (own.has(value)) comesBack = true;
          if (value >= 0 && last >= 0) course.numbers += 1;
          if (value >= 0 && last >= 0 && value > last) course.rising += 1;
        }
      }
      own.add(value);
      last = value;
    }
  }
  return {
    ...course,
    areTimes: course.total > 0 && course.times >= NEARLY_ALL * course.total,
    areFractions: course.total > 1 && course.fractions >= NEARLY_ALL * course.total,
    isEachNew: course.total > 1 && seen.size >= NEARLY_ALL * course.total,
    comesBack,
  };
}
