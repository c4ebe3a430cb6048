import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { TRANSPORT_NAMES } from '../../../src/protocol/surface.ts';
import type { Client, Wanted } from '../../contract/transport/clients.ts';
import type { Told as Event } from '../../contract/transport/heard.ts';
import { read } from '../../contract/transport/reader.ts';
import type { Random } from '../../fuzz/random.ts';
import { startTestProxy } from '../../support/proxy.ts';
import type { RawAnswer } from '../../support/raw-answer.ts';
import { ask } from '../../support/raw-answer.ts';
import type { EchoSite, Told } from './echo-site.ts';
import { NOISE, startEchoSite } from './echo-site.ts';
import { startEdge, WHO } from './edge.ts';
import type { IsolatedEndpoint } from './endpoints.ts';
import { addressOf, ENDPOINTS, isPosted, markerOf } from './endpoints.ts';
import { createHoldClock } from './hold-clock.ts';
import type { Identity } from './identities.ts';
import { createIdentities, guiseOf, viewOf } from './identities.ts';

/** How long plain requests are held at most; nothing else is timed by it. */
const HOLD_MS = 55_000;

/** One client and the endpoint that it looks at. */
export interface Person {
  readonly number: number;
  readonly identity: Identity;
  readonly endpoint: IsolatedEndpoint;
}

/** Somebody who reads, and sees only what is its own. */
export interface Watcher {
  readonly person: Person;
  readonly client: Client;
  readonly isLeft: boolean;
  /** The newest id that it has been told. */
  readonly id: string | undefined;
  /** How the site or the proxy refuses to show anything; rejects when it is shown a state. */
  refused(): Promise<'unauthorized' | number | undefined>;
  /** Read until all its URLs are at this version. Rejects when anything is not its own. */
  sees(version: number): Promise<void>;
  leave(): void;
}

/** A proxy before a site that tells everybody what it takes them for. */
export interface Scene {
  readonly people: readonly Person[];
  /** Those whom the site does not let in where they look. */
  readonly outsiders: readonly Person[];
  readonly site: EchoSite;
  /** Requests that are held now. */
  readonly held: number;
  /** Everything that the proxy logged. */
  readonly log: () => string;
  /** Let all states change; resolves with the new version. */
  change(): Promise<number>;
  /** Read an endpoint's URL. */
  watch(person: Person, client: Client, since?: string, lastEventId?: string): Watcher;
  /** Read several endpoints in one stream, each from a cursor. */
  watchAll(person: Person, client: Client, cursors: readonly Cursor[]): Watcher;
  /** Ask for the plain resource, with these header lines besides. */
  ask(person: Person, ...lines: string[]): Promise<RawAnswer>;
  /** Fail unless this is what the site tells that person. */
  assertOwn(person: Person, told: unknown, where: string): Told;
  /** Does the site let that person in there? */
  isAdmitted(person: Person, endpoint: IsolatedEndpoint): boolean;
  /** Does the site take these two for the same? */
  areSame(one: Person, other: Person, endpoint: IsolatedEndpoint): boolean;
}

/** An endpoint to read, and the id that the client says to have of it. */
export interface Cursor {
  readonly endpoint: IsolatedEndpoint;
  readonly since: string | undefined;
}

/** Start it all; it ends with the test. @param atLeast - So many people look at each endpoint. */
export async function openScene(t: TestContext, random: Random, atLeast: number): Promise<Scene> {
  const everybody = ENDPOINTS.flatMap((endpoint) => {
    const seen = (identity: Identity) => {
      const view = viewOf(identity, endpoint.path);
      return endpoint.admits(view) && markerOf(endpoint, view);
    };
    const areSame = (one: Identity, other: Identity) => seen(one) === seen(other);
    const identities = createIdentities(random, atLeast, areSame);
    return identities.map((identity) => ({ identity, endpoint }));
  }).map((person, number): Person => ({ ...person, number }));
  const site = await startEchoSite(t);
  const clock = createHoldClock(HOLD_MS);
  const live = ENDPOINTS.map(({ path, config }) => [path, { ...EVERY_ENDPOINT, ...config }]);
  const proxy = await startTestProxy(
    t,
    {
      site: site.upstream.url,
      trustedProxies: ['127.0.0.1'],
      limits: {
        streamsPerAddress: 10_000,
        channelsPerAddress: 10_000,
        pollsPerSecond: 100_000,
      },
      live: Object.fromEntries(live),
    },
    clock,
  );
  const guise = ({ identity, number }: Person) =>
    guiseOf(identity, [`User-Agent: client/${number}`, `${NOISE}noise of ${number}`]);
  const origin = await startEdge(t, proxy.port, (who) => guise(person(Number(who))));

  const markers = new Map(
    ENDPOINTS.map((endpoint) => {
      return [
        endpoint,
        everybody.map(({ identity }) => markerOf(endpoint, viewOf(identity, endpoint.path))),
      ];
    }),
  );
  const markerFor = ({ number }: Person, endpoint: IsolatedEndpoint) =>
    markers.get(endpoint)?.[number];

  const isAdmitted = ({ identity }: Person, endpoint: IsolatedEndpoint) =>
    endpoint.admits(viewOf(identity, endpoint.path));

  function person(number: number): Person {
    const found = everybody[number];
    assert.ok(found);
    return found;
  }

  function assertOwn(one: Person, told: unknown, where: string, endpoint = one.endpoint): Told {
    const { version, you } = told as Told;
    if (you === markerFor(one, endpoint)) return { version, you };
    const other = everybody.find((candidate) => markerFor(candidate, endpoint) === you);
    const sent = inShort({ sent: one.identity, seen: other?.identity ?? told });
    assert.fail(`${one.number} sees what is not its own: ${where} of ${endpoint.path}: ${sent}`);
  }

  function readAll(reading: Person, client: Client, wanted: Wanted, lastEventId?: string): Watcher {
    const endpoints = Object.keys(wanted).map((target) => endpointAt(target));
    // What stands last belongs to the last URL.
    const post = endpoints.some(isPosted) ? postOf(reading.identity) : {};
    const posting = { ...client, parameters: { ...client.parameters, ...post } };
    const reader = read(t, posting, { proxy: { ...proxy, url: origin } }, wanted, {
      [WHO]: String(reading.number),
      'sec-fetch-site': 'same-origin',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    });
    const versions = new Map<IsolatedEndpoint, number>();
    let id: string | undefined;
    let isLeft = false;
    function take(event: Event): void {
      const [first] = endpoints;
      const endpoint = event.url === undefined ? first : endpointAt(event.url);
      assert.ok(endpoint);
      assert.equal(event.event, 'snapshot', `${client.name} of ${endpoint.path}`);
      if (event.url !== undefined) {
        assert.equal(event.url, addressOf(endpoint, `${endpoint.path}${reading.identity.query}`));
      }
      const { version } = assertOwn(reading, event.data, client.name, endpoint);
      const known = versions.get(endpoint) ?? -1;
      assert.ok(version > known, `${client.name} is told ${version} after ${known}`);
      versions.set(endpoint, version);
      id = event.id ?? id;
    }
    return {
      person: reading,
      client,
      get isLeft() {
        return isLeft;
      },
      get id() {
        return id;
      },
      async sees(version) {
        while (endpoints.some((one) => (versions.get(one) ?? -1) < version)) {
          take(await reader.next());
        }
      },
      async refused() {
        if (client.isBare) return (await reader.ended).status;
        const { event } = await reader.next();
        assert.equal(event, 'unauthorized');
        // A WebSocket stays open for other URLs.
        if (client.transport !== 'ws') await reader.ended;
        assert.equal(reader.events.length, 1);
        return event;
      },
      leave() {
        isLeft = true;
        reader.close();
      },
    };
  }

  const targetOf = ({ identity }: Person, { path }: IsolatedEndpoint) => `${path}${identity.query}`;

  return {
    people: everybody.filter((one) => isAdmitted(one, one.endpoint)),
    outsiders: everybody.filter((one) => !isAdmitted(one, one.endpoint)),
    isAdmitted,
    site,
    get held() {
      return clock.held;
    },
    log: () => JSON.stringify(proxy.lines),
    async change() {
      const changed = await fetch(`${proxy.url}/change`, { method: 'POST' });
      await changed.arrayBuffer();
      return site.version;
    },
    watch: (reading, client, since, lastEventId) =>
      readAll(reading, client, { [targetOf(reading, reading.endpoint)]: since }, lastEventId),
    watchAll: (reading, client, cursors) =>
      readAll(
        reading,
        client,
        Object.fromEntries(
          cursors.map(({ endpoint, since }) => [
            addressOf(endpoint, targetOf(reading, endpoint)),
            since,
          ]),
        ),
      ),
    ask(asking, ...lines) {
      const { host, lines: own } = guise(asking);
      const { type, text } = asking.identity.content;
      const method = isPosted(asking.endpoint) ? 'POST' : 'GET';
      const content = [`Content-Type: ${type}`, `Content-Length: ${text.length}`];
      const request = [
        `${method} ${targetOf(asking, asking.endpoint)} HTTP/1.1`,
        `Host: ${host}`,
        ...own,
        ...lines,
        ...(method === 'POST' ? content : []),
        'Connection: close',
        '',
        method === 'POST' ? text : '',
      ];
      return ask(t, proxy.port, request.join('\r\n'));
    },
    assertOwn,
    areSame: (one, other, endpoint) => markerFor(one, endpoint) === markerFor(other, endpoint),
  };
}

/** States change only when `change` says so: what the test does takes the time that it takes. */
const EVERY_ENDPOINT = {
  every: '1h',
  linger: '1h',
  hold: `${HOLD_MS}ms`,
  refreshOn: ['POST /change'],
  transports: TRANSPORT_NAMES,
};

function endpointAt(target: string): IsolatedEndpoint {
  const found = ENDPOINTS.find(({ path }) => path === target.split('?', 1)[0]);
  assert.ok(found, target);
  return found;
}

function postOf({ content }: Identity) {
  return { method: 'POST', body: content.text, contentType: content.type };
}

function inShort(value: unknown): string {
  return JSON.stringify(value).replace(/x{100,}/g, 'x…');
}
