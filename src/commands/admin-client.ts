import type { IncomingMessage, RequestOptions } from 'node:http';
import { request } from 'node:http';
import type { AdminConfig } from '../config/admin.ts';
import { printable } from './printable.ts';

/** What the admin listener is asked for. */
export interface AdminQuestion {
  /** Default: POST. */
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  /** Is sent as JSON. */
  readonly body?: object;
  /** For tests. */
  readonly timeoutMs?: number;
}

/** What the running proxy said. */
export type AdminReply =
  | { readonly kind: 'answered'; readonly value: unknown }
  /** It refuses, and says why. */
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  /** Nobody is there, or somebody else. */
  | { readonly kind: 'unreachable'; readonly message: string };

/** Longest wait for an answer, which takes milliseconds. */
const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 4 * 1_024 * 1_024;

/** Ask the admin listener of the proxy that runs with this config. Never rejects. */
export function askAdmin(
  admin: AdminConfig,
  { method = 'POST', path, body, timeoutMs = TIMEOUT_MS }: AdminQuestion,
): Promise<AdminReply> {
  const text = body === undefined ? '' : JSON.stringify(body);
  return exchange(admin, { method, path, text, timeoutMs }).catch((error: unknown): AdminReply => {
    const reason = error instanceof Error ? error.message || error.name : String(error);
    return { kind: 'unreachable', message: `nothing answers at ${placeText(admin)}: ${reason}` };
  });
}

/** The address of a listener as the config has it. */
export function placeText({ address }: AdminConfig): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const { host = '', port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly text: string;
  readonly timeoutMs: number;
}

async function exchange(admin: AdminConfig, question: Sent): Promise<AdminReply> {
  const { status, answer } = await send(admin, question);
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    return { kind: 'unreachable', message: `${placeText(admin)} is no admin listener of ours` };
  }
  if (status >= 200 && status < 300) return { kind: 'answered', value };
  const refusal = { ...(value as { code?: unknown; message?: unknown } | null) };
  const reason = `${refusal.code ?? status}: ${refusal.message ?? 'no reason given'}`;
  return { kind: 'refused', status, message: printable(reason) };
}

function send(
  admin: AdminConfig,
  { method, path, text, timeoutMs }: Sent,
): Promise<{ status: number; answer: string }> {
  const options: RequestOptions = {
    ...placeOf(admin),
    path,
    method,
    agent: false,
    headers: {
      // The listener knows no other name, whatever the config calls its address.
      host: 'localhost',
      'content-length': Buffer.byteLength(text),
      ...(text === '' ? {} : { 'content-type': 'application/json' }),
      ...(admin.token === undefined ? {} : { authorization: `Bearer ${admin.token}` }),
    },
  };
  return new Promise((resolve, reject) => {
    const req = request(options, (res) => {
      readText(res).then((answer) => resolve({ status: res.statusCode ?? 0, answer }), reject);
    });
    const timer = setTimeout(() => req.destroy(new Error('no answer in time')), timeoutMs);
    req.once('close', () => clearTimeout(timer));
    req.on('error', reject);
    req.end(text);
  });
}

async function readText(res: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of res as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Where to connect; "every address" is also this machine's own. */
function placeOf({ address }: AdminConfig): RequestOptions {
  if (address.kind === 'unix') return { socketPath: address.path };
  const { host, port } = address;
  const isEvery = host === undefined || host === '0.0.0.0' || host === '::';
  return { host: isEvery ? (host === '::' ? '::1' : '127.0.0.1') : host, port };
}
