import type { EndpointConfig } from '../config/schema.ts';
import type { VaryItem } from '../config/vary.ts';
import type { TransportName } from '../protocol/surface.ts';
import type { PathPattern } from '../shared/path-pattern.ts';
import { parsePattern } from '../shared/path-pattern.ts';

/** A live endpoint: its pattern, and how it is polled. */
export interface Endpoint {
  /** How logs and keys name it: its pattern, and its place where there are several. */
  readonly name: string;
  readonly pattern: PathPattern;
  readonly config: EndpointConfig;
  /** A poll carries something that identifies its client. */
  readonly isPrivate: boolean;
  /**
   * SECURITY: the size of a compressed text tells of its content (BREACH): where a secret and a
   * text of somebody else's stand in one state, it is compressed only if the config says so.
   */
  readonly mayCompress: boolean;
  /** What clients are told apart by, or let in by. */
  readonly keyed: readonly VaryItem[];
  /** Query parameters that are part of the address although `ignoreQuery` names them. */
  readonly keptQuery: readonly string[];
}

/** A path pattern of `live`, and its endpoints: the first that means a request gets it. */
export interface LivePath {
  readonly pattern: PathPattern;
  readonly endpoints: readonly Endpoint[];
}

/** What a config makes live. */
export function createLivePaths(
  live: Readonly<Record<string, readonly EndpointConfig[]>>,
): LivePath[] {
  return Object.entries(live).map(([source, configs]) => {
    const pattern = parsePattern(source);
    const endpoints = configs.map((config, index) =>
      createEndpoint(index === 0 ? source : `${source} (${index + 1})`, pattern, config),
    );
    return { pattern, endpoints };
  });
}

function createEndpoint(name: string, pattern: PathPattern, config: EndpointConfig): Endpoint {
  const keyed = [...config.vary, ...config.authorizedBy];
  const isPrivate = keyed.some((item) => item.kind !== 'query');
  return {
    name,
    pattern,
    config,
    isPrivate,
    keyed,
    mayCompress: config.compress ?? !isPrivate,
    keptQuery: config.vary.flatMap((item) => (item.kind === 'query' ? [item.name] : [])),
  };
}

/** May this endpoint be streamed by this transport? */
export function allowsTransport(endpoint: Endpoint, name: TransportName): boolean {
  return endpoint.config.transports.includes(name);
}
