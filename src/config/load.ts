import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ParseError } from 'jsonc-parser';
import { parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Environment } from './interpolate.ts';
import { interpolate } from './interpolate.ts';
import { configJsonSchema } from './json-schema.ts';
import type { Problem, Source } from './problems.ts';
import { formatProblem, problemAt, problemsOf } from './problems.ts';
import type { Config } from './schema.ts';
import { configSchema } from './schema.ts';

/** A config that cannot be used: every problem found in it, together. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Read a config file: JSON with comments and trailing commas.
 *
 * @throws {ConfigError} with all problems, each at its `file:line:col`.
 */
export function loadConfig(file: string, environment: Environment): Config {
  let text: string;
  try {
    text = readFileSync(resolve(file), 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : String(error);
    throw new ConfigError([
      { file, line: 0, column: 0, message: `cannot read the config: ${reason}` },
    ]);
  }
  return parseConfig(text, file, environment);
}

/**
 * Check the text of a config.
 *
 * @throws {ConfigError} with all problems.
 */
export function parseConfig(text: string, file: string, environment: Environment): Config {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const source: Source = { file, text, root };
  const syntax = errors.map(({ error, offset }) =>
    problemAt(source, offset, `not JSON: ${words(printParseErrorCode(error))}`),
  );
  // The values of a broken text are a guess: problems in them would send people astray.
  if (syntax.length > 0) throw new ConfigError(syntax);
  const twins = root ? duplicateKeys(source, root) : [];
  const { value, problems } = interpolate(source, environment);
  return check(value, source, [...twins, ...problems]);
}

/**
 * Check a config that was put together from flags.
 *
 * @param origin - Stands in messages where a file name would.
 * @throws {ConfigError} with all problems.
 */
export function checkConfig(value: unknown, origin: string): Config {
  return check(value, { file: origin, text: '', root: undefined }, []);
}

function check(value: unknown, source: Source, before: readonly Problem[]): Config {
  const result = configSchema.safeParse(value);
  if (result.success && before.length === 0) return result.data;
  const found = result.success
    ? []
    : problemsOf(result.error.issues, source, value, configJsonSchema());
  throw new ConfigError([...before, ...found]);
}

/** JSON lets the last one of two equal keys win in silence: here it is a mistake. */
function duplicateKeys(source: Source, node: NonNullable<Source['root']>): Problem[] {
  const seen = new Set<unknown>();
  return (node.children ?? []).flatMap((child) => {
    const key = node.type === 'object' ? child.children?.[0] : undefined;
    const isTwin = key !== undefined && seen.has(key.value);
    if (key) seen.add(key.value);
    const own = isTwin ? [problemAt(source, key.offset, `"${key.value}" stands here twice`)] : [];
    return [...own, ...duplicateKeys(source, child)];
  });
}

function words(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}
