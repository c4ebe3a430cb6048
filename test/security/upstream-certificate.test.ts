import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startCommand } from '../commands/command.ts';

/** A certificate for `localhost` only, and its key. */
function createCertificate(t: TestContext): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', key, '-out', cert];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...files, '-days', '2', ...subject], {
    stdio: 'ignore',
  });
  return { cert, key };
}

function get(url: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const req = request(url, { headers: { host } }, async (res) => {
      let body = '';
      for await (const chunk of res) body += String(chunk);
      resolve({ status: res.statusCode ?? 0, body });
    });
    req.on('error', reject).end();
  });
}

test("the site's certificate is checked against the config's name, not the client's Host", async (t) => {
  const { cert, key } = createCertificate(t);
  const site = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (req, res) =>
    res.end(`host ${req.headers.host}`),
  );
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.after(() => {
    site.closeAllConnections();
    site.close();
  });
  const { port } = site.address() as AddressInfo;

  async function ask(origin: string, env: Record<string, string>) {
    const args = ['--site', origin, '--listen', '127.0.0.1:0'];
    const command = startCommand(t, args, { env });
    const [, url = ''] = await command.output(/listening on (\S+)/);
    return get(url, 'board.example');
  }
  const trusting = { NODE_EXTRA_CA_CERTS: cert };
  assert.deepEqual(await ask(`https://localhost:${port}`, trusting), {
    status: 200,
    body: 'host board.example',
  });
  const otherName = await ask(`https://127.0.0.1:${port}`, trusting);
  assert.deepEqual([otherName.status, otherName.body.split(':')[0]], [502, 'UPSTREAM_UNREACHABLE']);
  const unknown = await ask(`https://localhost:${port}`, {});
  assert.equal(unknown.status, 502, 'a certificate that nobody vouches for is refused');
});
