import type { PolledKind } from '../shared/discovery-report.ts';
import { patternProblem } from '../shared/path-pattern.ts';
import type { FoundParameter } from './parameters.ts';
import { isTooWide } from './parameters.ts';
import type { PolledGroup } from './polled.ts';
import { REST } from './request-fields.ts';

/** Kinds that are better left as they are. */
const LEFT: Readonly<Partial<Record<PolledKind, string>>> = {
  'long-poll':
    'the site holds these requests itself until there is something new: they pass through as they are',
  heartbeat: 'it tells the site that somebody is still there: the site has to get it',
  monitor: 'a program asks, no page',
  push: 'this is pushed already: it passes through as it is',
};

/** Why there is no line of the config for it; `undefined` when there is one. */
export function obstacleOf(
  group: PolledGroup,
  parameters: readonly FoundParameter[],
): string | undefined {
  const { kind, method, pattern, members } = group;
  const left = LEFT[kind];
  if (left !== undefined) return left;
  if (method !== 'GET' && method !== 'POST')
    return `it is asked for by ${method}, polls are GET or POST`;
  // SECURITY: a line of the config means what it says: no variable, no pattern, no control character.
  const paths = members.map(({ series }) => series.shape.path);
  const isOdd = paths.some((path) => !/^[\x21-\x7e]*$/.test(path) || /\$\{|\/:|\*/.test(path));
  if (isOdd || patternProblem(pattern) !== undefined) return 'its path cannot stand in the config';
  return parameterObstacle(group, parameters) ?? bodyObstacle(group, parameters);
}

function parameterObstacle(
  group: PolledGroup,
  parameters: readonly FoundParameter[],
): string | undefined {
  for (const { name, where, role, isOpaque } of parameters) {
    const shown = JSON.stringify(name);
    const key = where === 'query' ? 'ignoreQuery' : 'ignoreBody';
    if (isOpaque) {
      return `${shown} is another text each time: only if it does no more than defeat caches, name it in "${key}"`;
    }
    if (role === 'cursor') {
      return `${shown} says what the client has already, so that each client gets another answer`;
    }
    if (role === 'call' && !name.startsWith('/')) {
      return `${shown} is another name each time, and the answer has to call it`;
    }
    if (role !== 'part' && isOddName(name)) return `${shown} cannot stand in the config`;
    // Only of parameters without a name a pattern is meant.
    const isPattern = /[*?]/.test(name) && (role === 'buster' || role === 'choice');
    if (isPattern && (where === 'body' || role === 'choice' || isTooWide(name, group))) {
      return `${shown} in the config would mean others too`;
    }
  }
  return undefined;
}

/** Nothing, half of a character, or what is left of too many parts. */
function isOddName(name: string): boolean {
  return name === '' || name === REST || /\p{Surrogate}/u.test(name);
}

function bodyObstacle(
  { method, members }: PolledGroup,
  parameters: readonly FoundParameter[],
): string | undefined {
  if (method !== 'POST') return undefined;
  if (members.some(({ series }) => !series.shape.isBodyKnown)) {
    return 'it is polled by POST, and bodies are not written down: a HAR says which of them are polls';
  }
  return parameters.some(({ role }) => role === 'choice')
    ? undefined
    : 'it is polled by POST, and nothing in its bodies tells polls from actions';
}
