import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** The paths of a certificate and its key. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Make a certificate of its own authority for these names; removed when the test ends. */
export function createCertificate(
  t: TestContext,
  names: readonly string[] = ['localhost'],
): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const alternatives = `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`;
  const subject = ['-subj', `/CN=${names[0]}`, '-addext', alternatives];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...kind, ...files, '-days', '2', ...subject], {
    stdio: 'ignore',
  });
  return { cert, key };
}
