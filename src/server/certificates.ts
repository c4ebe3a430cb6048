import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { CertificateFiles } from '../config/listen.ts';

/** A certificate with its key, ready to be used. */
export interface Certificate {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  /** Is it for this host? Wildcards are understood. */
  covers(host: string): boolean;
}

/** What every TLS connection of ours has in common. */
const COMMON = { minVersion: 'TLSv1.2' } as const satisfies SecureContextOptions;

/**
 * Read certificates from their files.
 *
 * @throws an error that names the file which cannot be used, and says why.
 */
export function readCertificates(files: readonly CertificateFiles[]): Certificate[] {
  return files.map(({ cert, key }) => {
    const [certText, keyText] = [readText(cert), readText(key)];
    // The first one of the file is the server's own; the others lead to the authority.
    const own = attempt(`"${cert}" holds no certificate`, () => new X509Certificate(certText));
    const privateKey = attempt(`"${key}" holds no private key`, () => createPrivateKey(keyText));
    if (!own.checkPrivateKey(privateKey)) {
      throw new Error(`the key of "${key}" is not that of the certificate in "${cert}"`);
    }
    const options = { ...COMMON, cert: certText, key: keyText };
    const context = attempt(`cannot use "${cert}"`, () => createSecureContext(options));
    return { options, context, covers: (host) => covers(own, host) };
  });
}

/** The certificate for the host that a client asks for, else the first one. */
export function chooseCertificate<C extends Pick<Certificate, 'covers'>>(
  certificates: readonly C[],
  host: string,
): C | undefined {
  const asked = host.toLowerCase();
  return certificates.find((certificate) => certificate.covers(asked)) ?? certificates[0];
}

function covers(certificate: X509Certificate, host: string): boolean {
  try {
    return certificate.checkHost(host) !== undefined;
  } catch {
    return false; // not a name that could be in a certificate
  }
}

function readText(path: string): string {
  return attempt(`cannot read "${path}"`, () => readFileSync(path, 'utf8'));
}

function attempt<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
