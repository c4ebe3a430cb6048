import { parseDuration } from '../config/units.ts';
import type { ProbeQuestion } from '../shared/probe-report.ts';
import { sourceOptions } from './source-options.ts';
import { checkSiteUrl, headerOption, splitHeader, UsageError } from './usage.ts';

const DEFAULT_WAIT = '2s';

/** The options of `check`. */
export function checkOptions<T>(builder: import('yargs').Argv<T>) {
  return sourceOptions(builder)
    .option('probe', {
      type: 'boolean',
      default: false,
      describe: 'Contact the upstreams, and poll each live endpoint as the proxy would',
    })
    .option('url', {
      type: 'string',
      array: true,
      requiresArg: true,
      default: [] as string[],
      describe: 'With --probe: a URL of a live endpoint, as /api/orders/7?page=2; repeatable',
    })
    .option('header', {
      ...headerOption,
      describe: "With --probe: a header of somebody who asks, as 'Cookie: SESSION=1'; repeatable",
    })
    .option('body', {
      type: 'string',
      requiresArg: true,
      describe: 'With --url: poll these by POST with this body',
    })
    .option('wait', {
      type: 'string',
      requiresArg: true,
      defaultDescription: DEFAULT_WAIT,
      describe: 'With --probe: time from the first poll of a URL to the second',
    })
    .option('json', { type: 'boolean', default: false, describe: 'With --probe: print JSON' })
    .check(({ probe, url, header, body, wait, json, help }) => {
      if (help) return true;
      const isAsked = url.length > 0 || header.length > 0 || wait !== undefined || json;
      if (!probe && isAsked) {
        throw new UsageError('--url, --header, --wait and --json need --probe');
      }
      for (const [name, value] of Object.entries({ body, wait } as Record<string, unknown>)) {
        if (Array.isArray(value)) throw new UsageError(`--${name} can be given only once`);
      }
      if (body !== undefined && url.length === 0) throw new UsageError('--body needs --url');
      for (const one of url) checkSiteUrl(one);
      for (const one of header) splitHeader(one);
      waitMs(wait);
      return true;
    });
}

/** What the options ask for. */
export function probeQuestion(options: {
  readonly url: readonly string[];
  readonly header: readonly string[];
  readonly body?: string | undefined;
  readonly wait?: string | undefined;
  readonly json: boolean;
}): ProbeQuestion & { readonly json: boolean } {
  // As a browser would send what is not ASCII: the bytes of UTF-8.
  const headers = options.header
    .map(splitHeader)
    .flatMap(([name, value]) => [name, Buffer.from(value).toString('latin1')]);
  const { url: urls, body, wait, json } = options;
  return { urls, headers, waitMs: waitMs(wait), json, ...(body === undefined ? {} : { body }) };
}

function waitMs(text = DEFAULT_WAIT): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new UsageError(`--wait must be a duration such as "500ms" or "2s"`);
  return ms;
}
