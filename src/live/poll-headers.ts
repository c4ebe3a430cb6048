import type { Identity } from './channel-key.ts';
import type { Content } from './request-body.ts';

/** What every poll of the site says of us. */
export interface PollSender {
  /** The `Host` of polls; `undefined` sends on the client's. */
  readonly upstreamHost: string | undefined;
  readonly userAgent: string;
  /** The `Via` of polls, by which a loop is found; `undefined` sends none. */
  readonly via: string | undefined;
}

/** What the polls of one channel say of it. */
export interface PollTerms {
  /** The endpoint's `headers`. */
  readonly headers: Readonly<Record<string, string>>;
  /** What a `POST` carries. */
  readonly content: Content | undefined;
  readonly identity: Pick<Identity, 'forwarded'>;
}

/**
 * The headers of a poll, names in lower case and values.
 *
 * SECURITY: the poll carries constants of ours, constants of the config, and exactly what the
 * channel is keyed by. Nothing else of a client ever reaches the upstream through a poll.
 */
export function pollHeaders(
  { headers, content, identity }: PollTerms,
  sender: PollSender,
): string[] {
  const { forwarded } = identity;
  const { upstreamHost, userAgent, via } = sender;
  const fields = new Map<string, readonly string[]>([
    ['accept', ['*/*']],
    ['accept-encoding', ['gzip']],
    ['user-agent', [userAgent]],
  ]);
  for (const [name, value] of Object.entries(headers)) fields.set(name.toLowerCase(), [value]);
  if (content?.type !== undefined) fields.set('content-type', [content.type]);
  for (const [name, values] of forwarded) fields.set(name, values);
  const clientHost = forwarded.get('host') ?? [];
  fields.set('x-forwarded-host', clientHost);
  if (via !== undefined) fields.set('via', [via]);
  if (upstreamHost !== undefined) fields.set('host', [upstreamHost]);
  return [...fields].flatMap(([name, values]) => values.flatMap((value) => [name, value]));
}
