import type { EndpointConfig } from '../config/schema.ts';
import type { TransportName } from '../protocol/surface.ts';
import type { PathPattern } from '../shared/path-pattern.ts';
import { parsePattern } from '../shared/path-pattern.ts';

/** A live endpoint: its pattern, and how it is polled. */
export interface Endpoint {
  readonly pattern: PathPattern;
  readonly config: EndpointConfig;
  /** A poll carries something that identifies its client. */
  readonly isPrivate: boolean;
  /**
   * SECURITY: the size of a compressed text tells of its content (BREACH): where a secret and a
   * text of somebody else's stand in one state, it is compressed only if the config says so.
   */
  readonly mayCompress: boolean;
  /** Query parameters that are part of the address although `ignoreQuery` names them. */
  readonly keptQuery: readonly string[];
}

/** The endpoints of a config. */
export function createEndpoints(live: Readonly<Record<string, EndpointConfig>>): Endpoint[] {
  return Object.entries(live).map(([source, config]) => {
    const isPrivate = config.vary.some((item) => item.kind !== 'query');
    return {
      pattern: parsePattern(source),
      config,
      isPrivate,
      mayCompress: config.compress ?? !isPrivate,
      keptQuery: config.vary.flatMap((item) => (item.kind === 'query' ? [item.name] : [])),
    };
  });
}

/** May this endpoint be streamed by this transport? */
export function allowsTransport(endpoint: Endpoint, name: TransportName): boolean {
  return endpoint.config.transports.includes(name);
}
