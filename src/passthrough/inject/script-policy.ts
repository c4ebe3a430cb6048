import type { RawHeaders } from '../../shared/raw-headers.ts';
import { headerValues } from '../../shared/raw-headers.ts';
import type { PolicyUrl } from './policy-sources.ts';
import { admitsUrl } from './policy-sources.ts';

/** What the script needs: its files, of which it loads some itself, and what it connects to. */
export interface ScriptUrls {
  readonly scripts: readonly PolicyUrl[];
  readonly connect: PolicyUrl;
}

/** What a page's policies say of the script. */
export type PolicyVerdict =
  /** It can run; with this nonce on its tags, if there is one. */
  | { readonly kind: 'runs'; readonly nonce: string | undefined }
  /** It cannot. The reason is one of a few sentences, the same for every page. */
  | { readonly kind: 'stopped'; readonly reason: string };

/** Names in lower case; of a directive that is there twice the first counts (CSP3 §2.2.1). */
type Policy = ReadonlyMap<string, readonly string[]>;

/** SECURITY: nothing that could end an attribute's value can be a nonce. */
const NONCE = /^'nonce-([A-Za-z0-9+/_-]+={0,2})'$/i;

/**
 * Can a script that the page's parser finds run under the page's policies, load the rest of itself by
 * the same nonce, and connect? All of them have to agree.
 *
 * SECURITY: no policy is changed, and a nonce comes out of the header alone, never out of the page.
 */
export function judgePolicies(headers: RawHeaders, urls: ScriptUrls): PolicyVerdict {
  const policies = policiesOf(headers, 'content-security-policy');
  let nonces: readonly string[] | undefined;
  for (const policy of policies) {
    const reason = sandboxReason(policy) ?? connectReason(policy, urls.connect);
    if (reason !== undefined) return { kind: 'stopped', reason };
    const wanted = noncesNeeded(policy, urls.scripts);
    if (wanted?.length === 0) return { kind: 'stopped', reason: REASONS.script };
    if (wanted) nonces = nonces?.filter((nonce) => wanted.includes(nonce)) ?? wanted;
  }
  if (nonces?.length === 0) return { kind: 'stopped', reason: REASONS.nonces };
  return { kind: 'runs', nonce: nonces?.[0] };
}

const REASONS = {
  script: 'its Content-Security-Policy (script-src) admits no script of its own origin',
  nonces: 'its Content-Security-Policies want different nonces',
  connect: 'its Content-Security-Policy (connect-src) admits no connection to its own origin',
  sandbox: 'its Content-Security-Policy puts it into a sandbox without scripts or its own origin',
};

function policiesOf(headers: RawHeaders, name: string): Policy[] {
  return headerValues(headers, name)
    .flatMap((line) => line.split(','))
    .map(parsePolicy)
    .filter(({ size }) => size > 0);
}

function parsePolicy(text: string): Policy {
  const policy = new Map<string, readonly string[]>();
  for (const directive of text.split(';')) {
    const [name = '', ...values] = directive.split(/[\t\n\f\r ]+/).filter(Boolean);
    const key = name.toLowerCase();
    if (key !== '' && !policy.has(key)) policy.set(key, values);
  }
  return policy;
}

function sandboxReason(policy: Policy): string | undefined {
  const flags = policy.get('sandbox')?.map((flag) => flag.toLowerCase());
  if (!flags) return undefined;
  // Of no origin it could read nothing that the site answers.
  const isUsable = flags.includes('allow-scripts') && flags.includes('allow-same-origin');
  return isUsable ? undefined : REASONS.sandbox;
}

function connectReason(policy: Policy, url: PolicyUrl): string | undefined {
  const sources = policy.get('connect-src') ?? policy.get('default-src');
  return sources === undefined || admitsUrl(sources, url) ? undefined : REASONS.connect;
}

/**
 * The nonces of which the policy needs one; none of them where nothing helps, and `undefined` where
 * it needs no nonce.
 */
function noncesNeeded(policy: Policy, urls: readonly PolicyUrl[]): readonly string[] | undefined {
  const sources =
    policy.get('script-src-elem') ?? policy.get('script-src') ?? policy.get('default-src');
  if (sources === undefined) return undefined;
  // Hosts and 'self' count for nothing beside it, for scripts that stand in the page (§6.7.1.1).
  const isStrict = sources.some((source) => source.toLowerCase() === "'strict-dynamic'");
  if (!isStrict && urls.every((url) => admitsUrl(sources, url))) return undefined;
  return sources.flatMap((source) => NONCE.exec(source)?.[1] ?? []);
}
