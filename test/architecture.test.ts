import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What each room of src/ may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  shared: ['protocol'],
  config: ['protocol', 'shared'],
  cluster: ['protocol', 'shared', 'config'],
  poll: ['protocol', 'shared', 'config'],
  channel: ['protocol', 'shared'],
  transport: ['protocol', 'shared'],
  passthrough: ['shared', 'config'],
  server: ['protocol', 'shared', 'config'],
  live: ['protocol', 'shared', 'config', 'cluster', 'poll', 'channel', 'transport'],
  probe: ['protocol', 'shared', 'config', 'poll', 'live'],
  reader: ['protocol', 'shared'],
  discovery: ['protocol', 'shared', 'config'],
  commands: ['protocol', 'shared', 'config', 'reader', 'discovery', 'main.ts', 'start-workers.ts'],
  supervisor: ['shared'],
  client: ['protocol'],
};

/** Composition roots: they join the rooms, and nothing inside a room imports them. */
const ROOTS = [
  'main.ts',
  'workers.ts',
  'worker-process.ts',
  'start-workers.ts',
  'front.ts',
  'polling.ts',
  'stores.ts',
  'start-admin.ts',
  'explain-config.ts',
  'probe-config.ts',
  'site-polls.ts',
  'cli.ts',
  'index.ts',
];

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

function sources(): SourceFile[] {
  const root = fileURLToPath(new URL('../src', import.meta.url));
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }));
}

/** Imports that the map does not allow, as `channel/log.ts imports transport/sse.ts`. */
function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    if (ROOTS.includes(path)) return [];
    const room = path.split('/')[0] ?? '';
    const allowed = MAY_IMPORT[room];
    if (!allowed) return [`${path} is in no known room`];
    const specifiers = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)];
    return specifiers.flatMap(([, specifier = '']) => {
      const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
      const targetRoom = target.split('/')[0] ?? '';
      return targetRoom === room || allowed.includes(targetRoom)
        ? []
        : [`${path} imports ${target}`];
    });
  });
}

test('no room imports another than the map allows', () => {
  assert.deepEqual(violations(sources()), []);
});

test('a planted violation of the import map is reported', () => {
  const text = "import { sse } from '../transport/sse.ts';";
  assert.deepEqual(violations([{ path: 'channel/log.ts', text }]), [
    'channel/log.ts imports transport/sse.ts',
  ]);
  assert.deepEqual(violations([{ path: 'utils/misc.ts', text: '' }]), [
    'utils/misc.ts is in no known room',
  ]);
});

test('no file imports itself by way of others', () => {
  const imports = new Map(
    sources().map(({ path, text }) => {
      // Types vanish at run time; their cycles are forbidden too, they are cheap to avoid.
      const targets = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)];
      return [path, targets.map(([, to = '']) => new URL(to, `file:///${path}`).pathname.slice(1))];
    }),
  );
  const finished = new Set<string>();
  function visit(path: string, trail: readonly string[]): void {
    assert.ok(!trail.includes(path), `cycle: ${[...trail, path].join(' -> ')}`);
    if (finished.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
    finished.add(path);
  }
  for (const path of imports.keys()) visit(path, []);
});
