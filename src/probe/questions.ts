import type { PollWay } from '../live/asker.ts';
import { createAsker } from '../live/asker.ts';
import type { Identity } from '../live/channel-key.ts';
import { identify } from '../live/channel-key.ts';
import { pollHeaders } from '../live/poll-headers.ts';
import type { JudgeOptions } from '../poll/judge.ts';
import type { Clock } from '../shared/clock.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { Ask } from './ask.ts';
import { createAsk } from './ask.ts';
import { withGiven } from './given-headers.ts';
import type { Questions } from './observe.ts';
import type { PlannedUrl } from './plan.ts';

/** What the polls of all URLs have in common. */
export interface AskingOptions {
  readonly way: PollWay;
  /** For the headers of a poll, what makes of a body the one that clients get. */
  readonly rewriting: ((headers: RawHeaders) => NonNullable<JudgeOptions['rewrite']>) | undefined;
  readonly clock: Clock;
}

/** What is asked at one URL. */
export interface UrlQuestions extends Questions {
  /** Of who sends the polls that are judged. */
  readonly identity: Identity;
}

/** The name of a channel is made with it, and not used here. */
const NO_SECRET = Buffer.alloc(32);

/** The polls of one URL as they will be sent, and the full request of who has these headers. */
export function questionsFor(
  { wanted, downstream }: PlannedUrl,
  given: RawHeaders,
  { way, rewriting, clock }: AskingOptions,
): UrlQuestions {
  const { endpoint, target, content } = wanted;
  const { name, config, keyed } = endpoint;
  const identityOf = (rawHeaders: RawHeaders) => {
    const parts = { kind: 'state', endpoint: name, target, content, vary: keyed } as const;
    return identify({ ...parts, downstream, rawHeaders }, NO_SECRET);
  };
  const headersOf = (identity: Identity) =>
    pollHeaders({ headers: config.headers, content, identity }, way.sender);
  // SECURITY: each asks by itself: what an upstream hands out to one stays with that one.
  const askAs = (identity: Identity, { fetch, sender }: PollWay): Ask => {
    const asker = createAsker(wanted, identity, { fetch, sender });
    return createAsk({
      poll: (conditions, signal) => asker.ask(conditions, signal),
      rewrite: rewriting?.(headersOf(identity)),
      maxBytes: config.maxBody,
      clock,
    });
  };
  const [nobody, client] = [identityOf([]), identityOf(given)];
  const inFull = (headers: RawHeaders) => withGiven(headers, given);
  const full: PollWay = {
    ...way,
    fetch: (poll, signal) => way.fetch({ ...poll, headers: inFull(poll.headers) }, signal),
  };
  const asClient = headersOf(client);
  return {
    identity: client,
    nobody: askAs(nobody, way),
    client: isSame(headersOf(nobody), asClient) ? undefined : askAs(client, way),
    request: isSame(asClient, inFull(asClient)) ? undefined : askAs(client, full),
    mayBeConditional: content === undefined,
  };
}

function isSame(one: RawHeaders, other: RawHeaders): boolean {
  return written(one) === written(other);
}

/** In one order: that of different names means nothing. */
function written(headers: RawHeaders): string {
  const lines = headers.flatMap((name, i) =>
    i % 2 === 0 ? [JSON.stringify([name, headers[i + 1]])] : [],
  );
  return lines.sort().join('\n');
}
