import { isGlob, matchesGlob } from '../shared/glob.ts';
import { memberNamed, nameOf } from './json-place.ts';
import type { Container, Span } from './json-text.ts';
import { rawText, readContainer, valueStart } from './json-text.ts';

/** A change of one place in a JSON text. */
export interface Edit {
  /** Names and indexes from the outside inwards; where something is taken away also globs. */
  readonly path: readonly string[];
  /** JSON text; `undefined` takes away what is there. */
  readonly value: string | undefined;
}

/** What is to be done at one place, and below it. */
interface Plan {
  isDropped: boolean;
  value: string | undefined;
  readonly below: Map<string, Plan>;
}

/**
 * Change some places of a JSON text, and no other byte. A new value takes the place of the old one,
 * or comes last; objects around it are made. What is taken out of an array becomes null, so that
 * other elements keep their places. Where both are asked for, a value is set.
 *
 * Doing the same again changes nothing any more, and texts that differ only in what is taken out or
 * replaced become the same, unless members stand in another order.
 *
 * @param bytes - Valid JSON.
 * @returns `undefined` when it cannot be done, or could be done in two ways.
 */
export function editJson(bytes: Uint8Array, edits: readonly Edit[]): string | undefined {
  const start = valueStart(bytes);
  const end = readContainer(bytes, start)?.end ?? bytes.length;
  const text = rewrite(bytes, { start, end }, [planOf(edits)]);
  if (text === undefined) return undefined;
  const space = rawText(bytes, { start: 0, end: start });
  return `${space}${text}${rawText(bytes, { start: end, end: bytes.length })}`;
}

function planOf(edits: readonly Edit[]): Plan {
  const root = emptyPlan();
  for (const { path, value } of edits) {
    let plan = root;
    for (const name of path) {
      const next = plan.below.get(name) ?? emptyPlan();
      plan.below.set(name, next);
      plan = next;
    }
    if (value === undefined) plan.isDropped = true;
    else plan.value = value;
  }
  return root;
}

function emptyPlan(): Plan {
  return { isDropped: false, value: undefined, below: new Map() };
}

/** A value with what several plans want done to it. */
function rewrite(bytes: Uint8Array, span: Span, plans: readonly Plan[]): string | undefined {
  if (plans.every(({ below }) => below.size === 0)) return rawText(bytes, span);
  const container = readContainer(bytes, span.start);
  if (!container) return creates(plans) ? undefined : rawText(bytes, span);
  const names = namesBelow(plans);
  if (names.some((name) => memberNamed(bytes, container, name) === 'doubtful')) return undefined;
  const members = rewriteMembers(bytes, container, plans);
  const added = addMembers(bytes, container, plans);
  if (!members || !added) return undefined;
  const texts = [...members, ...added];
  if (texts.length === 0 && container.members.length === 0) return rawText(bytes, span);
  return container.kind === 'object' ? `{${texts.join(',')}}` : `[${texts.join(',')}]`;
}

function rewriteMembers(
  bytes: Uint8Array,
  container: Container,
  plans: readonly Plan[],
): string[] | undefined {
  const texts: string[] = [];
  for (const [index, member] of container.members.entries()) {
    const name = container.kind === 'array' ? String(index) : nameOf(bytes, member);
    const here = plans.flatMap((plan) => plansFor(plan, name));
    const value = replacement(here) ?? rewriteOrDrop(bytes, container, member.value, here);
    if (value === undefined) return undefined;
    if (value === DROPPED) continue;
    const before = rawText(bytes, { start: member.start, end: member.value.start });
    const after = rawText(bytes, { start: member.value.end, end: member.end });
    texts.push(`${before}${value}${after}`);
  }
  return texts;
}

const DROPPED = Symbol('dropped');

function rewriteOrDrop(
  bytes: Uint8Array,
  { kind }: Container,
  value: Span,
  plans: readonly Plan[],
): string | typeof DROPPED | undefined {
  if (!plans.some(({ isDropped }) => isDropped)) return rewrite(bytes, value, plans);
  return kind === 'array' ? 'null' : DROPPED;
}

/** What stands at a place whatever is there now. */
function replacement(plans: readonly Plan[]): string | undefined {
  const set = plans.find(({ value }) => value !== undefined);
  if (set) return set.value;
  return plans.some(({ isDropped }) => isDropped) && creates(plans) ? build(plans) : undefined;
}

/** Members that are to be there and are not. */
function addMembers(
  bytes: Uint8Array,
  container: Container,
  plans: readonly Plan[],
): string[] | undefined {
  const missing = namesBelow(plans).filter((name) => {
    const here = plans.flatMap(({ below }) => below.get(name) ?? []);
    return creates(here) && memberNamed(bytes, container, name) === 'absent';
  });
  // An array has no place for it.
  if (container.kind === 'array') return missing.length === 0 ? [] : undefined;
  return missing.map((name) => memberText(name, plans));
}

function memberText(name: string, plans: readonly Plan[]): string {
  const here = plans.flatMap(({ below }) => below.get(name) ?? []);
  return `${JSON.stringify(name)}:${build(here)}`;
}

/** The text of what is set at a place and below it. */
function build(plans: readonly Plan[]): string {
  const set = plans.find(({ value }) => value !== undefined);
  if (set?.value !== undefined) return set.value;
  // In the order of what is set alone, as when nothing was there.
  const setting = plans.filter((plan) => creates([plan]));
  const names = namesBelow(setting).filter((name) =>
    creates(setting.flatMap(({ below }) => below.get(name) ?? [])),
  );
  return `{${names.map((name) => memberText(name, setting)).join(',')}}`;
}

/** Is something set at this place, or below it? */
function creates(plans: readonly Plan[]): boolean {
  return plans.some(({ value, below }) => value !== undefined || creates([...below.values()]));
}

/** What a plan wants done to a member: by its name, and by globs that it fits. */
function plansFor({ below }: Plan, name: string): Plan[] {
  return [...below].flatMap(([wanted, plan]) =>
    wanted === name || (isGlob(wanted) && matchesGlob(wanted, name)) ? [plan] : [],
  );
}

function namesBelow(plans: readonly Plan[]): string[] {
  const names = plans.flatMap(({ below }) => [...below.keys()]);
  return [...new Set(names)].filter((name) => !isGlob(name));
}
