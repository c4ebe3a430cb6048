import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';

const FOLDER = new URL('../../examples/applications/', import.meta.url);

for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.json'))) {
  test(`examples/applications/${name} is a config without mistakes`, () => {
    const config = loadConfig(new URL(name, FOLDER).pathname, { variables: {} });
    assert.ok(Object.keys(config.live).length > 0);
  });
}
