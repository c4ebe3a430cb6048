const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** A PROXY protocol header of version 2; by default for 198.51.100.7 over TCP. */
export function proxyV2({
  versionAndCommand = 0x21,
  family = 0x11,
  body = Buffer.from([198, 51, 100, 7, 192, 0, 2, 1, 0x8b, 0x3e, 0, 80]),
} = {}): Buffer {
  const head = Buffer.from([versionAndCommand, family, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([SIGNATURE, head, body]);
}
