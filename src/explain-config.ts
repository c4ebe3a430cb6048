import type { Config } from './config/schema.ts';
import { readQuestion } from './live/asked-request.ts';
import { createLivePaths } from './live/endpoint.ts';
import { explainRoute } from './live/explain.ts';
import { explainInjection } from './passthrough/inject/injection.ts';
import { createRouter } from './server/router.ts';
import type { Explanation, InjectReport, Question } from './shared/explanation.ts';
import { mountPrefix } from './shared/mount-path.ts';

/**
 * What a config alone says of a request, while no proxy runs with it.
 *
 * @throws {ProxyError} `BAD_URL`.
 */
export function explainConfig(config: Config, question: Question): Explanation {
  const mounts = Object.keys(config.comet).map((path) => ({ prefix: mountPrefix(path) }));
  const asked = readQuestion(question);
  const told = explainRoute(asked, createRouter(createLivePaths(config.live), mounts));
  const { inject } = config;
  const report = () => (inject.length > 0 ? explainInjection(inject, asked.target) : undefined);
  return { ...told, ...explainPage(told, report) };
}

/** Only the site has pages that get the script. */
export function explainPage(
  { route }: Explanation,
  report: () => InjectReport | undefined,
): Pick<Explanation, 'inject'> {
  const inject = route === 'site' || route === 'live' ? report() : undefined;
  return inject ? { inject } : {};
}
