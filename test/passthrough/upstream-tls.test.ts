import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';

const BODY = randomBytes(3 * 1_024 * 1_024).toString('latin1');

/** A site that speaks TLS with a certificate of its own for `push.test`, which it echoes. */
async function startSecureSite(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=push.test', '-addext', 'subjectAltName=DNS:push.test'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...kind, ...files, '-days', '2', ...subject], {
    stdio: 'ignore',
  });
  const names: (string | false | undefined | null)[] = [];
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (req, res) => {
    if (req.method === 'POST') req.pipe(res);
    else res.end('secret');
  });
  server.on('secureConnection', (socket) => names.push(socket.servername));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, ca: cert, names };
}

for (const lenient of [false, true]) {
  const CASES: readonly (readonly [name: string, tls: object, status: number])[] = [
    ['nobody vouches for it', {}, 502],
    ['nobody vouches for it, the name given', { serverName: 'push.test' }, 502],
    ['its own authority, another name', { ca: true }, 502],
    ['its own authority, a wrong name', { ca: true, serverName: 'other.test' }, 502],
    ['its own authority, its name', { ca: true, serverName: 'push.test' }, 200],
    ['nothing is verified', { verify: false }, 200],
  ];
  for (const [name, tls, status] of CASES) {
    test(`a site over TLS is a ${status}: ${name}, lenient ${lenient}`, async (t) => {
      const site = await startSecureSite(t);
      const settings = 'ca' in tls ? { ...tls, ca: site.ca } : tls;
      const proxy = await startTestProxy(t, { site: { url: site.url, lenient, tls: settings } });
      const answer = await ask(t, proxy.port, get());
      assert.equal(answer.status, status);
      if (status === 200) assert.equal(answer.body, 'secret');
      else assert.match(answer.body, /^UPSTREAM_UNREACHABLE: /);
      if ('serverName' in tls && status === 200) assert.deepEqual(site.names, [tls.serverName]);
    });
  }

  test(`megabytes pass both ways over TLS: lenient ${lenient}`, async (t) => {
    const site = await startSecureSite(t);
    const tls = { ca: site.ca, serverName: 'push.test' };
    const proxy = await startTestProxy(t, { site: { url: site.url, lenient, tls } });
    const response = await fetch(proxy.url, { method: 'POST', body: Buffer.from(BODY, 'latin1') });
    assert.equal(Buffer.from(await response.arrayBuffer()).toString('latin1'), BODY);
  });
}

test('requests for several hosts share a connection to a site over TLS', async (t) => {
  const site = await startSecureSite(t);
  const tls = { ca: site.ca, serverName: 'push.test' };
  const proxy = await startTestProxy(t, { site: { url: site.url, tls } });
  for (const host of ['one.test', 'two.test', 'one.test']) {
    const answer = await ask(t, proxy.port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.equal(answer.body, 'secret');
  }
  assert.deepEqual(site.names, ['push.test']);
});
