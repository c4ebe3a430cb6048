import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ProbeCheckOptions } from '../../src/commands/check-by-probe.ts';
import { checkByProbe } from '../../src/commands/check-by-probe.ts';
import { probeConfig } from '../../src/probe-config.ts';
import type { EndpointProbe, Finding, ProbeReport } from '../../src/shared/probe-report.ts';
import { emptyFolder } from './command.ts';
import { recordPrinted } from './printed.ts';

/** What the command did. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A config file of this content. */
export function configFile(t: TestContext, config: object): string {
  const file = join(emptyFolder(t), 'proxy.config.json');
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Run `check --probe` with this config, without a pause between the polls. */
export async function check(
  t: TestContext,
  config: object,
  options: Partial<ProbeCheckOptions> = {},
): Promise<Run> {
  const source = { kind: 'file', file: configFile(t, config) } as const;
  const printed = recordPrinted(t);
  const question = { urls: [], headers: [], waitMs: 0, json: false };
  const code = await checkByProbe({ source, ...question, ...options }, probeConfig);
  return { code, out: printed.out.join('\n'), err: printed.err.join('\n') };
}

/** The same, as JSON. */
export async function report(
  t: TestContext,
  config: object,
  options: Partial<ProbeCheckOptions> = {},
): Promise<ProbeReport & Run> {
  const run = await check(t, config, { ...options, json: true });
  return { ...(JSON.parse(run.out) as ProbeReport), ...run };
}

/** The findings on one endpoint, as `level code` and `config`. */
export function findingsOn({ endpoints }: ProbeReport, endpoint: string): string[] {
  const probed = endpoints.filter((one) => one.endpoint === endpoint);
  return probed.flatMap(({ findings }) => Object.values(findings).flat()).flatMap(short);
}

/** A finding as `level code`, and its line for the config. */
export function short({ level, code, config }: Finding): string[] {
  return [`${level} ${code}`, ...(config === undefined ? [] : [config])];
}

/** The answers of one endpoint, as `who status`. */
export function answersOf({ endpoints }: ProbeReport, endpoint: string): string[] {
  const probed = endpoints.find((one): one is EndpointProbe => one.endpoint === endpoint);
  return (probed?.answers ?? []).map(({ as, status }) => `${as} ${status}`);
}
