import { BlockList, isIP } from 'node:net';
import type { Downstream } from '../shared/downstream.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValues, listItems } from '../shared/raw-headers.ts';

/** Says whether an address belongs to a proxy that is believed. */
export type Trust = (address: string) => boolean;

/** What stands for the address of a peer on a unix socket. */
export const UNIX = 'unix';

/** Addresses whose answer is remembered at once. */
const MAX_KNOWN = 4_096;

/** Make a `Trust` of addresses, networks such as `10.0.0.0/8`, and `unix`. */
export function createTrust(networks: readonly string[]): Trust {
  const list = new BlockList();
  for (const network of networks.filter((name) => name !== UNIX)) {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  const trustsUnix = networks.includes(UNIX);
  const isListed = (address: string) => {
    if (address === UNIX) return trustsUnix;
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
  if (networks.length === 0) return () => false;
  // Asked for every request, mostly about the same few; a look into the list costs microseconds.
  const known = new Map<string, boolean>();
  return (address) => {
    const remembered = known.get(address);
    if (remembered !== undefined) return remembered;
    if (known.size >= MAX_KNOWN) known.clear();
    const trusted = isListed(address);
    known.set(address, trusted);
    return trusted;
  };
}

/** What the connection itself says of its peer. */
export interface Peer {
  /** Absent on a unix socket. */
  readonly address: string | undefined;
  readonly isEncrypted: boolean;
}

/**
 * Find out who sent a request.
 *
 * SECURITY: `X-Forwarded-*` is believed only from a trusted peer, and the address is the rightmost
 * one that no trusted proxy owns: what stands left of it anybody may have written.
 *
 * @param authority - Host and port of the request itself, as the client wrote them.
 */
export function identifyDownstream(
  headers: RawHeaders,
  peer: Peer,
  authority: string,
  isTrusted: Trust,
): Downstream {
  const peerAddress = plainAddress(peer.address ?? UNIX);
  const trusted = isTrusted(peerAddress);
  const scheme = peer.isEncrypted ? 'https' : 'http';
  const host = authority.toLowerCase();
  if (!trusted) {
    return { address: peerAddress, peer: peerAddress, scheme, authority, host, trusted };
  }
  const hops = headerValues(headers, 'x-forwarded-for').flatMap(listItems).map(plainAddress);
  const proto = headerValues(headers, 'x-forwarded-proto').flatMap(listItems).at(-1)?.toLowerCase();
  return {
    address: clientAddress([...hops, peerAddress], isTrusted),
    peer: peerAddress,
    scheme: proto === 'https' || proto === 'http' ? proto : scheme,
    authority,
    host,
    trusted,
  };
}

function clientAddress(hops: readonly string[], isTrusted: Trust): string {
  for (let i = hops.length - 1; i > 0; i--) {
    const hop = hops[i] ?? '';
    const before = hops[i - 1] ?? '';
    // A hop that is no address is where the trustworthy part of the list ends.
    if (!isTrusted(hop) || isIP(before) === 0) return hop;
  }
  return hops[0] ?? '';
}

/** IPv4 addresses that a dual-stack socket shows as IPv6 are IPv4 addresses. */
export function plainAddress(address: string): string {
  if (!address.startsWith('::')) return address;
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}
