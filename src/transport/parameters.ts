import { PARAMETERS } from '../protocol/surface.ts';
import { ProxyError } from '../shared/errors.ts';

/** What the query of `/_comet/<transport>` says of the transport itself. */
export interface Parameters {
  readonly paddingBytes: number;
  readonly maxBytes: number | undefined;
  readonly waitMs: number;
  readonly callback: string;
  readonly isMixed: boolean;
  readonly isDirect: boolean;
  /** Snapshots are whole answers. */
  readonly isAnswer: boolean;
  /** Heartbeats can be seen by scripts. */
  readonly isBeating: boolean;
  readonly frame: number;
  readonly origin: string | undefined;
}

/** One of the parameters. */
export type ParameterName = Exclude<
  keyof typeof PARAMETERS,
  'url' | 'since' | 'method' | 'body' | 'contentType' | 'ticket'
>;

/** Without any parameter. A callback must be given where one is called. */
export const DEFAULTS: Parameters = {
  paddingBytes: 0,
  maxBytes: undefined,
  waitMs: 25_000,
  callback: '',
  isMixed: false,
  isDirect: false,
  isAnswer: false,
  isBeating: false,
  frame: 0,
  origin: undefined,
};

/** Below the idle timeouts of proxies and balancers in front of us. */
const MAX_WAIT_SECONDS = 55;
const MAX_PADDING_BYTES = 64 * 1_024;
const MIN_MAX_BYTES = 4 * 1_024;
const MAX_MAX_BYTES = 1_024 ** 3;
const MAX_FRAME = 999_999_999;

/**
 * SECURITY: one plain identifier. Dots or brackets would let a page's attacker call any method that
 * can be reached from it; anything else would be code.
 */
const CALLBACK = /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/;

const READERS: Readonly<Record<ParameterName, (value: string) => Partial<Parameters>>> = {
  padding: (value) => ({ paddingBytes: whole('padding', value, 0, MAX_PADDING_BYTES) }),
  maxBytes: (value) => ({ maxBytes: whole('maxBytes', value, MIN_MAX_BYTES, MAX_MAX_BYTES) }),
  wait: (value) => ({ waitMs: whole('wait', value, 0, MAX_WAIT_SECONDS) * 1_000 }),
  frame: (value) => ({ frame: whole('frame', value, 0, MAX_FRAME) }),
  type: (value) => ({ isMixed: one('type', value, 'mixed') }),
  form: (value) => ({ isDirect: one('form', value, 'direct') }),
  answer: (value) => ({ isAnswer: one('form', value, 'answer') }),
  beat: (value) => ({ isBeating: one('beat', value, '1') }),
  origin: (value) => {
    const isOrigin = URL.canParse(value) && new URL(value).origin === value.toLowerCase();
    if (!isOrigin) throw wrong('"origin" must be an origin such as https://partner.example');
    return { origin: value.toLowerCase() };
  },
  callback: (value) => {
    if (!CALLBACK.test(value)) throw wrong('"callback" must be a name of letters, digits, _ and $');
    return { callback: value };
  },
};

/**
 * Read the parameters that a transport has. Others are left alone: cache-busters come in many names.
 *
 * @param required - Parameters that must be there.
 * @throws {ProxyError} `BAD_PARAMETER`.
 */
export function readParameters(
  query: URLSearchParams,
  names: readonly ParameterName[],
  required: readonly ParameterName[] = [],
): Parameters {
  let parameters = DEFAULTS;
  for (const name of names) {
    const values = query.getAll(PARAMETERS[name]);
    const [value] = values;
    if (values.length > 1) throw wrong(`"${PARAMETERS[name]}" stands there ${values.length} times`);
    if (value !== undefined) parameters = { ...parameters, ...READERS[name](value) };
    else if (required.includes(name)) throw wrong(`"${name}" is missing`);
  }
  return parameters;
}

function whole(name: string, value: string, min: number, max: number): number {
  const number = Number(value);
  if (!/^\d{1,10}$/.test(value) || number < min || number > max) {
    throw wrong(`"${name}" must be ${min} to ${max}`);
  }
  return number;
}

function one(name: string, value: string, only: string): true {
  if (value !== only) throw wrong(`"${name}" can be "${only}" only`);
  return true;
}

function wrong(detail: string): ProxyError {
  return new ProxyError('BAD_PARAMETER', detail);
}
