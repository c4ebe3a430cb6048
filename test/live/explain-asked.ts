import { checkConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { readQuestion } from '../../src/live/asked-request.ts';
import { createLivePaths } from '../../src/live/endpoint.ts';
import { explainRoute } from '../../src/live/explain.ts';
import { createRouter } from '../../src/server/router.ts';
import type { Explanation, Question } from '../../src/shared/explanation.ts';
import { mountPrefix } from '../../src/shared/mount-path.ts';

/** What a config alone says of a question. */
export function explainConfig({ live, comet }: Config, question: Question): Explanation {
  const mounts = Object.keys(comet).map((path) => ({ prefix: mountPrefix(path) }));
  return explainRoute(readQuestion(question), createRouter(createLivePaths(live), mounts));
}

/** The same of a config as it would stand in a file. */
export function explained(
  config: { readonly live?: object; readonly comet?: object },
  question: string | (Partial<Question> & Pick<Question, 'target'>),
): Explanation {
  const complete = checkConfig({ site: 'http://127.0.0.1:3000', ...config }, 'test');
  const asked = typeof question === 'string' ? { target: question } : question;
  return explainConfig(complete, { method: 'GET', headers: [], ...asked });
}
