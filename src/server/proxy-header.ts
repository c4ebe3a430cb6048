import { isIP, SocketAddress } from 'node:net';

/** What stands at the beginning of a connection that speaks the PROXY protocol. */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed' }
  | {
      readonly kind: 'whole';
      /** Bytes that the header takes. */
      readonly length: number;
      /** `undefined` when the proxy speaks for itself (LOCAL, UNKNOWN). */
      readonly client: ProxiedClient | undefined;
    };

/** The client that a proxy speaks for. */
export interface ProxiedClient {
  /** Absent when it came through a unix socket of the proxy. */
  readonly address: string | undefined;
  /** The proxy says that the client spoke TLS to it. */
  readonly isEncrypted: boolean;
}

/** The longest header of either version that is read: an address and a few words about it. */
export const MAX_PROXY_HEADER_BYTES = 536;

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };
const MALFORMED: ProxyHeader = { kind: 'malformed' };

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_HEAD_BYTES = 16;
const V1_START = Buffer.from('PROXY ');
/** The specification's own bound, line end included. */
const MAX_V1_BYTES = 107;

/**
 * Read the header at the beginning of these bytes.
 *
 * @see https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsAlike(bytes, SIGNATURE)) return parseV2(bytes);
  return startsAlike(bytes, V1_START) ? parseV1(bytes) : MALFORMED;
}

/** Do these bytes begin with the others, as far as they go? */
function startsAlike(bytes: Buffer, wanted: Buffer): boolean {
  const length = Math.min(bytes.length, wanted.length);
  return bytes.subarray(0, length).equals(wanted.subarray(0, length));
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf('\r\n');
  if (end === -1) return bytes.length < MAX_V1_BYTES ? INCOMPLETE : MALFORMED;
  const length = end + 2;
  const words = bytes.toString('latin1', 0, end).split(' ');
  if (words[1] === 'UNKNOWN') return { kind: 'whole', length, client: undefined };
  const [, protocol, source = '', destination = '', ...ports] = words;
  const family = protocol === 'TCP4' ? 4 : protocol === 'TCP6' ? 6 : 0;
  const isWell =
    family !== 0 &&
    isIP(source) === family &&
    isIP(destination) === family &&
    ports.length === 2 &&
    ports.every((port) => /^(?:0|[1-9]\d{0,4})$/.test(port) && Number(port) <= 65_535);
  if (!isWell) return MALFORMED;
  return {
    kind: 'whole',
    length,
    client: { address: family === 6 ? canonical(source) : source, isEncrypted: false },
  };
}

/** Address families of version 2 with the bytes that their addresses take. */
const FAMILY_BYTES: Readonly<Record<number, number>> = { 17: 12, 33: 36, 49: 216 };
const LOCAL = 0x20;
const PROXY = 0x21;

function parseV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_HEAD_BYTES) return INCOMPLETE;
  const [command, family] = [bytes.readUInt8(12), bytes.readUInt8(13)];
  const length = V2_HEAD_BYTES + bytes.readUInt16BE(14);
  // Before all of it is there: nobody waits for bytes that are of no use.
  if (length > MAX_PROXY_HEADER_BYTES || (command !== LOCAL && command !== PROXY)) return MALFORMED;
  const addressBytes = FAMILY_BYTES[family] ?? 0;
  const isWell =
    command === LOCAL ||
    family === 0 ||
    (addressBytes > 0 && length >= V2_HEAD_BYTES + addressBytes);
  if (!isWell) return MALFORMED;
  if (bytes.length < length) return INCOMPLETE;
  if (command === LOCAL || family === 0) return { kind: 'whole', length, client: undefined };
  const body = bytes.subarray(V2_HEAD_BYTES, length);
  const isEncrypted = saysEncrypted(body.subarray(addressBytes));
  return { kind: 'whole', length, client: { address: addressOf(family, body), isEncrypted } };
}

function addressOf(family: number, body: Buffer): string | undefined {
  if (family === 0x11) return body.subarray(0, 4).join('.');
  if (family !== 0x21) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => body.readUInt16BE(i * 2).toString(16));
  return canonical(groups.join(':'));
}

/** As Node writes the addresses of peers, so that both compare. */
function canonical(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

const TLV_SSL = 0x20;
const CLIENT_SSL = 0x01;

/** Looks for the word about the client's TLS among those behind the addresses. */
function saysEncrypted(words: Buffer): boolean {
  let at = 0;
  while (at + 3 <= words.length) {
    const end = at + 3 + words.readUInt16BE(at + 1);
    if (end > words.length) return false;
    if (words[at] === TLV_SSL && end > at + 3) return ((words[at + 3] ?? 0) & CLIENT_SSL) !== 0;
    at = end;
  }
  return false;
}
