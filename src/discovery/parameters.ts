import type { PolledParameter } from '../shared/discovery-report.ts';
import { matchesGlob } from '../shared/glob.ts';
import type { FieldRole } from './field-roles.ts';
import type { FieldValues } from './field-values.ts';
import type { PolledGroup } from './polled.ts';
import type { Series } from './series.ts';
import type { ShapeField } from './shape.ts';

/** Names by which old software says what a request is for. */
const TELLS =
  /^(?:method|action|act|op|operation|cmd|command|do|task|function|func|fn|request|req|type|mode|view|page|route|r|q|module|controller)$/i;
/** With more values it is no choice, but what is asked for. */
const MAX_VALUES = 5;

/** A parameter with what else is needed for the config. */
export interface FoundParameter extends PolledParameter {
  /** Role of the field before it was seen what else there is under the path. */
  readonly isOpaque: boolean;
}

/** What the parts of a group's requests are for. */
export function parametersOf(group: PolledGroup, texts: FieldValues): FoundParameter[] {
  const found = new Map<
    string,
    { field: ShapeField; roles: Set<FieldRole>; values: Set<number> }
  >();
  for (const { series } of group.members) {
    for (const [i, field] of series.shape.fields.entries()) {
      const key = `${field.where} ${field.name}`;
      const known = found.get(key) ?? { field, roles: new Set(), values: new Set() };
      const role = series.roles[i];
      if (role) known.roles.add(role);
      const value = series.values[i];
      if (value !== undefined) known.values.add(value);
      found.set(key, known);
    }
  }
  const choice = choiceOf(group, texts);
  return [...found.values()].map(({ field, roles, values }): FoundParameter => {
    const [where, name] = [
      field.where === 'query' ? 'query' : 'body',
      nameOf(field, group),
    ] as const;
    const role = strongest(roles);
    const isChoice = choice !== undefined && sameField(choice, field);
    const told = [...values].map((value) => texts.textOf(value));
    return {
      name,
      where,
      role: isChoice ? 'choice' : role === 'opaque' ? 'cursor' : role,
      isOpaque: role === 'opaque',
      values: told.length <= MAX_VALUES ? told.filter((text) => text !== undefined) : [],
    };
  });
}

/** How the config names a parameter; of one without "=" a pattern of what was seen. */
function nameOf(field: ShapeField, { members }: PolledGroup): string {
  if (field.where !== 'query' || field.name !== '') return field.name;
  const bare = members.map(({ series }) => series.shape.bare).find((one) => one !== undefined);
  if (!bare) return '';
  // The digits of times go on to rise.
  const isTime = /^\d+$/.test(bare.prefix) && bare.length !== undefined && bare.length >= 10;
  const prefix = isTime ? bare.prefix.slice(0, 1) : bare.prefix;
  const isOne = bare.length !== undefined && bare.length > prefix.length;
  return isOne ? prefix + '?'.repeat((bare.length ?? 0) - prefix.length) : `${prefix}*`;
}

/** Would a pattern take the names of other parameters too? */
export function isTooWide(pattern: string, { members, others }: PolledGroup): boolean {
  const all = [...members.map(({ series }) => series), ...others];
  const literals = pattern.replaceAll(/[*?]/g, '');
  return (
    literals === '' ||
    all.some(({ shape }) =>
      shape.fields.some(({ name }) => name !== '' && matchesGlob(pattern, name)),
    )
  );
}

function strongest(roles: ReadonlySet<FieldRole>): FieldRole {
  for (const role of ['cursor', 'opaque', 'call', 'buster'] as const) {
    if (roles.has(role)) return role;
  }
  return 'part';
}

/** The field whose value tells these requests from all others of the path; of a POST always one. */
function choiceOf(group: PolledGroup, texts: FieldValues): ShapeField | undefined {
  const members = group.members.map(({ series }) => series);
  const [first] = members;
  if (!first || (group.others.length === 0 && group.method !== 'POST')) return undefined;
  const fits = first.shape.fields.filter((field) => {
    const values = new Set(members.map((one) => valueOfField(one, field)));
    const isTold =
      values.size <= MAX_VALUES &&
      [...values].every((value) => value !== undefined && texts.textOf(value) !== undefined);
    return isTold && !group.others.some((one) => values.has(valueOfField(one, field)));
  });
  const telling = fits.find(({ name }) => TELLS.test(name.split('/').at(-1) ?? ''));
  return telling ?? (group.others.length > 0 ? fits[0] : undefined);
}

function valueOfField({ shape, values }: Series, wanted: ShapeField): number | undefined {
  const at = shape.fields.findIndex((field) => sameField(field, wanted));
  return at === -1 ? undefined : values[at];
}

function sameField(a: ShapeField, b: ShapeField): boolean {
  return a.where === b.where && a.name === b.name;
}
