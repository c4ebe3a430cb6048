import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Node, ParseError } from 'jsonc-parser';
import { getNodeValue, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Environment } from './interpolate.ts';
import { interpolate } from './interpolate.ts';
import { configJsonSchema } from './json-schema.ts';
import type { Problem, Source } from './problems.ts';
import { formatProblem, problemAt, problemsOf } from './problems.ts';
import type { Config } from './schema.ts';
import { configSchema } from './schema.ts';

/** Stands for standard input where a file name is wanted. */
const STDIN = '-';

/** Deeper than any config: no level of it is deeper than ten. */
const DEEPEST = 100;

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
 * Read a config file, or standard input for `-`: JSON with comments and trailing commas.
 *
 * @throws {ConfigError} with all problems, each at its `file:line:col`.
 */
export function loadConfig(file: string, environment: Environment): Config {
  return parseConfig(readConfigText(file), file, environment);
}

/** Read the text of a config, `-` being standard input. @throws {ConfigError} when it cannot be read. */
export function readConfigText(file: string): string {
  try {
    // Windows editors write a byte order mark.
    return readFileSync(file === STDIN ? 0 : resolve(file), 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : String(error);
    throw new ConfigError([
      { file, line: 0, column: 0, message: `cannot read the config: ${reason}` },
    ]);
  }
}

/**
 * Check the text of a config.
 *
 * @throws {ConfigError} with all problems.
 */
export function parseConfig(text: string, file: string, environment: Environment): Config {
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(text, errors, { allowTrailingComma: true });
    if (depth(root) > DEEPEST) throw new RangeError();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError([{ file, line: 1, column: 1, message: 'is nested too deeply' }]);
  }
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
  const written = source.root ? getNodeValue(source.root) : value;
  const found = result.success
    ? []
    : problemsOf(result.error.issues, source, written, configJsonSchema());
  // A text that could not be put together is wrong for that reason alone.
  const isKnown = (problem: Problem) =>
    source.root && before.some((b) => b.line === problem.line && b.column === problem.column);
  const all = [...before, ...found.filter((problem) => !isKnown(problem))];
  throw new ConfigError(all.sort((a, b) => a.line - b.line || a.column - b.column));
}

/** JSON lets the last one of two equal keys win in silence: here it is a mistake. */
function duplicateKeys(source: Source, node: NonNullable<Source['root']>): Problem[] {
  const seen = new Set<unknown>();
  return (node.children ?? []).flatMap((child) => {
    const key = node.type === 'object' ? child.children?.[0] : undefined;
    const isTwin = key !== undefined && seen.has(key.value);
    if (key) seen.add(key.value);
    // It would set the prototype of the object instead of a key, in silence.
    if (key?.value === '__proto__') {
      return [problemAt(source, key.offset, 'unknown key "__proto__"')];
    }
    const own = isTwin ? [problemAt(source, key.offset, `"${key.value}" stands here twice`)] : [];
    return [...own, ...duplicateKeys(source, child)];
  });
}

function depth(node: Node | undefined): number {
  let deepest = 0;
  for (let level = node ? [node] : []; level.length > 0; deepest++) {
    level = level.flatMap((each) => each.children ?? []);
  }
  return deepest;
}

function words(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}
