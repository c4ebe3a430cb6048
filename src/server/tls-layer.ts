import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createServer } from 'node:tls';
import type { CertificateFiles } from '../config/listen.ts';
import type { Logger } from '../shared/logger.ts';
import type { Certificate } from './certificates.ts';
import { chooseCertificate, readCertificates } from './certificates.ts';
import type { Visitor } from './visitor.ts';

/** What a TLS layer needs. */
export interface TlsLayerOptions {
  readonly files: readonly CertificateFiles[];
  /** Protocols to choose from (ALPN), the preferred one first. */
  readonly protocols: readonly string[];
  readonly handshakeTimeoutMs: number;
  readonly log: Logger;
  /** The handshake is over. */
  readonly onSecure: (socket: TLSSocket, visitor: Visitor) => void;
}

/** Speaks TLS on connections that somebody else has accepted. */
export interface TlsLayer {
  secure(plain: Socket, visitor: Visitor): void;
  /** Read the files again. On failure the old certificates stay, and the log says why. */
  reload(): void;
}

/** @throws an error that names the file which cannot be used. */
export function createTlsLayer(options: TlsLayerOptions): TlsLayer {
  const { files, log } = options;
  let certificates = readCertificates(files);
  // It never listens: it is given connections.
  const server = createServer({
    ...first(certificates).options,
    ALPNProtocols: [...options.protocols],
    handshakeTimeout: options.handshakeTimeoutMs,
    // SECURITY: a client that asks for new keys over and over costs us most of the work.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    SNICallback: (host, done) => done(null, chooseCertificate(certificates, host)?.context),
  });
  const visitors = new Map<string, Visitor>();

  server.on('secureConnection', (socket: TLSSocket) => {
    const visitor = visitors.get(nameOf(socket));
    if (visitor) options.onSecure(socket, visitor);
    else socket.destroy(); // it has left meanwhile, and so lost its address
  });
  server.on('tlsClientError', (error, socket) => {
    log.debug({ err: error }, 'TLS handshake failed');
    socket.destroy();
  });

  return {
    secure(plain, visitor) {
      const name = nameOf(plain);
      visitors.set(name, visitor);
      // Those who come through a unix socket have no address, and are all the same.
      if (plain.remotePort !== undefined) {
        plain.once('close', () => {
          if (visitors.get(name) === visitor) visitors.delete(name);
        });
      }
      server.emit('connection', plain);
    },
    reload() {
      try {
        certificates = readCertificates(files);
        server.setSecureContext(first(certificates).options);
        log.info({ files }, 'certificates are read again');
      } catch (error) {
        const reason = error instanceof Error ? error.message : error;
        log.error({ err: error }, `certificates stay as they were: ${reason}`);
      }
    },
  };
}

/** The same for both layers of a connection: both ends of it, which are there only once. */
function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function first(certificates: readonly Certificate[]): Certificate {
  const [certificate] = certificates;
  if (!certificate) throw new Error('"tls" names no certificate');
  return certificate;
}
