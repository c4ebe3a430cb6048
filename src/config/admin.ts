import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { text } from './fields.ts';
import type { ListenAddress } from './readers.ts';
import { readListenAddress } from './readers.ts';

/*
 * The admin listener: an address of its own for those who run the proxy.
 */

/** Where the admin listener is, and what it asks of its clients. */
export type AdminConfig = z.output<typeof adminObject>;
/** An address that may be an admin listener's. */
export type AdminAddress = Exclude<ListenAddress, { kind: 'fd' }>;

/** Shorter ones can be guessed. */
const MIN_TOKEN_LENGTH = 16;
const MAX_TOKEN_LENGTH = 512;

/** Listening there is listening on every address. */
const EVERY: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

const ADDRESS_META = {
  description:
    'Address of the admin listener. One that is not of the loopback, nor a unix socket, needs a "token".',
  examples: ['127.0.0.1:9090', 'unix:/run/comet-proxy-admin.sock'],
};

const token = z
  .string()
  .meta({
    description:
      'What clients of the admin listener send as "Authorization: Bearer …": visible characters without spaces. From a file or the environment, so that it does not stand here.',
    examples: [`\${file:/run/secrets/comet-proxy-admin}`, `\${ADMIN_TOKEN}`],
    minLength: MIN_TOKEN_LENGTH,
    maxLength: MAX_TOKEN_LENGTH,
  })
  .superRefine((value, context) => {
    const message = tokenProblem(value);
    // SECURITY: reported as of a key, since the message about a value repeats the value.
    if (message === undefined) return;
    const issues = [{ code: 'custom' as const, message, path: [], input: undefined }];
    context.addIssue({ code: 'invalid_key', origin: 'record', issues, input: undefined });
  });

const adminObject = z
  .strictObject({
    address: text(readAdminAddress, ADDRESS_META),
    token: token.optional(),
  })
  .superRefine(({ address, token }, context) => {
    // SECURITY: anybody who can reach the address could ask.
    if (token !== undefined || address.kind === 'unix' || isLoopback(address.host)) return;
    const message = `can be reached from other machines, so it needs a token: {"address": …, "token": "\${file:/run/secrets/admin}"}; or listen on "127.0.0.1:${address.port}"`;
    context.addIssue({ code: 'custom', message, path: ['address'], input: undefined });
  });

/** `admin`: an address, or an object; absent means that there is no such listener. */
export const admin = z
  .union([
    z
      .string()
      .meta(ADDRESS_META)
      .transform((address) => ({ address }))
      .pipe(adminObject),
    adminObject,
  ])
  .optional();

/** A config, as far as it says where requests go. */
interface Upstreams {
  readonly admin?: AdminConfig | undefined;
  readonly site: { readonly url: URL };
  readonly comet: Readonly<Record<string, { readonly origins: readonly URL[] }>>;
}

/**
 * Report every upstream that is the admin listener itself.
 *
 * SECURITY: clients of the site would reach it through us, and seem to be of this machine.
 */
export function refuseAdminAsUpstream(config: Upstreams, context: z.RefinementCtx): void {
  const address = config.admin?.address;
  if (address?.kind !== 'tcp') return;
  const report = (path: string[]) => {
    const message = 'is the address of "admin", which must not be reached through the proxy';
    context.addIssue({ code: 'custom', message, path, input: undefined });
  };
  if (isAt(config.site.url, address)) report(['site', 'url']);
  for (const [path, { origins }] of Object.entries(config.comet)) {
    if (origins.some((origin) => isAt(origin, address))) report(['comet', path]);
  }
}

function isAt(url: URL, { host = '', port }: Extract<AdminAddress, { kind: 'tcp' }>): boolean {
  const urlPort = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const urlHost = url.hostname.replace(/^\[|\]$/g, '');
  // Whoever connects to "every address" connects to this machine.
  const isHere = (name: string) => EVERY.has(name) || isLoopback(name);
  return urlPort === port && (urlHost === host.toLowerCase() || (isHere(urlHost) && isHere(host)));
}

/** Can only programs of this machine connect to a host? Of names that is known of `localhost`. */
function isLoopback(host: string | undefined): boolean {
  const name = host?.toLowerCase() ?? '';
  const family = isIP(name);
  // Knows IPv4 addresses that are written as IPv6, too.
  return family === 0 ? name === 'localhost' : LOOPBACK.check(name, family === 6 ? 'ipv6' : 'ipv4');
}

function readAdminAddress(value: string): AdminAddress | { problem: string } {
  const address = readListenAddress(value);
  if ('problem' in address || address.kind !== 'fd') return address;
  return { problem: 'must be an address such as "127.0.0.1:9090", or "unix:/run/x.sock"' };
}

function tokenProblem(value: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(value)) return 'must be visible ASCII characters without spaces';
  if (value.length < MIN_TOKEN_LENGTH) {
    return `must be at least ${MIN_TOKEN_LENGTH} characters: try "openssl rand -hex 32"`;
  }
  if (value.length <= MAX_TOKEN_LENGTH) return undefined;
  return `must be at most ${MAX_TOKEN_LENGTH} characters`;
}
