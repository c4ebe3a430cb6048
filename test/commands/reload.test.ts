import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { connect } from 'node:tls';
import type { TestCertificate } from '../support/certificate.ts';
import { createCertificate } from '../support/certificate.ts';
import { emptyFolder, startCommand } from './command.ts';

function writeConfig(t: TestContext, { cert, key }: TestCertificate, workers = 1): string {
  const file = join(emptyFolder(t), 'proxy.config.json');
  const listen = { address: '127.0.0.1:0', tls: { cert, key } };
  writeFileSync(file, JSON.stringify({ site: 'http://127.0.0.1:1', listen, workers }));
  return file;
}

/** The name in the certificate that is shown to new connections now. */
async function nameAt(t: TestContext, url: string): Promise<unknown> {
  const port = Number(new URL(url).port);
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket.getPeerCertificate().subject.CN;
}

for (const workers of [1, 2]) {
  test(`SIGHUP shows new certificates to new connections, without a restart: ${workers} workers`, async (t) => {
    const [tls, next] = [createCertificate(t, ['old.test']), createCertificate(t, ['new.test'])];
    const command = startCommand(t, ['--config', writeConfig(t, tls, workers)]);
    const [, url = ''] = await command.output(/^listening on (https:\S+)$/m);
    assert.equal(await nameAt(t, url), 'old.test');
    cpSync(next.cert, tls.cert);
    cpSync(next.key, tls.key);
    command.kill('SIGHUP');
    // Each worker says so.
    await command.output(new RegExp(`(certificates are read again.*?){${workers}}`, 's'));
    for (let count = 0; count < 2 * workers; count++) {
      assert.equal(await nameAt(t, url), 'new.test');
    }
    command.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  });
}

test('SIGHUP with a certificate that cannot be used changes nothing, and names it', async (t) => {
  const tls = createCertificate(t, ['old.test']);
  const command = startCommand(t, ['--config', writeConfig(t, tls)]);
  const [, url = ''] = await command.output(/^listening on (https:\S+)$/m);
  writeFileSync(tls.cert, 'no certificate');
  command.kill('SIGHUP');
  await command.output(/certificates stay as they were/);
  assert.equal(await nameAt(t, url), 'old.test');
  command.kill('SIGTERM');
  const { code, stdout } = await command.ended;
  assert.equal(code, 0);
  assert.ok(stdout.includes(tls.cert));
});

test('a certificate that cannot be used ends the start, with its name and address', async (t) => {
  const [tls, other] = [createCertificate(t), createCertificate(t)];
  const config = writeConfig(t, { cert: tls.cert, key: other.key });
  const { code, stderr } = await startCommand(t, ['--config', config]).ended;
  assert.equal(code, 69);
  assert.match(stderr, /listen 127\.0\.0\.1:0: /);
  assert.ok(stderr.includes(other.key), stderr);
});
