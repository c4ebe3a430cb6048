import { createLink } from './link.ts';
import type { Natives } from './natives.ts';
import { patched } from './patch.ts';
import type { Announced, Place, Places, Told, Vouched } from './places.ts';
import type { Close, Envelope, LinkTransport } from './transports.ts';

/** Who holds the stream, for all tabs or for one. */
export interface Hub {
  /** Another tab follows these from now on, and nothing else. */
  announce(announced: Announced): void;
  /** What the page follows may have changed. */
  refresh(): void;
  /** See Link. */
  check(): void;
  reset(): void;
  isCostly(): boolean;
  close(): void;
}

/** More than fit into a stream: the newest are live. The proxy's own limit, without another in its config. */
const MAX_ADDRESSES = 32;
/** Pages that load follow several addresses within that time. */
const GATHER_MS = 50;
/** A page that is left is followed by another one, which mostly follows the same. */
const LINGER_MS = 30_000;
/** Tabs announce themselves at every heartbeat; at least once a minute, as hidden ones may. */
const LOST_MS = 150_000;
const VOUCH_EVERY_MS = 5_000;

/**
 * Follow the places of all tabs over one link.
 *
 * @param say - Tells all tabs, this one too.
 */
export function createHub(
  natives: Natives,
  order: readonly LinkTransport[],
  places: Places,
  say: (word: Told | Vouched) => void,
): Hub {
  const { now } = natives;
  let vouched: Vouched = { untilMs: 0, isDown: false, isNew: true };
  let cancel: Close | undefined;

  function isWanted({ listeners, tabs }: Place): boolean {
    return (
      listeners.length > 0 || Object.keys(tabs).some((tab) => now() - (tabs[tab] ?? 0) < LOST_MS)
    );
  }

  function tell({ key, state, isCurrent }: Place, lastWord?: Told['lastWord']): void {
    say({ key, state, isCurrent, lastWord });
  }

  function query(name: LinkTransport): string {
    for (const place of places.list) {
      if (isWanted(place)) continue;
      place.isCurrent = false;
      tell(place); // as long as nobody asks for it
      places.remove(place);
    }
    const list = places.list.slice(-MAX_ADDRESSES);
    if (list.length === 0) return '';
    const isPoll = name === 'poll';
    // What is up to date is told by streams, and by long polls that do not wait.
    const isUnsure = list.some((place) => place.state && !place.isCurrent && !place.isStale);
    const since = ({ state, cursor }: Place) => (isPoll && !isUnsure ? cursor : state?.id);
    const end = isPoll ? `wait=${isUnsure ? 0 : 25}` : 'beat=1&maxBytes=1048576';
    return list
      .map((place) => {
        const { address, ticket } = place.want;
        const isTaken = places.list.some(({ url }) => url === address);
        place.url = place.url || (isTaken ? `${address.split('#')[0]}#${ticket ?? ''}` : address);
        return (
          parameter('url', place.url) +
          parameter('since', since(place)) +
          parameter('ticket', ticket)
        );
      })
      .concat('form=answer&', end)
      .join('');
  }

  function onEvent(envelope: Envelope): void {
    const { event, url = '', id = '', data, contentType = '' } = envelope;
    const name = url.split('#')[1];
    const place =
      places.list.filter((each) => each.url === url)[0] ??
      // The proxy leaves parameters out of the address that do not count, and names as they are.
      places.list.filter((each) => name && each.url.split('#')[1] === name)[0];
    if (!place) return;
    const { state } = place;
    let lastWord: Told['lastWord'];
    if (event === 'snapshot') {
      place.state = {
        id,
        status: envelope.status ?? 200,
        contentType,
        headers: envelope.headers ?? {},
        data: String(data),
        isBase64: envelope.encoding === 'base64',
      };
    } else if (event === 'patch') {
      // If it cannot be applied the stream begins again, and this place with a snapshot.
      place.state = undefined;
      place.cursor = undefined;
      const { status, contentType: type, headers, data: text } = state as NonNullable<typeof state>;
      const own: Record<string, string> = {};
      for (const name of Object.keys(headers)) {
        // These are of the body before it.
        if (!/^(etag|last-modified)$/.test(name)) own[name] = headers[name] ?? '';
      }
      place.state = {
        id,
        status,
        contentType: type,
        headers: own,
        data: JSON.stringify(patched(JSON.parse(text), data, contentType)),
        isBase64: false,
      };
    } else if (event === 'stale') place.isStale = true;
    else if (event === 'fresh') place.isStale = false;
    else {
      const { reason, code, status } = data as Record<string, string>;
      lastWord = { event, reason: String(reason ?? code ?? status) };
    }
    if (id) place.cursor = id;
    place.isCurrent = !!place.state && !place.isStale && !lastWord;
    tell(place, lastWord);
  }

  const link = createLink(natives, order, {
    query,
    event: onEvent,
    vouch(untilMs, isDown) {
      if (!untilMs) for (const place of places.list) place.isStale = false;
      const isTold = vouched.isDown === isDown && untilMs < vouched.untilMs + VOUCH_EVERY_MS;
      if (untilMs && isTold) return;
      vouched = { untilMs, isDown, isNew: false };
      say(vouched);
    },
    refused(code) {
      // The newest is to blame: the others were there before. Or else the one before it.
      for (const place of places.list.slice(-1)) tell(place, { event: 'error', reason: code });
      link.open();
    },
  });

  function refresh(): void {
    const isNew = places.list.some(({ url }) => !url);
    if (!isNew && (cancel || places.list.every(isWanted))) return;
    cancel?.();
    cancel = natives.after(isNew ? GATHER_MS : LINGER_MS, () => {
      cancel = undefined;
      link.open();
    });
  }

  function check(): void {
    refresh();
    link.check();
  }

  say(vouched);
  return {
    announce({ tab, wants, isNew }) {
      const known = places.list.filter((place) => tab in place.tabs);
      for (const place of known) delete place.tabs[tab];
      for (const want of wants) {
        const place = places.open(want);
        place.tabs[tab] = now();
        if (isNew || known.indexOf(place) < 0) tell(place);
      }
      check();
      // By another number than 0: nothing begins.
      say({ untilMs: vouched.untilMs || 1, isDown: vouched.isDown, isNew: false });
    },
    refresh,
    check,
    reset: link.reset,
    isCostly: link.isCostly,
    close() {
      cancel?.();
      link.close();
    },
  };
}

function parameter(name: string, value: string | undefined): string {
  return value ? `${name}=${encodeURIComponent(value)}&` : '';
}
