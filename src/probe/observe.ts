import { conditionsOf } from '../poll/judge.ts';
import type { Ask, Reply } from './ask.ts';

/** The same question by whoever may ask it. */
export interface Questions {
  /** A poll for somebody without credentials. */
  readonly nobody: Ask;
  /** The poll for who has the given headers, where it is another one. */
  readonly client: Ask | undefined;
  /** With all of the given headers, where that is more than the poll for them carries. */
  readonly request: Ask | undefined;
  /** It is a `GET`. */
  readonly mayBeConditional: boolean;
}

/** What they got, in order. */
export interface Observed {
  readonly nobody: readonly Reply[];
  readonly client: readonly Reply[];
  readonly request: readonly Reply[];
  /** To the poll that says what it knows from the one before. */
  readonly conditional: Reply | undefined;
}

type First = Pick<Observed, 'nobody' | 'client'>;

/** Ask for the first time. */
export async function observeFirst({ nobody, client }: Questions): Promise<First> {
  return { nobody: [await nobody()], client: client ? [await client()] : [] };
}

/**
 * Ask once more, some time later. The full request comes before the second polls: what has changed
 * from the first to the second need not be a difference between those who ask.
 */
export async function observeSecond(questions: Questions, first: First): Promise<Observed> {
  const request = questions.request ? [await questions.request()] : [];
  const nobody = await askAgain(questions.nobody, first.nobody);
  const client = questions.client ? await askAgain(questions.client, first.client) : [];
  const all = { nobody, client, request, conditional: undefined };
  if (!questions.mayBeConditional) return all;
  const conditional = questions.client
    ? await askConditionally(questions.client, client.at(-1))
    : await askConditionally(questions.nobody, nobody.at(-1));
  return { ...all, conditional };
}

/** Where there was no answer at all, there is none to compare it with. */
async function askAgain(ask: Ask, before: readonly Reply[]): Promise<Reply[]> {
  return before[0]?.kind === 'answered' ? [...before, await ask()] : [...before];
}

async function askConditionally(ask: Ask, last: Reply | undefined): Promise<Reply | undefined> {
  if (last?.kind !== 'answered' || last.answer.status !== 200) return undefined;
  const conditions = conditionsOf(last.answer.headers);
  return conditions.length === 0 ? undefined : ask(conditions);
}
