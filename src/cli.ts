import yargs from 'yargs';
import { checkOptions, probeQuestion } from './commands/check-options.ts';
import { discoverOptions, discoverQuestion } from './commands/discover-options.ts';
import { EXIT } from './commands/exit.ts';
import { DEFAULT_CONFIG, sourceOptions, withSource } from './commands/source-options.ts';
import { checkSiteUrl, headerOption, splitHeader, UsageError } from './commands/usage.ts';
import { TRANSPORT_NAMES } from './protocol/surface.ts';
import { packageVersion } from './shared/version.ts';

const EXAMPLES: readonly [command: string, description: string][] = [
  ['$0 --site http://127.0.0.1:3000', 'serve a site through the proxy'],
  [
    '$0 --site http://127.0.0.1:3000 --live /api/status=2s',
    'and poll one URL every 2 s for everybody',
  ],
  ["curl -N -H 'Accept: text/event-stream' http://127.0.0.1:8080/api/status", 'see it pushed'],
  ['$0 tail http://127.0.0.1:8080/api/status', 'the same, through any transport'],
  ['$0 discover access.log', 'find what pages poll, with a config for it'],
  ['$0 check', `say everything that is wrong with ./${DEFAULT_CONFIG}`],
  ['$0 check --probe', 'and whether what it polls can be polled like that'],
];

/**
 * Run one command line.
 *
 * @param args - Without the program's name.
 * @returns The exit code: 0, 1 internal, 64 usage, 69 cannot bind or reach, 78 bad config.
 */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok;

  const parser = yargs([...args])
    .scriptName('comet-proxy')
    .usage(
      '$0 [run] [options]\n\nA reverse proxy that adds server push to a site without touching it:\n' +
        'it polls the URLs you name once for everybody and pushes what changed.',
    )
    .command(['run', '$0'], 'Serve the site (the default)', sourceOptions, async (options) => {
      const { run } = await import('./commands/run.ts');
      exitCode = await run(withSource(options));
    })
    .command(
      'check',
      'Check the config and report everything wrong with it',
      checkOptions,
      async (options) => {
        const source = withSource(options);
        if (!options.probe) {
          const { check } = await import('./commands/check.ts');
          exitCode = check(source);
          return;
        }
        const { checkByProbe } = await import('./commands/check-by-probe.ts');
        const { probeConfig } = await import('./probe-config.ts');
        exitCode = await checkByProbe({ source, ...probeQuestion(options) }, probeConfig);
      },
    )
    .command(
      'tail <url..>',
      'Print the events of live URLs, as a client of the proxy sees them',
      tailOptions,
      async (options) => {
        const { tail } = await import('./commands/tail.ts');
        const headers = Object.fromEntries(options.header.map(splitHeader));
        const { url: urls, since, body, contentType, ...rest } = options;
        if (urls.length > 1 && body !== undefined) throw new UsageError('--body is for one URL');
        exitCode = await tail({ ...rest, urls, since, headers, body, contentType });
      },
    )
    .command(
      'explain <url>',
      'Say what becomes of a request: which route, who shares it, how its polls go',
      explainOptions,
      async (options) => {
        const { explain } = await import('./commands/explain.ts');
        const { explainConfig } = await import('./explain-config.ts');
        const { url, method, body, json, header } = options;
        const headers = header.map(splitHeader);
        const source = withSource(options);
        exitCode = await explain({ source, url, method, headers, body, json }, explainConfig);
      },
    )
    .command(
      'refresh <url..>',
      'Let the running proxy poll these URLs now, for all their clients',
      refreshOptions,
      async (options) => {
        const { refresh } = await import('./commands/refresh.ts');
        exitCode = await refresh(withSource(options), options.url);
      },
    )
    .command(
      'discover [file..]',
      'Find what is polled: in HAR files, in access logs, or by what the running proxy has seen',
      discoverOptions,
      async (options) => {
        const { discoverPolls } = await import('./commands/discover.ts');
        exitCode = await discoverPolls(discoverQuestion(options));
      },
    )
    .command('schema', "Print the config's JSON Schema", {}, async () => {
      const { configJsonSchema } = await import('./config/json-schema.ts');
      console.log(JSON.stringify(configJsonSchema(), null, 2));
    })
    .command('version', 'Print the version', {}, () => {
      console.log(`comet-proxy ${packageVersion()} (node ${process.version})`);
    })
    .command(
      'completion',
      'Print a completion script: comet-proxy completion >> ~/.bashrc',
      {},
      () => {
        parser.showCompletionScript();
      },
    )
    // Answers what the script asks. The library's own command of this kind ends in a usage error
    // when it may not end the process, hence ours above.
    .completion('completion-script', false)
    .example(EXAMPLES.map(([command, description]) => [command, description]))
    .epilogue(
      'Exit codes: 0 done, 1 internal error, 64 usage, 69 cannot bind or reach, 78 bad config.',
    )
    .version(packageVersion())
    .alias('h', 'help')
    .alias('v', 'version')
    .strict()
    .recommendCommands()
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message, error) => {
      // The library's own errors are about usage too, such as an option without its value.
      throw error && error.name !== 'YError' ? error : new UsageError(message);
    });

  try {
    await parser.parseAsync();
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`comet-proxy: ${error.message}\nTry: comet-proxy --help`);
      return EXIT.usage;
    }
    console.error(`comet-proxy: internal error: ${error instanceof Error ? error.stack : error}`);
    return EXIT.internal;
  }
  return exitCode;
}

function tailOptions<T>(builder: import('yargs').Argv<T>) {
  return builder
    .positional('url', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'URLs of live endpoints through the proxy, as a browser would ask for them',
    })
    .option('transport', {
      alias: 't',
      choices: TRANSPORT_NAMES,
      default: 'sse' as const,
      describe: 'How the events travel',
    })
    .option('since', {
      type: 'string',
      requiresArg: true,
      describe: 'The id of the last event that is known, for the first URL',
    })
    .option('header', {
      ...headerOption,
      describe: "Header to send, as 'Cookie: SESSION=1'; repeatable",
    })
    .option('body', {
      type: 'string',
      requiresArg: true,
      describe: 'The URL is polled by POST with this body',
    })
    .option('content-type', {
      type: 'string',
      requiresArg: true,
      describe: 'Its type; default: JSON or a form, as it looks',
    })
    .option('json', { type: 'boolean', default: false, describe: 'Print envelopes as JSON lines' })
    .option('count', {
      alias: 'n',
      type: 'number',
      requiresArg: true,
      default: Number.POSITIVE_INFINITY,
      defaultDescription: 'without end',
      describe: 'End after so many events',
    })
    .option('reconnect', {
      type: 'boolean',
      default: true,
      describe: 'Come back when the stream ends; --no-reconnect ends with it',
    })
    .option('insecure', {
      alias: 'k',
      type: 'boolean',
      default: false,
      describe: 'Accept any certificate',
    })
    .check(({ url, header, count, transport, help }) => {
      if (help) return true;
      for (const one of url) {
        if (!URL.canParse(one) || !/^https?:/.test(one)) {
          throw new UsageError(`not an http URL: ${one}; as in http://127.0.0.1:8080/api/status`);
        }
      }
      if (new Set(url.map((one) => new URL(one).origin)).size > 1) {
        throw new UsageError('all URLs must be of one origin: that of the proxy');
      }
      if (transport === 'multipart' && url.length > 1) {
        throw new UsageError('multipart carries one URL only');
      }
      for (const one of header) splitHeader(one);
      if (!(count >= 1)) throw new UsageError('--count must be at least 1');
      return true;
    });
}

function explainOptions<T>(builder: import('yargs').Argv<T>) {
  return sourceOptions(builder)
    .positional('url', {
      type: 'string',
      demandOption: true,
      describe: 'A URL of the site as browsers have it, or a path',
    })
    .option('header', {
      ...headerOption,
      describe: "A header of the request, as 'Cookie: SESSION=1'; repeatable",
    })
    .option('method', {
      alias: 'X',
      type: 'string',
      requiresArg: true,
      default: 'GET',
      describe: 'The method of the request',
    })
    .option('body', { type: 'string', requiresArg: true, describe: 'The body of the request' })
    .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
    .check(({ url, header, method, body, help }) => {
      if (help) return true;
      for (const [name, value] of Object.entries({ method, body } as Record<string, unknown>)) {
        if (Array.isArray(value)) throw new UsageError(`--${name} can be given only once`);
      }
      checkSiteUrl(url);
      for (const one of header) splitHeader(one);
      if (!/^[A-Za-z]+$/.test(method)) throw new UsageError(`not a method: ${method}`);
      return true;
    });
}

function refreshOptions<T>(builder: import('yargs').Argv<T>) {
  return sourceOptions(builder)
    .positional('url', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'URLs of the site as browsers have them, or paths',
    })
    .check(({ url, help }) => {
      if (help) return true;
      for (const one of url) checkSiteUrl(one);
      return true;
    });
}
