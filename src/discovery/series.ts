import type { FieldRole } from './field-roles.ts';
import { fieldRoles } from './field-roles.ts';
import type { Shape } from './shape.ts';
import type { Event, Track } from './track.ts';

/** The requests of one client for one thing. */
export interface ClientSeries {
  readonly track: Track;
  readonly events: readonly Event[];
}

/** All requests for one thing: those of a kind that are equal in every field that matters. */
export interface Series {
  readonly shape: Shape;
  readonly roles: readonly FieldRole[];
  /** The value of each field; of those that do not matter `undefined`. */
  readonly values: readonly (number | undefined)[];
  readonly clients: readonly ClientSeries[];
  /** Requests in all, also of clients that are not remembered. */
  readonly requests: number;
}

/** Take the requests of one kind apart. */
export function seriesOf(shape: Shape): Series[] {
  const tracks = [...shape.tracks.values()].map((track) => ({ track, events: track.events() }));
  const roles = fieldRoles(
    shape,
    tracks.map(({ events }) => events),
  );
  const parts = new Map<string, { values: (number | undefined)[]; clients: ClientSeries[] }>();
  for (const { track, events } of tracks) {
    const own = groupBy(events, keyOf);
    for (const [key, some] of own) {
      const part = parts.get(key) ?? { values: valuesOf(some[0]), clients: [] };
      part.clients.push({ track, events: some });
      parts.set(key, part);
    }
  }
  const all = [...parts.values()].map((part) => ({ ...part, weight: weightOf(part.clients) }));
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  return all.map(({ values, clients, weight }) => {
    const requests = Math.round(((shape.count - shape.error + shape.standingFor) * weight) / total);
    return { shape, roles, values, clients, requests };
  });

  function keyOf({ values }: Event): string {
    return values.filter((_, i) => roles[i] === 'part').join(' ');
  }
  function valuesOf(event: Event | undefined): (number | undefined)[] {
    return roles.map((role, i) => (role === 'part' ? event?.values[i] : undefined));
  }
}

/** A client that came more often than is remembered counts with all it did. */
function weightOf(clients: readonly ClientSeries[]): number {
  return clients.reduce(
    (sum, { track, events }) => sum + (track.total * events.length) / track.size,
    0,
  );
}

function groupBy(events: readonly Event[], keyOf: (event: Event) => string): Map<string, Event[]> {
  const groups = new Map<string, Event[]>();
  for (const event of events) {
    const key = keyOf(event);
    const group = groups.get(key);
    if (group) group.push(event);
    else groups.set(key, [event]);
  }
  return groups;
}
