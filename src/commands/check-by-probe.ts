import type { Config } from '../config/schema.ts';
import type { ProbeOutcome, ProbeQuestion } from '../shared/probe-report.ts';
import { allFindings } from '../shared/probe-report.ts';
import { printSummary } from './check.ts';
import type { CliOptions } from './config.ts';
import { readConfigOrExplain } from './config.ts';
import { EXIT } from './exit.ts';
import { printable } from './printable.ts';
import { probeText } from './probe-text.ts';

/** What `comet-proxy check --probe` is asked for. */
export interface ProbeCheckOptions extends ProbeQuestion {
  readonly source: CliOptions;
  /** Print the report as JSON, and nothing else. */
  readonly json: boolean;
}

/** Ask the upstreams of a config. */
export type ProbeConfig = (config: Config, question: ProbeQuestion) => Promise<ProbeOutcome>;

/**
 * Check the config, and what it names: print what was found. Resolves with the exit code: warnings do
 * not count.
 */
export async function checkByProbe(
  { source, json, ...question }: ProbeCheckOptions,
  probeConfig: ProbeConfig,
): Promise<number> {
  const config = readConfigOrExplain(source);
  if (!config) return EXIT.config;
  const outcome = await probeConfig(config, question);
  switch (outcome.kind) {
    case 'unusable':
      console.error(printable(`comet-proxy: ${outcome.message}`));
      return EXIT.config;
    case 'unmatched':
      for (const { url, why } of outcome.urls) {
        console.error(printable(`comet-proxy: ${url} is no live URL of this config: ${why}`));
      }
      return EXIT.usage;
    case 'probed': {
      const { report } = outcome;
      if (json) console.log(JSON.stringify(report, null, 2));
      else {
        printSummary(config, source);
        console.log(`\n${probeText(report)}`);
      }
      const isBroken = allFindings(report).some(({ level }) => level === 'problem');
      return isBroken ? EXIT.unavailable : EXIT.ok;
    }
  }
}
