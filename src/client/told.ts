/** What `Comet-Live` says of the request whose answer carries it. */
export interface Told {
  readonly address: string;
  /** The state that the answer holds; empty when the site has answered by itself. */
  readonly id: string;
  /** The right to follow it; `undefined` where it is public. */
  readonly ticket: string | undefined;
  /** Which requests are the same poll. */
  readonly rule: Rule;
}

/** What may differ between two requests that are one poll. */
export interface Rule {
  /** Names of query parameters; `*` and `?` stand for letters. */
  readonly query: readonly string[];
  /** JSON Pointers and names of form fields of the body. */
  readonly body: readonly string[];
  /** Calls differ in their `id`, and their answers carry it. */
  readonly isRpc: boolean;
}

/** Read the header (RFC 9651 §3.3: a string with parameters); `undefined` when it is none of ours. */
export function readTold(header: string | null): Told | undefined {
  const parameters: Record<string, string> = {};
  const item = /(?:^|;(\w+))(?:=?"((?:[^"\\]|\\.)*)")?/g;
  for (;;) {
    const match = item.exec(header || '');
    if (!match || !match[0]) break;
    parameters[match[1] || ''] = (match[2] || '').replace(/\\(.)/g, '$1');
  }
  const address = parameters[''];
  if (!address) return undefined;
  return {
    address,
    id: parameters['id'] || '',
    ticket: parameters['ticket'],
    rule: {
      query: names(parameters['ignore']),
      body: names(parameters['ignoreBody']),
      isRpc: 'rpc' in parameters,
    },
  };
}

function names(list: string | undefined): string[] {
  return list ? list.split(' ').map(decodeURIComponent) : [];
}
