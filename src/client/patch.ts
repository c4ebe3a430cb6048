/** A step of a JSON patch (RFC 6902), of the kinds that the proxy uses. */
interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}

type Container = Record<string, unknown>;

/**
 * The next state, by a JSON patch or a merge patch. The state before is changed.
 *
 * @throws when the patch is not for this state, or has steps that the proxy does not make.
 */
export function patched(state: unknown, patch: unknown, contentType: string | undefined): unknown {
  // Without a type: a merge patch that is an array replaces everything, which the proxy says by a snapshot.
  const isMerge = !Array.isArray(patch) || /merge/.test(contentType ?? '');
  if (isMerge) return merged(state, patch);
  // A pointer begins with "/" or is empty: its first name is "", and leads to the whole.
  const root: Container = { '': state };
  for (const operation of patch as Operation[]) operate(root, operation);
  return root[''];
}

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Container = isObject(target) ? target : {};
  for (const name of Object.keys(patch)) {
    if (patch[name] === null) delete result[name];
    else result[name] = merged(own(result, name) ? result[name] : 0, patch[name]);
  }
  return result;
}

function operate(root: Container, { op, path, value }: Operation): void {
  const names = path.split('/').map((name) => name.replace(/~1/g, '/').replace(/~0/g, '~'));
  let parent: Container = root;
  let name = names.shift() ?? '';
  while (names.length > 0) {
    if (!own(parent, name)) throw path;
    parent = parent[name] as Container;
    name = names.shift() ?? '';
  }
  const isAdded = op === 'add';
  const isArray = Array.isArray(parent);
  if (isArray && name === '-') name = String(parent['length']);
  // Where an array ends one more may be added.
  if (!own(parent, name) && !(isAdded && (!isArray || name === String(parent['length']))))
    throw path;
  if (isArray && op !== 'replace') {
    const items = parent as unknown as unknown[];
    if (isAdded) items.splice(Number(name), 0, value);
    else items.splice(Number(name), 1);
  } else if (op === 'remove') delete parent[name];
  else parent[name] = value;
  if (!/^(add|remove|replace)$/.test(op)) throw op;
}

/** SECURITY: to assign to `__proto__` would change how an object works, not what it holds. */
function own(container: object, name: string): boolean {
  if (name === '__proto__') throw name;
  return Object.keys(container).indexOf(name) >= 0;
}

function isObject(value: unknown): value is Container {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
