import type { AdminConfig } from '../config/admin.ts';
import type { Config } from '../config/schema.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Explanation, Question } from '../shared/explanation.ts';
import { askAdmin } from './admin-client.ts';
import type { CliOptions } from './config.ts';
import { readConfigOrExplain } from './config.ts';
import { EXIT } from './exit.ts';
import { explanationText } from './explanation-text.ts';

/** What `comet-proxy explain` is asked for. */
export interface ExplainOptions {
  readonly source: CliOptions;
  /** A path, or a URL as a browser has it. */
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | undefined;
  /** Print the explanation as JSON. */
  readonly json: boolean;
}

/** What a config alone says of a request. @throws {ProxyError} `BAD_URL`. */
export type ExplainConfig = (config: Config, question: Question) => Explanation;

/** Print what becomes of a request. Resolves with the exit code. */
export async function explain(
  options: ExplainOptions,
  explainConfig: ExplainConfig,
): Promise<number> {
  const config = readConfigOrExplain(options.source);
  if (!config) return EXIT.config;
  const question = questionOf(options);
  let known: Explanation;
  try {
    known = explainConfig(config, question);
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    console.error(`comet-proxy: ${error.message}`);
    return EXIT.usage;
  }
  const told = await askProxy(config.admin, question);
  if (typeof told === 'string') {
    console.error(`comet-proxy: ${told}\nThis is what the config alone says.`);
  }
  const explanation = typeof told === 'string' ? known : told;
  console.log(options.json ? JSON.stringify(explanation, null, 2) : explanationText(explanation));
  return typeof told === 'string' ? EXIT.unavailable : EXIT.ok;
}

/** What the running proxy says, or why it says nothing. */
async function askProxy(
  admin: AdminConfig | undefined,
  { target, method, headers, body }: Question,
): Promise<Explanation | string> {
  if (!admin) return 'the config has no "admin", so the running proxy cannot be asked';
  const pairs = Array.from({ length: headers.length / 2 }, (_, i) =>
    headers.slice(2 * i, 2 * i + 2),
  );
  const question = { url: target, method, headers: pairs, ...(body === undefined ? {} : { body }) };
  const reply = await askAdmin(admin, { path: '/_comet/explain', body: question });
  if (reply.kind !== 'answered') return reply.message;
  return isExplanation(reply.value) ? reply.value : 'the running proxy speaks another language';
}

/** The rest is as it has to be, since it is a proxy of the same version that says so. */
function isExplanation(value: unknown): value is Explanation {
  const { url, route, why } = { ...(value as Partial<Explanation> | null) };
  return [url, route, why].every((text) => typeof text === 'string');
}

function questionOf({ url, method, headers, body }: ExplainOptions): Question {
  // As a browser would send what is not ASCII: the bytes of UTF-8.
  const raw = headers.flatMap(([name, value]) => [name, Buffer.from(value).toString('latin1')]);
  return { target: url, method, headers: raw, ...(body === undefined ? {} : { body }) };
}
