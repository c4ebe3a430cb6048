import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { AdminConfig } from '../config/admin.ts';
import { ConfigError, checkConfig } from '../config/load.ts';
import { discover } from '../discovery/discovery.ts';
import type { ReadOutcome } from '../discovery/read-traffic.ts';
import { readTraffic } from '../discovery/read-traffic.ts';
import { FILE_LIMITS, Traffic } from '../discovery/traffic.ts';
import type { DiscoveryReport } from '../shared/discovery-report.ts';
import { askAdmin } from './admin-client.ts';
import { readConfigOrExplain } from './config.ts';
import { discoveryText } from './discovery-text.ts';
import { EXIT } from './exit.ts';
import { printable } from './printable.ts';

/** What `comet-proxy discover` is asked for. */
export interface DiscoverOptions {
  readonly from:
    | { readonly kind: 'files'; readonly files: readonly string[] }
    | { readonly kind: 'config'; readonly file: string }
    | { readonly kind: 'admin'; readonly address: string; readonly token: string | undefined };
  /** Print the report as JSON. */
  readonly json: boolean;
}

/** Cannot be opened where it is a socket. */
const STDIN = '/dev/stdin';
/** Asking costs the running proxy some time when it has seen much. */
const TIMEOUT_MS = 30_000;

/** Print what is polled, by files or by what the running proxy has seen. Resolves with the exit code. */
export async function discoverPolls({ from, json }: DiscoverOptions): Promise<number> {
  if (from.kind === 'files') {
    const result = await readFiles(from.files);
    return typeof result === 'number' ? result : print(result, json);
  }
  const admin =
    from.kind === 'config' ? adminOfConfig(from.file) : adminAt(from.address, from.token);
  if (typeof admin === 'number') return admin;
  const reply = await askAdmin(admin, { method: 'GET', path: '/discover', timeoutMs: TIMEOUT_MS });
  if (reply.kind !== 'answered') return failed(reply.message, EXIT.unavailable);
  if (!isReport(reply.value)) {
    return failed('the running proxy speaks another language', EXIT.unavailable);
  }
  return print(reply.value, json);
}

function print(report: DiscoveryReport, json: boolean): number {
  console.log(json ? JSON.stringify(report, null, 2) : discoveryText(report));
  return EXIT.ok;
}

function failed(message: string, code: number): number {
  console.error(printable(`comet-proxy: ${message}`));
  return code;
}

async function readFiles(files: readonly string[]): Promise<DiscoveryReport | number> {
  const secret = randomBytes(8);
  const key = [secret.readInt32LE(0), secret.readInt32LE(4)] as const;
  const traffic = new Traffic({ limits: FILE_LIMITS, key, texts: 'keep' });
  let unreadable = 0;
  for (const file of files) {
    const problem = file === STDIN ? undefined : await fileProblem(file);
    if (problem !== undefined) return failed(`cannot read ${file}: ${problem}`, EXIT.usage);
    const chunks =
      file === STDIN ? process.stdin : createReadStream(file, { highWaterMark: 262_144 });
    const outcome = await readTraffic(chunks, file, traffic);
    unreadable += outcome.unreadable;
    const told = outcomeProblem(outcome);
    if (told === undefined) continue;
    console.error(printable(`comet-proxy: ${file}: ${told}`));
    if (outcome.read === 0) return EXIT.usage;
  }
  return discover(traffic, { kind: 'files', unreadable });
}

async function fileProblem(file: string): Promise<string | undefined> {
  try {
    return (await stat(file)).isDirectory() ? 'it is a folder' : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'no such file' : String(code);
  }
}

/** What a person should know of how a file could be read. */
function outcomeProblem({ read, unreadable, problem }: ReadOutcome): string | undefined {
  if (problem !== undefined) return `read up to a damage: ${problem}`;
  return read === 0 && unreadable > 0
    ? `neither a HAR nor an access log that is known: none of ${unreadable} lines could be read`
    : undefined;
}

function adminOfConfig(file: string): AdminConfig | number {
  const config = readConfigOrExplain({ kind: 'file', file });
  if (!config) return EXIT.config;
  return (
    config.admin ??
    failed('the config has no "admin", so the running proxy cannot be asked', EXIT.unavailable)
  );
}

/** The config's own rules for it. */
function adminAt(address: string, token: string | undefined): AdminConfig | number {
  const admin = token === undefined ? address : { address, token };
  try {
    const site = 'http://site.invalid';
    return checkConfig({ site, admin }, '--admin').admin ?? EXIT.usage;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return failed(error.message, EXIT.usage);
  }
}

/** The rest is as it has to be, since it is a proxy of the same version that says so. */
function isReport(value: unknown): value is DiscoveryReport {
  const { looked, found, notes } = { ...(value as Partial<DiscoveryReport> | null) };
  return typeof looked?.requests === 'number' && Array.isArray(found) && Array.isArray(notes);
}
