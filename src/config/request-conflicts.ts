import type { z } from 'zod';
import { matchesGlob } from '../shared/glob.ts';
import type { BodyField } from './body-field.ts';
import { addKeyProblem } from './checks.ts';
import type { FieldChange, Handshake, Match, RequestChanges } from './request.ts';
import type { VaryItem } from './vary.ts';
import { CREDENTIALS } from './vary.ts';

/** The keys of an endpoint that have to fit together; of a wrong config anything may be missing. */
interface RequestKeys {
  readonly method?: 'GET' | 'POST';
  readonly match?: Match;
  readonly ignoreBody?: readonly BodyField[];
  readonly ignoreQuery?: readonly string[];
  readonly rpc?: 'json-rpc' | undefined;
  readonly request?: RequestChanges;
  readonly handshake?: Handshake | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly vary?: readonly VaryItem[] | undefined;
  readonly authorizedBy?: readonly VaryItem[];
}

type Report = (path: readonly string[], message: string) => void;

/**
 * Find what the keys of an endpoint say that cannot all be true: for a check that runs also when
 * values are wrong, so that everything is reported at once.
 */
export function checkRequestKeys(endpoint: unknown, context: z.RefinementCtx): void {
  const keys = endpoint as RequestKeys;
  const report: Report = (path, message) => addKeyProblem(context, path, message);
  // What was not read is wrong for a reason of its own.
  const uses = bodyUses(keys).filter(({ fields }) => fields.length > 0);
  if (keys.method === 'GET') {
    for (const { path } of uses) report(path, 'needs "method": "POST": a GET has no body');
    if (keys.rpc) report(['rpc'], 'needs "method": "POST": a GET has no body');
  } else {
    reportMixed(uses, keys.rpc, report);
  }
  reportNested(listOf(keys.request?.body), report);
  if (keys.rpc) reportId(keys, report);
  reportTwiceSent(keys, report);
  reportConstants(keys, report);
  reportMatchedAway(keys, report);
  reportTwiceKeyed(keys, report);
}

/** A key that speaks of bodies, and the parts of them that it names. */
interface BodyUse {
  readonly path: readonly string[];
  readonly fields: readonly BodyField[];
}

function bodyUses({ match, request, ignoreBody }: RequestKeys): BodyUse[] {
  return [
    { path: ['match', 'body'], fields: listOf(match?.body).map(({ field }) => field) },
    { path: ['request', 'body'], fields: listOf(request?.body).map(({ field }) => field) },
    { path: ['ignoreBody'], fields: listOf(ignoreBody).filter((field) => 'kind' in field) },
  ];
}

/** A list as it was read; what was not is left out. */
function listOf<T>(list: readonly T[] | undefined): readonly T[] {
  return Array.isArray(list) ? list.filter((each) => typeof each === 'object' && each) : [];
}

/** A body is JSON or a form: who names parts of both means no request at all. */
function reportMixed(uses: readonly BodyUse[], rpc: 'json-rpc' | undefined, report: Report): void {
  const kind = rpc ? 'json' : uses[0]?.fields[0]?.kind;
  for (const { path, fields } of uses) {
    const other = fields.find((field) => field.kind !== kind);
    if (!other) continue;
    const name = other.kind === 'form' ? `"${other.name}"` : `"/${other.path.join('/')}"`;
    const what =
      other.kind === 'form'
        ? 'is a field of a form, where others are JSON Pointers: those start with "/"'
        : 'is a JSON Pointer, where others are fields of a form: a body is never both';
    report(path, `${name} ${what}`);
  }
}

function reportNested(changes: readonly FieldChange[], report: Report): void {
  const pointers = changes.flatMap(({ field }) => (field.kind === 'json' ? [field.path] : []));
  for (const path of pointers) {
    const around = pointers.find(
      (other) => other.length < path.length && other.every((name, i) => name === path[i]),
    );
    if (!around) continue;
    report(
      ['request', 'body'],
      `has "${pointer(path)}" inside "${pointer(around)}": set one of both`,
    );
  }
}

function reportId({ ignoreBody, request }: RequestKeys, report: Report): void {
  const isId = (field: BodyField) => field.kind === 'json' && field.path[0] === 'id';
  const message = 'must not name "/id": with "rpc" it is not compared anyway, and given back';
  if (listOf(ignoreBody).some(isId)) report(['ignoreBody'], message);
  if (listOf(request?.body).some(({ field }) => isId(field))) report(['request', 'body'], message);
}

/** The token of a handshake is the poller's own: no other value of the header may go along. */
function reportTwiceSent(keys: RequestKeys, report: Report): void {
  const { handshake, headers, vary, authorizedBy } = keys;
  const items = [...listOf(vary), ...listOf(authorizedBy)];
  const token = handshake?.header;
  if (typeof token !== 'string') return;
  const isConstant = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === token);
  if (isConstant) report(['handshake'], `gets "${token}" from the upstream, "headers" sets it too`);
  const isVaried = items.some((item) => takesHeader(item, token));
  if (isVaried)
    report(['handshake'], `gets "${token}" from the upstream, "vary" sends the client's`);
}

/**
 * SECURITY: a client without the credential would be answered as the one whose it is. A default for
 * any other header may be meant.
 */
function reportConstants({ headers, vary, authorizedBy }: RequestKeys, report: Report): void {
  const proofs = listOf(authorizedBy);
  const isDefault = vary === undefined && proofs.length === 0;
  for (const name of Object.keys(headers ?? {})) {
    const header = name.toLowerCase();
    const isCredential = CREDENTIALS.has(header);
    const isTaken =
      proofs.some((item) => takesCredential(item, header)) ||
      (isCredential && (isDefault || listOf(vary).some((item) => takesCredential(item, header))));
    const message =
      'is a credential that clients send as well: who sends none would be answered as its owner';
    if (isTaken) report(['headers', name], message);
  }
}

function takesCredential(item: VaryItem, header: string): boolean {
  const isCookie = item.kind === 'cookies' || item.kind === 'cookie';
  return isCookie ? header === 'cookie' : takesHeader(item, header);
}

/** What a request is told by must not be taken out of its poll. */
function reportMatchedAway(
  { match, ignoreBody, ignoreQuery, request }: RequestKeys,
  report: Report,
): void {
  const isSet = (name: string) => listOf(request?.query).some((change) => change.name === name);
  const away = listOf(match?.query).find(
    ({ name }) => (ignoreQuery ?? []).some((pattern) => matchesGlob(pattern, name)) && !isSet(name),
  );
  if (away) report(['ignoreQuery'], `takes away "${away.name}", which "match" goes by`);
  const field = listOf(match?.body).find(({ field: wanted }) =>
    listOf(ignoreBody).some((ignored) => covers(ignored, wanted)),
  );
  if (field) report(['ignoreBody'], 'takes away what "match" goes by');
}

function covers(ignored: BodyField, wanted: BodyField): boolean {
  if (ignored.kind === 'form')
    return wanted.kind === 'form' && matchesGlob(ignored.name, wanted.name);
  if (ignored.kind !== 'json' || wanted.kind !== 'json') return false;
  const { path } = wanted;
  return (
    ignored.path.length <= path.length &&
    ignored.path.every((name, i) => matchesGlob(name, path[i] ?? ''))
  );
}

/** What a session is let in by says who may see the state; what it varies on, which state it is. */
function reportTwiceKeyed({ vary, authorizedBy }: RequestKeys, report: Report): void {
  const credentials = listOf(authorizedBy).map((item) => JSON.stringify(item));
  const hasBoth = listOf(vary).some((item) => credentials.includes(JSON.stringify(item)));
  if (hasBoth)
    report(['authorizedBy'], 'has what "vary" has: then every session has its own state');
  const odd = listOf(authorizedBy).find(({ kind }) => kind === 'query' || kind === 'address');
  if (odd) report(['authorizedBy'], 'must name cookies or headers');
}

function takesHeader(item: VaryItem, header: string): boolean {
  if (item.kind === 'headers') return matchesGlob(item.pattern, header);
  return item.kind === 'header' && item.name === header;
}

function pointer(path: readonly string[]): string {
  return path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
