/** What stands for a number or a name of one thing among many. */
const ID =
  /^(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27}|(?=[a-f]*\d)[0-9a-f]{8,}|[a-z]{1,6}[-_]?\d{2,}|(?=[\w-]*\d)[\w-]{16,})$/i;

/** Does a segment of a path look like the name of one thing among many? */
export function isId(segment: string): boolean {
  return ID.test(segment);
}

/**
 * Put paths together that differ in such segments only: `/orders/7/state` and `/orders/12/state` are
 * `/orders/:id/state`. A path that stands alone stays as it is.
 *
 * @returns the pattern of each path.
 */
export function patternsOf(paths: Iterable<string>): Map<string, string> {
  const groups = new Map<string, Set<string>>();
  for (const path of paths) {
    const shape = path
      .split('/')
      .map((segment) => (isId(segment) ? ':' : segment))
      .join('/');
    groups.set(shape, (groups.get(shape) ?? new Set()).add(path));
  }
  return new Map([...groups.values()].flatMap(patternOfGroup));
}

function patternOfGroup(paths: ReadonlySet<string>): [path: string, pattern: string][] {
  const [first = [], ...others] = [...paths].map((path) => path.split('/'));
  let names = 0;
  const segments = first.map((segment, i) => {
    if (others.every((other) => other[i] === segment)) return segment;
    names += 1;
    return names === 1 ? ':id' : `:id${names}`;
  });
  return [...paths].map((path) => [path, segments.join('/')]);
}
