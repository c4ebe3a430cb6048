import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { parse, problemsIn, reported } from './parse-error.ts';

const VARIABLES = { HOST: 'legacy', PORT: '81', EMPTY: '', DOLLARS: `$& $1 \${PORT}` };

/** What becomes of a text: "$schema" takes any, and it is handed on unchanged. */
function replaced(text: string): string | undefined {
  return parse(JSON.stringify({ $schema: text, site: 'http://h' }), VARIABLES).$schema;
}

const TEXTS: readonly [rule: string, text: string, expected: string][] = [
  ['a variable is put in', `\${HOST}`, 'legacy'],
  ['several variables are put in, and the text around stays', `a\${HOST}:\${PORT}b`, 'alegacy:81b'],
  ['a default is not used when there is a value', `\${HOST:-other}`, 'legacy'],
  ['a default stands in for a variable that is not set', `\${NOPE:-other}`, 'other'],
  ['a default stands in for a variable that is empty', `\${EMPTY:-other}`, 'other'],
  ['an empty default is a default', `[\${NOPE:-}]`, '[]'],
  ['an empty variable is set', `[\${EMPTY}]`, '[]'],
  ['a default may hold almost anything', `\${NOPE:-http://h:1/?a=b:-c}`, 'http://h:1/?a=b:-c'],
  [`$\${ stands for \${`, `$\${HOST} \${HOST}`, `\${HOST} legacy`],
  ['a lone dollar is a dollar', `US$ 5, $HOST $$ \${`, `US$ 5, $HOST $$ \${`],
  ['what a variable holds is not looked into again', `\${DOLLARS}`, `$& $1 \${PORT}`],
];
for (const [rule, text, expected] of TEXTS) {
  test(rule, () => assert.equal(replaced(text), expected));
}

test('a variable that is not set is reported where its text stands', () => {
  const text = `{\n  "site": "http://h",\n  "$schema": "\${NOPE}/\${ALSO_NOT}"\n}`;
  const advice = (name: string) =>
    `c.json:3:14 the environment variable ${name} is not set: set it, or write \${${name}:-default}`;
  assert.deepEqual(problemsIn(text), [advice('NOPE'), advice('ALSO_NOT')]);
});

test('variables are put in wherever a text stands', () => {
  const text = `{
    "site": { "url": "http://\${HOST}:\${PORT}" },
    "origins": ["https://\${HOST}.example"],
    "live": { "/a": "\${EVERY:-5s}" }
  }`;
  const config = parse(text, VARIABLES);
  assert.equal(config.site.url.host, 'legacy:81');
  assert.deepEqual(config.origins, ['https://legacy.example']);
  assert.equal(config.live['/a']?.[0]?.every.minMs, 5_000);
});

test('keys are not looked into', () => {
  assert.deepEqual(
    Object.keys(parse(`{"site": "http://h", "live": {"/\${HOST}": "1s"}}`, VARIABLES).live),
    [`/\${HOST}`],
  );
});

for (const reference of [`\${}`, `\${1A}`, `\${A-B}`, `\${A:default}`, `\${ HOST }`]) {
  test(`"${reference}" is reported with the forms that are right`, () => {
    const [problem = '', ...others] = problemsIn(
      JSON.stringify({ $schema: reference, site: 'http://h' }),
      VARIABLES,
    );
    assert.match(problem, /^c\.json:1:12 .*must be \$\{NAME\}, \$\{NAME:-default\} or \$\{file:/);
    assert.deepEqual(others, []);
  });
}

test("a variable's value cannot add keys or structure", () => {
  const evil = '", "origins": ["https://evil.example"], "$schema": "';
  const config = parse(`{"site": "http://h", "$schema": "\${EVIL}"}`, { EVIL: evil });
  assert.equal(config.$schema, evil);
  assert.deepEqual(config.origins, []);
});

test('names that every object has are no variables', () => {
  for (const name of ['constructor', 'toString', '__proto__']) {
    const text = JSON.stringify({ $schema: `\${${name}}`, site: 'http://h' });
    assert.match(problemsIn(text).join('\n'), /is not set/, name);
  }
});

const WITH_TOKEN = `{
  "site": "http://h",
  "live": { "/a": { "every": "1s", "headers": { "x-token": "\${file:/run/secrets/token}" } } }
}`;

/** Parse with a file system where each file has this text. */
function parseWithFile(text: string) {
  return parseConfig(WITH_TOKEN, 'c.json', { variables: {}, readFile: () => text });
}

for (const ending of ['', '\n', '\r\n']) {
  test(`a file's text is put in without its last line end (${JSON.stringify(ending)})`, () => {
    const config = parseWithFile(`s3cret${ending}`);
    assert.equal(config.live['/a']?.[0]?.headers['x-token'], 's3cret');
  });
}

test('a secret from a file never stands in a message', () => {
  const problems = reported(() => parseWithFile('s3cret\nand more\n')).join('\n');
  assert.match(problems, /^c\.json:3:60 .*must not hold line breaks/);
  assert.doesNotMatch(problems, /s3cret/);
});

test('a real file is read, and one that is not there is reported where it is named', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'schema-name');
  writeFileSync(file, 'from a file\n');
  assert.equal(replaced(`\${file:${file}}`), 'from a file');
  assert.match(
    problemsIn(`{"$schema": "\${file:${file}.not}", "site": "http://h"}`).join('\n'),
    /^c\.json:1:13 cannot read the file ".*\/schema-name\.not": ENOENT/,
  );
});
