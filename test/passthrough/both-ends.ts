import type { TestContext } from 'node:test';
import type { Clock } from '../../src/shared/clock.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import type { RawUpstream } from '../support/raw-upstream.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

/** Both ends of an exchange that the site has not answered yet. */
export interface BothEnds {
  readonly proxy: TestProxy;
  readonly upstream: RawUpstream;
  readonly client: RawPeer;
  readonly site: RawPeer;
}

/** How the proxy between the two ends is set up. */
export interface BothEndsOptions {
  /** Settings of `site`, besides its URL. */
  readonly site?: Record<string, unknown>;
  /** Settings beside `site`. */
  readonly config?: Record<string, unknown>;
  readonly clock?: Clock;
  /** What the site has received when the test goes on. */
  readonly arrived?: string | RegExp;
}

/** Send a request through a proxy, until the site has read it. */
export async function begin(
  t: TestContext,
  request: string,
  { site: settings = {}, config = {}, clock, arrived = '\r\n\r\n' }: BothEndsOptions = {},
): Promise<BothEnds> {
  const upstream = await startRawUpstream(t);
  const site = { url: upstream.url, ...settings };
  const proxy = await startTestProxy(t, { site, ...config }, clock);
  const client = connectRaw(t, proxy.port);
  client.send(request);
  const peer = await upstream.connection(0);
  await peer.receive(arrived);
  return { proxy, upstream, client, site: peer };
}

/** Texts of the lines that report a failed upstream. */
export function failures({ lines }: TestProxy): string[] {
  return lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
}

/** Lines that only a bug of ours writes. */
export function bugs({ lines }: TestProxy): unknown[] {
  return lines.filter(({ level }) => level === 'error');
}
