import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Client } from './clients.ts';

/** Many times what a rule takes: without it a wait in vain would not say which one it was. */
const LIMIT_MS = 120_000;

/** Declares one rule; `exempt` says why the transport need not obey it: then there is no test. */
export type Rule = (
  text: string,
  run: (t: TestContext) => Promise<void>,
  exempt?: string | false,
) => void;

/** Rules of one transport: the same sentence for every one of them. */
export function rulesOf({ name }: Client): Rule {
  return (text, run, exempt = false) => {
    if (exempt === false) void test(`${name}: ${text}`, { timeout: LIMIT_MS }, run);
  };
}
