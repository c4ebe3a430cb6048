import { createHash } from 'node:crypto';
import type { Component, View } from './view.ts';
import { ADDRESS, CONTENT, COOKIES, cookie, header, headers } from './view.ts';

/** A live endpoint whose answers tell what it took its client for. */
export interface IsolatedEndpoint {
  readonly path: string;
  /** What its answers depend on, besides the URL. */
  readonly components: readonly Component[];
  /** What decides who may see them, and may be lent to polls for all. */
  readonly authorizedBy: readonly Component[];
  /** Is this client let in? */
  readonly admits: (view: View) => boolean;
  /** Further keys of its config. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Does this query parameter only defeat caches? */
  readonly drops: (name: string) => boolean;
  /** The site gives entity tags. */
  readonly hasTags: boolean;
  /** The site refuses whoever does not show the token that it has handed out to exactly this client. */
  readonly handsOut: boolean;
}

/** The header of the token. */
export const TOKEN = 'x-handed-out';

const AUTHORIZATION = header('authorization');
const TENANT = header('x-tenant');
const REGION = header('x-region');
const TOKENS = headers('x-csrf-token-');

/** One endpoint for each way to vary. */
export const ENDPOINTS: readonly IsolatedEndpoint[] = [
  endpoint('/default', [COOKIES, AUTHORIZATION], { vary: undefined }),
  endpoint('/tagged', [COOKIES, AUTHORIZATION], {}, { hasTags: true }),
  endpoint('/a-cookie', [cookie('SESSION')], { polls: 'hold' }),
  endpoint('/two-cookies', [cookie('SESSION'), cookie('OTHER')]),
  endpoint('/headers', [TENANT, REGION]),
  endpoint('/tokens', [TOKENS]),
  endpoint('/address', [ADDRESS], { polls: 'hold' }),
  endpoint('/public', []),
  endpoint('/odd', [header('__proto__'), header('constructor'), cookie('__proto__')]),
  endpoint('/all', [COOKIES, AUTHORIZATION, TENANT, REGION, TOKENS, ADDRESS]),
  endpoint(
    '/query',
    [cookie('SESSION')],
    { vary: ['query:tok', 'cookie:SESSION'], ignoreQuery: ['_', 't*'] },
    { drops: (name) => name === '_' || (name.startsWith('t') && name !== 'tok') },
  ),
  endpoint(
    '/handed',
    [cookie('SESSION')],
    { handshake: { status: 409, header: TOKEN } },
    { handsOut: true },
  ),
  endpoint(
    '/members',
    [],
    {},
    {
      authorizedBy: [cookie('SESSION')],
      admits: (view) => /^SESSION=ab?$/.test(String(cookie('SESSION').of(view))),
    },
  ),
  endpoint('/posted', [CONTENT, cookie('SESSION')], { method: 'POST' }),
];

/** Is it polled by `POST`? */
export function isPosted({ config }: IsolatedEndpoint): boolean {
  return config['method'] === 'POST';
}

/** The endpoint of a request target. */
export function endpointOf(target: string): IsolatedEndpoint | undefined {
  return ENDPOINTS.find(({ path }) => path === target.split('?', 1)[0]);
}

/** A target without what only defeats caches. */
export function addressOf({ drops }: IsolatedEndpoint, target: string): string {
  const [path = '', query] = target.split('?');
  const kept = query?.split('&').filter((part) => !drops(part.split('=')[0] ?? '')) ?? [];
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}

/** What an endpoint takes a client for: two differ when anything that it depends on does. */
export function markerOf(endpoint: IsolatedEndpoint, view: View): string {
  const { host, scheme } = view;
  const seen = endpoint.components.map((component) => component.of(view));
  const tuple = [addressOf(endpoint, view.target), host, scheme, ...seen];
  return createHash('sha256').update(JSON.stringify(tuple)).digest('hex');
}

function endpoint(
  path: string,
  components: readonly Component[],
  config: Readonly<Record<string, unknown>> = {},
  rest: Partial<IsolatedEndpoint> = {},
): IsolatedEndpoint {
  return {
    path,
    components,
    authorizedBy: [],
    admits: () => true,
    config: {
      vary: named(components),
      ...(rest.authorizedBy ? { authorizedBy: named(rest.authorizedBy) } : {}),
      ...config,
    },
    drops: (name) => name === '_',
    hasTags: false,
    handsOut: false,
    ...rest,
  };
}

function named(components: readonly Component[]): string[] {
  return components.flatMap(({ vary }) => vary ?? []);
}
