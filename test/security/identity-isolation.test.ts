import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../contract/transport/clients.ts';
import { BARE_SSE, BARE_WS, CLIENTS } from '../contract/transport/clients.ts';
import type { Random } from '../fuzz/random.ts';
import { createRandom, SEED } from '../fuzz/random.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { until } from '../support/until.ts';
import type { IsolatedEndpoint } from './isolation/endpoints.ts';
import { ENDPOINTS, isPosted } from './isolation/endpoints.ts';
import type { Person, Scene, Watcher } from './isolation/scene.ts';
import { openScene } from './isolation/scene.ts';

/*
 * Hundreds of clients whose credentials are made to be taken for each other, over every transport
 * and every way to vary, through changes, reconnects with the ids of others, and streams of several
 * URLs. The site tells each what it takes it for, and each must hear of itself alone.
 */

const AT_LEAST = 28;

const WAYS: readonly Client[] = [BARE_SSE, BARE_WS, ...Object.values(CLIENTS)];

test(`each of hundreds of identities sees only what is its own: seed ${SEED}`, {
  timeout: 240_000,
}, async (t) => {
  const random = createRandom(SEED);
  const scene = await openScene(t, random, AT_LEAST);
  const { people, site } = scene;
  const watchers = people.map((person, index) => watchAs(scene, person, WAYS, index));
  await everybody(watchers, 0);
  await everybody(watchers, await scene.change());
  assert.ok(people.length > 300);
  const covered = new Set(watchers.map((one) => `${one.client.name} ${one.person.endpoint.path}`));
  const bare = WAYS.filter(({ isBare }) => isBare).length * ENDPOINTS.filter(isPosted).length;
  assert.equal(covered.size, WAYS.length * ENDPOINTS.length - bare);

  const returned = comeBack(scene, random, watchers);
  await everybody(returned, site.version);
  const kept = watchers.filter(({ isLeft }) => !isLeft);
  assert.ok(kept.length > 0 && returned.length > 0);
  const all = [...kept, ...returned];
  await everybody(all, await scene.change());

  const shared = watchSeveral(scene, random, all);
  await everybody(shared, site.version);
  await everybody([...all, ...shared], await scene.change());

  await refuseOutsiders(scene, random, all);

  const tags = await askEverybody(scene, random, all);
  const held = await holdEverybody(scene, random, tags);
  await everybody([...all, ...shared], site.version);
  assert.equal(held, people.filter(({ endpoint }) => !isPosted(endpoint)).length);

  assert.deepEqual(site.leaks, []);
  assert.doesNotMatch(scene.log(), /noise of|Basic YQ|SESSION=/);
});

async function everybody(watchers: readonly Watcher[], version: number): Promise<void> {
  await Promise.all(watchers.map((watcher) => watcher.sees(version)));
}

/** One of these ways, by number. */
function watchAs(scene: Scene, person: Person, ways: readonly Client[], index: number): Watcher {
  const own = isPosted(person.endpoint) ? ways.filter(({ isBare }) => !isBare) : ways;
  return scene.watch(person, wayFor(person, own, index));
}

function wayFor({ identity }: Person, ways: readonly Client[], index: number): Client {
  const way = ways[index % ways.length] ?? BARE_SSE;
  // A frame of a page over TLS posts to its https origin: the reader knows only one of http.
  return way.name === 'iframe' && identity.scheme === 'https' ? CLIENTS.sse : way;
}

/** An id that somebody was told whom the site does not take for this one. */
function idOfStranger(
  { random, scene, watchers }: { random: Random; scene: Scene; watchers: readonly Watcher[] },
  one: Person,
  endpoint: IsolatedEndpoint,
): string {
  const ids = watchers.flatMap(({ id, person }) => {
    const isNear = person.endpoint === endpoint;
    const isOwn = isNear && scene.areSame(person, one, endpoint);
    return id === undefined || isOwn ? [] : [{ id, isNear }];
  });
  const near = ids.filter(({ isNear }) => isNear);
  return random.pick(near.length > 0 && random.chance(0.8) ? near : ids).id;
}

/** Who comes back with the id of another channel has nothing of its own: it is told the state. */
function comeBack(scene: Scene, random: Random, watchers: readonly Watcher[]): Watcher[] {
  const leaving = watchers.filter(({ client }) => client.hasCursors && random.chance(0.7));
  return leaving.map((watcher) => {
    const { person, client } = watcher;
    watcher.leave();
    const stranger = idOfStranger({ random, scene, watchers }, person, person.endpoint);
    return random.chance(0.5)
      ? scene.watch(person, client, undefined, stranger)
      : scene.watch(person, client, stranger);
  });
}

/** Some of them read several endpoints in one stream. */
function watchSeveral(scene: Scene, random: Random, watchers: readonly Watcher[]): Watcher[] {
  const ways = WAYS.filter(({ isShared }) => isShared);
  return scene.people
    .filter(({ number }) => number % 12 === 0)
    .map((person, index) => {
      // What is posted comes last.
      const some = ENDPOINTS.filter(
        (one) => isPosted(one) || (scene.isAdmitted(person, one) && random.chance(0.5)),
      );
      const cursors = some.map((endpoint) => {
        const stranger = idOfStranger({ random, scene, watchers }, person, endpoint);
        return { endpoint, since: random.chance(0.7) ? stranger : undefined };
      });
      return scene.watchAll(person, wayFor(person, ways, index), cursors);
    });
}

/** Whom the site does not let in is shown nothing, by whichever way and with whatever id. */
async function refuseOutsiders(scene: Scene, random: Random, watchers: readonly Watcher[]) {
  const { outsiders } = scene;
  const ids = watchers.flatMap(({ id, person }) =>
    person.endpoint === outsiders[0]?.endpoint && id !== undefined ? [id] : [],
  );
  assert.ok(outsiders.length > 10 && ids.length > 0);
  const tried = outsiders.map(async (person, index) => {
    const client = wayFor(person, WAYS, index);
    const id = random.pick(ids);
    const watcher = scene.watch(person, client, id, id);
    assert.equal(await watcher.refused(), client.isBare ? 401 : 'unauthorized', client.name);
    const plain = await scene.ask(person, `If-None-Match: "${id}"`, 'Prefer: wait=20');
    assert.equal(plain.status, 401);
  });
  await Promise.all(tried);
}

/** Each asks for the plain resource; some say to have what others have. */
async function askEverybody(scene: Scene, random: Random, watchers: readonly Watcher[]) {
  const asked = scene.people.map(async (person) => {
    const stranger = idOfStranger({ random, scene, watchers }, person, person.endpoint);
    const tag = random.chance(0.5) ? [`If-None-Match: "${stranger}"`] : [];
    // Who asks for it by a preference is not known yet as a page that polls.
    const wait = isHolding(person.endpoint) || random.chance(0.5) ? [] : ['Prefer: wait=20'];
    return { person, answer: await scene.ask(person, ...tag, ...wait) };
  });
  const answers = await Promise.all(asked);
  const check = (person: Person, answer: RawAnswer) => {
    assert.equal(answer.status, 200);
    const { version } = scene.assertOwn(person, JSON.parse(answer.body), 'a plain answer');
    assert.equal(version, scene.site.version);
    assert.deepEqual(answer.values('cache-status'), ['comet-proxy; hit']);
  };
  for (const { person, answer } of answers) check(person, answer);
  // Once more, with the very tag of another's answer: it would be held if that were taken for its own.
  await Promise.all(
    answers.map(async ({ person }) => {
      const others = answers.filter(
        (other) =>
          other.person.endpoint === person.endpoint &&
          !scene.areSame(other.person, person, person.endpoint),
      );
      if (others.length === 0) return;
      const [tag] = random.pick(others).answer.values('etag');
      if (tag === undefined) return;
      check(person, await scene.ask(person, `If-None-Match: ${tag}`, 'Prefer: wait=20'));
    }),
  );
  return answers;
}

/** Each asks again for what it has, and is held until that changes. @returns how many were held. */
async function holdEverybody(
  scene: Scene,
  random: Random,
  known: Awaited<ReturnType<typeof askEverybody>>,
): Promise<number> {
  // Nobody is held who posts.
  const holdable = known.filter(({ person }) => !isPosted(person.endpoint));
  const asked = holdable.map(async ({ person, answer }) => {
    const wait = isHolding(person.endpoint) && random.chance(0.5) ? [] : ['Prefer: wait=55'];
    const tag = `If-None-Match: ${answer.values('etag')[0]}`;
    return { person, answer: await scene.ask(person, tag, ...wait) };
  });
  await until(() => scene.held === asked.length);
  const { held } = scene;
  const version = await scene.change();
  for (const { person, answer } of await Promise.all(asked)) {
    assert.equal(answer.status, 200);
    const told = scene.assertOwn(person, JSON.parse(answer.body), 'a held answer');
    assert.equal(told.version, version);
  }
  return held;
}

function isHolding({ config }: IsolatedEndpoint): boolean {
  return config['polls'] === 'hold';
}
