/*
 * Which children of an element are the same things in two pages. By what is surest first: equal ends of
 * the lists, content that is there once, an `id`, attributes that are there once, names inside, the
 * most content in common, and the place at last. Nothing here takes more than a look or two at each part.
 */
import { increasing } from './increasing.ts';
import type { Part } from './parts.ts';
import { isBlank, textOf } from './parts.ts';

/** Of a large part so many descendants tell which it is. */
const MOST_BELOW = 200;

/** Something inside of a part that may tell it from its siblings. */
interface Feature {
  readonly key: string;
  readonly votes: number;
}

/** What an element is for the time being. */
const PASSING = /^(selected|checked|disabled|open|hidden|style|aria-.*)$/;

/** Find the `twin` of each child that has one; `place` is set in both lists. */
export function pairChildren(olds: readonly Part[], news: readonly Part[]): void {
  let [left, right] = pairEnds(start(olds), start(news));
  if (left.every(isCell) && hasSameShape(left, right)) {
    // Cells are what their columns are, whatever is in them.
    pairRun(left, right);
    return;
  }
  for (const step of [byPrint, byId, byAttributes, byNames, byContents]) {
    if (!left.length || !right.length) return;
    step(left, right);
    left = left.filter(isSingle);
    right = right.filter(isSingle);
  }
  if (left.length && right.length) pairByPlace(olds, news);
}

function start(parts: readonly Part[]): readonly Part[] {
  parts.forEach((part, place) => {
    part.twin = undefined;
    part.place = place;
  });
  return parts;
}

function pairEnds(olds: readonly Part[], news: readonly Part[]): [Part[], Part[]] {
  let first = 0;
  let [oldEnd, newEnd] = [olds.length, news.length];
  while (first < oldEnd && first < newEnd && isSame(olds[first], news[first])) first += 1;
  while (first < oldEnd && first < newEnd && isSame(olds[oldEnd - 1], news[newEnd - 1])) {
    oldEnd -= 1;
    newEnd -= 1;
  }
  return [olds.slice(first, oldEnd), news.slice(first, newEnd)];
}

/** Join two parts if they are equal. */
function isSame(one: Part | undefined, other: Part | undefined): boolean {
  if (!one || !other || one.print !== other.print) return false;
  join(one, other);
  return true;
}

function isCell({ name }: Part): boolean {
  return name === 'td' || name === 'th';
}

function join(one: Part, other: Part): void {
  one.twin = other;
  other.twin = one;
}

function isSingle(part: Part): boolean {
  return !part.twin;
}

function byPrint(olds: readonly Part[], news: readonly Part[]): void {
  pairUnique(olds, news, ({ name, print }) => (name ? `${print}` : ''));
}

function byId(olds: readonly Part[], news: readonly Part[]): void {
  pairUnique(olds, news, ({ kind }) => (kind.indexOf('#') < 0 ? '' : kind));
}

function byAttributes(olds: readonly Part[], news: readonly Part[]): void {
  pairUnique(olds, news, ({ kind, attributes }) => {
    const lasting = attributes.filter(({ name }) => !PASSING.test(name));
    return lasting.length ? `${kind}\0${textOf(lasting)}` : '';
  });
}

/** Pair what is there once in both lists; what has no key (`''`) is left out. */
function pairUnique(
  olds: readonly Part[],
  news: readonly Part[],
  keyOf: (part: Part) => string,
): void {
  const inOlds = onlyOnes(olds, keyOf);
  const inNews = onlyOnes(news, keyOf);
  for (const part of news) {
    const key = keyOf(part);
    const old = inOlds[key];
    if (key && old && inNews[key]) join(old, part);
  }
}

function onlyOnes(
  parts: readonly Part[],
  keyOf: (part: Part) => string,
): Record<string, Part | undefined> {
  const found: Record<string, Part | undefined> = Object.create(null);
  for (const part of parts) {
    const key = keyOf(part);
    found[key] = key in found ? undefined : part;
  }
  return found;
}

function byNames(olds: readonly Part[], news: readonly Part[]): void {
  byVotes(olds, news, namesOf);
}

function byContents(olds: readonly Part[], news: readonly Part[]): void {
  byVotes(olds, news, contentsOf);
}

/**
 * Of what two parts have inside, that which no sibling has speaks for them: the row with this name is
 * the row with this name wherever it went. Those whose votes for each other are the most are a pair.
 */
function byVotes(
  olds: readonly Part[],
  news: readonly Part[],
  featuresOf: (part: Part) => Feature[],
): void {
  const oldOwners = ownersOf(olds.map(featuresOf));
  const features = news.map(featuresOf);
  const newOwners = ownersOf(features);
  const best = olds.map(() => ({ place: -1, votes: 0 }));
  const wishes = news.map((part, place) => {
    const votesFor: Record<number, number> = Object.create(null);
    let wish = -1;
    let most = 0;
    for (const { key, votes } of features[place] ?? []) {
      const owner = newOwners[key] === place ? (oldOwners[key] ?? -1) : -1;
      if (olds[owner]?.kind !== part.kind) continue;
      const sum = (votesFor[owner] ?? 0) + votes;
      votesFor[owner] = sum;
      if (sum > most) [wish, most] = [owner, sum];
    }
    const rival = best[wish];
    if (rival && most > rival.votes) best[wish] = { place, votes: most };
    return wish;
  });
  wishes.forEach((wish, place) => {
    const [old, part] = [olds[wish], news[place]];
    if (old && part && best[wish]?.place === place) join(old, part);
  });
}

/** For each feature the place of the part that has it, -1 where several have. */
function ownersOf(features: readonly (readonly Feature[])[]): Record<string, number> {
  const owners: Record<string, number> = Object.create(null);
  features.forEach((ofOne, place) => {
    for (const { key } of ofOne) {
      const owner = owners[key];
      owners[key] = owner === undefined || owner === place ? place : -1;
    }
  });
  return owners;
}

/** What names things: texts in front, and attributes below, such as the target of a link. */
function namesOf(part: Part): Feature[] {
  const features: Feature[] = [];
  let hasText = false;
  forEachBelow(part, (below) => {
    for (const { name, value } of below.attributes) {
      if (PASSING.test(name) || name === 'class') continue;
      features.push({ key: `${name}=${value}`, votes: 2 });
    }
    if (!below.name && !hasText) features.push({ key: below.text, votes: 1 });
    hasText = hasText || !below.name;
  });
  return features;
}

function contentsOf(part: Part): Feature[] {
  const features: Feature[] = [];
  forEachBelow(part, ({ print }) => features.push({ key: `${print}`, votes: 1 }));
  return features;
}

function forEachBelow(part: Part, look: (below: Part) => void): void {
  let left = MOST_BELOW;
  const visit = ({ children }: Part): void => {
    for (const child of children) {
      if (isBlank(child)) continue;
      left -= 1;
      if (left < 0) return;
      look(child);
      visit(child);
    }
  };
  visit(part);
}

/** Between neighbours that are paired and in order, pair what is left one after the other. */
function pairByPlace(olds: readonly Part[], news: readonly Part[]): void {
  const paired = news.filter(({ twin }) => twin);
  const stays = increasing(paired.map(({ twin }) => twin?.place ?? 0));
  let oldStart = 0;
  let newStart = 0;
  const pairUpTo = (oldEnd: number, newEnd: number): void => {
    if (oldStart < oldEnd && newStart < newEnd) {
      const left = olds.slice(oldStart, oldEnd).filter(isSingle);
      pairRun(left, news.slice(newStart, newEnd).filter(isSingle));
    }
    [oldStart, newStart] = [oldEnd + 1, newEnd + 1];
  };
  paired.forEach(({ twin, place }, index) => {
    if (twin && stays[index]) pairUpTo(twin.place, place);
  });
  pairUpTo(olds.length, news.length);
}

function pairRun(olds: readonly Part[], news: readonly Part[]): void {
  const isSure = hasSameShape(olds, news);
  const waiting: Record<string, Part[]> = Object.create(null);
  for (let index = olds.length - 1; index >= 0; index -= 1) {
    const old = olds[index];
    if (!old) continue;
    const others = waiting[old.kind] ?? [];
    waiting[old.kind] = others;
    others.push(old);
  }
  for (const part of news) {
    const old = waiting[part.kind]?.pop();
    if (old && (isSure || isLike(old, part))) join(old, part);
  }
}

function hasSameShape(olds: readonly Part[], news: readonly Part[]): boolean {
  return olds.length === news.length && olds.every(({ kind }, index) => kind === news[index]?.kind);
}

/** Whether two parts that stand at the same place have anything in common, or nothing to compare. */
function isLike(old: Part, part: Part): boolean {
  if (!part.attributes.length && !old.attributes.length) return true;
  const own = old.attributes.map(({ name, value }) => `${name}=${value}`);
  return part.attributes.some(({ name, value }) => own.indexOf(`${name}=${value}`) >= 0);
}
