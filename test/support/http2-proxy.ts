import type { ClientHttp2Session } from 'node:http2';
import type { TestContext } from 'node:test';
import { createCertificate } from './certificate.ts';
import { connectHttp2 } from './http2-client.ts';
import { SAFE_NODE } from './listener.ts';
import type { TestProxy } from './proxy.ts';
import { startTestProxy } from './proxy.ts';

/** Start a proxy that speaks HTTP/2, also on versions of Node where it would not, and connect to it. */
export async function startHttp2Proxy(
  t: TestContext,
  config: Record<string, unknown>,
): Promise<{ proxy: TestProxy; session: ClientHttp2Session }> {
  const { versions } = process;
  const pretended = { ...versions, node: SAFE_NODE };
  Object.defineProperty(process, 'versions', { value: pretended, configurable: true });
  try {
    const listen = { address: '127.0.0.1:0', tls: createCertificate(t), http2: true };
    const proxy = await startTestProxy(t, { listen, ...config });
    return { proxy, session: await connectHttp2(t, proxy.port) };
  } finally {
    Object.defineProperty(process, 'versions', { value: versions, configurable: true });
  }
}
