import { readFileSync } from 'node:fs';
import type { Node } from 'jsonc-parser';
import { getNodeValue } from 'jsonc-parser';
import type { Problem, Source } from './problems.ts';
import { problemAt } from './problems.ts';

/** Where `${…}` gets its values from. */
export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Read a file named by `${file:…}`. Defaults to the file system. */
  readonly readFile?: (path: string) => string;
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;

/**
 * Build the value of a parsed config, with `${NAME}`, `${NAME:-default}` and `${file:/path}`
 * replaced inside string values. `$${` stands for a literal `${`.
 *
 * It works on values, never on the text of the file, so a variable cannot add keys or structure.
 * What cannot be replaced is reported and left as it stands.
 */
export function interpolate(
  source: Source,
  environment: Environment,
): { value: unknown; problems: Problem[] } {
  const problems: Problem[] = [];

  function build(node: Node): unknown {
    switch (node.type) {
      case 'object':
        return Object.fromEntries((node.children ?? []).map((property) => entry(property)));
      case 'array':
        return (node.children ?? []).map(build);
      case 'string':
        return replace(node.value as string, node);
      default:
        return getNodeValue(node);
    }
  }

  function entry(property: Node): [string, unknown] {
    const [key, value] = property.children ?? [];
    return [String(key?.value), value && build(value)];
  }

  function replace(text: string, node: Node): string {
    return text.replace(REFERENCE, (whole, reference: string | undefined) => {
      if (reference === undefined) return '${';
      const result = resolve(reference, environment);
      if ('value' in result) return result.value;
      problems.push(problemAt(source, node.offset, result.problem));
      return whole;
    });
  }

  return { value: source.root && build(source.root), problems };
}

function resolve(
  reference: string,
  { variables, readFile = (path) => readFileSync(path, 'utf8') }: Environment,
): { value: string } | { problem: string } {
  if (reference.startsWith('file:')) {
    const path = reference.slice('file:'.length);
    try {
      return { value: readFile(path).replace(/\r?\n$/, '') };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { problem: `cannot read the file "${path}": ${reason}` };
    }
  }
  const match = /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(reference);
  if (!match) {
    return {
      problem: `"\${${reference}}" must be \${NAME}, \${NAME:-default} or \${file:/path}; write "$\${" for a literal "\${"`,
    };
  }
  const [, name = '', fallback] = match;
  const own = Object.hasOwn(variables, name) ? variables[name] : undefined;
  const value = own || fallback || own;
  return value === undefined && fallback === undefined
    ? {
        problem: `the environment variable ${name} is not set: set it, or write \${${name}:-default}`,
      }
    : { value: value ?? '' };
}
