import { z } from 'zod';
import { text } from './fields.ts';
import { readListenAddress } from './readers.ts';

/** One address that connections are accepted on. */
export type ListenConfig = z.output<typeof listenObject>;
/** A certificate with its key, as paths of PEM files. */
export type CertificateFiles = z.output<typeof certificate>;

const ADDRESS_META = {
  description:
    'Address to accept connections on. ":8080" is every interface, "fd:3" a socket that was handed over, as systemd does.',
  examples: ['127.0.0.1:8080', ':8443', 'unix:/run/comet-proxy.sock', 'fd:3'],
};

const certificate = z.strictObject({
  cert: z
    .string()
    .min(1)
    .meta({ description: 'PEM file with the certificate, followed by its intermediates.' }),
  key: z.string().min(1).meta({ description: 'PEM file with the private key.' }),
});

const tls = z.union([certificate.transform((only) => [only]), z.array(certificate).min(1)]).meta({
  description:
    'Speak TLS with this certificate. Of a list each client gets the one that names the host it asks for (SNI), else the first. The files are read again on SIGHUP.',
});

const listenObject = z
  .strictObject({
    address: text(readListenAddress, ADDRESS_META),
    tls: tls.optional(),
    http2: z.boolean().default(false).meta({
      description:
        'Offer HTTP/2 to TLS clients (ALPN). On versions of Node whose HTTP/2 has known holes it is not offered, and the log says so.',
    }),
    proxyProtocol: z.boolean().default(false).meta({
      description:
        'Every connection begins with a PROXY protocol header (v1 or v2) that names the client. Only connections from "trustedProxies" are accepted.',
    }),
  })
  .superRefine((value, context) => {
    if (!value.http2 || value.tls) return;
    const message = 'needs "tls": browsers speak HTTP/2 over TLS only';
    context.addIssue({ code: 'custom', message, path: ['http2'], input: value.http2 });
  });

const listenOne = z.union([
  z
    .string()
    .meta(ADDRESS_META)
    .transform((address) => ({ address }))
    .pipe(listenObject),
  listenObject,
]);

/** `listen`: an address, an object, or a list of both. */
export const listen = z
  .union([listenOne.transform((one) => [one]), z.array(listenOne).min(1)])
  .prefault('127.0.0.1:8080');
