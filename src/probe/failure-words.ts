import { isUnreadable, upstreamError } from '../shared/upstream.ts';

/** Why there was no answer, for people. */
export interface FailureWords {
  /** `unreachable`: there was no connection. */
  readonly code: 'unreachable' | 'no-answer';
  readonly text: string;
}

/** Codes of errors before there is a connection, and what they mean as a rule. */
const UNREACHABLE: readonly [codes: RegExp, words: string][] = [
  [/^ECONNREFUSED$/, 'it refuses connections: does it run, and at this port?'],
  [/^(?:ENOTFOUND|EAI_AGAIN)$/, 'nobody knows its name'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|EADDRNOTAVAIL)$/, 'no network leads to it'],
  [/^(?:UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, 'no connection in time ("connectTimeout")'],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'its certificate is for another name: "tls.serverName" says which one is meant',
  ],
  [/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/, 'its certificate is not valid now'],
  [
    /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|CERT_.*)$/,
    'nobody who is trusted vouches for its certificate: "tls.ca" names the authority',
  ],
  [/^(?:EPROTO|ERR_SSL_.*|ERR_TLS_.*)$/, 'there is no TLS with it: is it http:// after all?'],
];

/** Say why an exchange with an upstream failed. SECURITY: nothing of its request or body. */
export function failureWords(error: unknown): FailureWords {
  const failure = upstreamError(error);
  const code = codeOf(failure.cause);
  const known = UNREACHABLE.find(([codes]) => codes.test(code));
  if (known) return { code: 'unreachable', text: `${known[1]} (${code})` };
  const isUnreachable = failure.code === 'UPSTREAM_UNREACHABLE';
  if (isUnreachable) return { code: 'unreachable', text: failure.message };
  const text =
    failure.code === 'UPSTREAM_RESET' ? 'it ended the connection in the middle' : failure.message;
  const isBroken = isUnreadable(failure) || code.startsWith('HPE_');
  const hint = isBroken ? '; "lenient": true may read it' : '';
  const limit = failure.code === 'UPSTREAM_TOO_LARGE' ? ' ("maxBody")' : '';
  return { code: 'no-answer', text: `${text}${limit}${hint}` };
}

function codeOf(cause: unknown): string {
  const { code } = { ...(cause as { code?: unknown } | undefined) };
  return typeof code === 'string' ? code : '';
}
