import type { TestContext } from 'node:test';
import type { FakeClock } from '../support/fake-clock.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawUpstream } from '../support/raw-upstream.ts';
import { answerWith, startRawUpstream } from '../support/raw-upstream.ts';

/** A site and a Comet origin behind one proxy. Clients that `get` sends name it `site.test`. */
export interface MountScene {
  readonly proxy: TestProxy;
  readonly site: RawUpstream;
  readonly origin: RawUpstream;
}

/** How the scene is set. */
export interface MountSceneOptions {
  /** What the origin answers to every request; without it the test answers by hand. */
  readonly answer?: string;
  /** Path of the origin. */
  readonly path?: string;
  /** Further keys of the mount. */
  readonly mount?: Readonly<Record<string, unknown>>;
  /** Further keys of the config. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly clock?: FakeClock;
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Start all of it, with the origin at `/chat`. */
export async function startMountScene(
  t: TestContext,
  { answer, path = '/bayeux/', mount, config, clock }: MountSceneOptions = {},
): Promise<MountScene> {
  const site = await answerWith(t, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsite');
  const origin = answer === undefined ? await startRawUpstream(t) : await answerWith(t, answer);
  const comet = { '/chat': { origin: origin.url + path, ...mount } };
  const proxy = await startTestProxy(t, { site: site.url, via: false, comet, ...config }, clock);
  return { proxy, site, origin };
}

/** A request as it stood on the wire. */
export interface SeenHead {
  readonly requestLine: string;
  /** Values of one header, in order; `name` in lower case. */
  values(name: string): string[];
}

/** The last request that this upstream has read. */
export function lastHead(upstream: RawUpstream): SeenHead {
  const heads = upstream.connections.flatMap(({ received }) =>
    received.split('\r\n\r\n').slice(0, -1),
  );
  const [requestLine = '', ...lines] = heads.at(-1)?.split('\r\n') ?? [];
  return {
    requestLine,
    values: (name) =>
      lines
        .filter((line) => line.toLowerCase().startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).trim()),
  };
}

/** How many requests this upstream has read. */
export function countHeads(upstream: RawUpstream): number {
  return upstream.connections.reduce(
    (count, { received }) => count + received.split('\r\n\r\n').length - 1,
    0,
  );
}
