import { delay } from '../figures.ts';
import type { Contender, Load, Outcome } from './contender.ts';
import { outcomeOf } from './contender.ts';
import { cpuMsOf } from './cost.ts';
import { openSubscribers } from './subscribers.ts';

/** Connections that are opened at once: the queue of the server is not what is measured here. */
const AT_ONCE = 100;
/** What is on its way when the time is over may still come. */
const GRACE_MS = 500;

/** Let one contender bear the load for a while. */
export async function measure(contender: Contender, load: Load, ms: number): Promise<Outcome> {
  const server = await contender.start(load);
  const { subscribers: connections, endpoints } = load;
  const { port, speech } = server;
  const subscribers = openSubscribers({ port, connections, atOnce: AT_ONCE, endpoints, speech });
  try {
    await subscribers.ready();
    await server.begin?.();
    await delay(1_000); // and some first rounds, in which code becomes fast
    subscribers.reset();
    const from = process.hrtime.bigint();
    const before = { ...(await subscribers.count()), cpuMs: cpuMsOf(server.pid) };
    await delay(ms);
    const to = process.hrtime.bigint();
    const after = { ...(await subscribers.count()), cpuMs: cpuMsOf(server.pid) };
    await delay(GRACE_MS);
    const isIn = (at: bigint) => at >= from && at < to;
    const changes = (await subscribers.report()).filter(({ at }) => isIn(at));
    const made = server.made?.filter(isIn).length ?? 0;
    const messages = after.messages - before.messages;
    return outcomeOf(changes, made, load, ((after.cpuMs - before.cpuMs) * 1_000) / messages);
  } catch (error) {
    throw new Error(`${contender.name} failed: ${error}`, { cause: error });
  } finally {
    await subscribers.close();
    await server.close();
  }
}
