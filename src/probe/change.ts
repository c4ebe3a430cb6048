import { part } from '../config/part.ts';
import { formatDuration } from '../config/units.ts';
import type { Comparison } from '../poll/fingerprint.ts';
import { fingerprint } from '../poll/fingerprint.ts';
import { suggestIgnore } from '../poll/suggest-ignore.ts';
import type { Finding } from '../shared/probe-report.ts';
import type { Answered } from './ask.ts';
import { ignoreLine, partText } from './config-line.ts';

/** How two answers to the same poll differ. */
export interface Change {
  readonly finding: Finding;
  /** What is to be compared so that what changes by itself is no difference. */
  readonly comparison: Comparison;
  /** All that changes by itself could be named: what differs by `comparison` differs for another reason. */
  readonly isNamed: boolean;
}

/** Look for what changes from one poll to the next. @param apartMs - The time between them. */
export function findChange(
  [first, second]: readonly [Answered, Answered],
  { select, ignore, compare }: Comparison,
  apartMs: number,
): Change {
  const comparison = { select, ignore, compare };
  const within = `within ${formatDuration(apartMs)}`;
  const found = (code: 'unchanged' | 'changes-ignored', text: string): Change => {
    return { finding: { level: 'note', code, text }, comparison, isNamed: true };
  };
  if (first.body.equals(second.body)) return found('unchanged', `none ${within}`);
  if (isSameState(first, second, comparison)) {
    return found('changes-ignored', `in nothing that counts ${within}`);
  }
  const added = newParts([first, second], comparison);
  const widened = { ...comparison, ignore: [...ignore, ...added] };
  const isNamed = added.length > 0 && isSameState(first, second, widened);
  if (added.length === 0) {
    const text = `it differs ${within}, in no part that could be named`;
    return { finding: { level: 'note', code: 'changes-unnamed', text }, comparison, isNamed };
  }
  const others = isNamed ? '' : ', and in others that cannot be named';
  const text = `it differs ${within}, in these parts${others}; where they do not count:`;
  const config = ignoreLine(ignore, added.map(partText));
  return {
    finding: { level: 'note', code: 'changes', text, config },
    comparison: widened,
    isNamed,
  };
}

/** Do two answers give the same state? */
export function isSameState(one: Answered, other: Answered, comparison: Comparison): boolean {
  const digest = ({ answer, body }: Answered) => fingerprint(body, typeOf(answer), comparison);
  return one.answer.status === other.answer.status && digest(one) === digest(other);
}

/** The `Content-Type` of an answer. */
export function typeOf({ headers }: Answered['answer']): string {
  return headers.get('content-type') ?? '';
}

function newParts(
  [first, second]: readonly [Answered, Answered],
  { ignore }: Comparison,
): Comparison['ignore'] {
  const known = new Set(ignore.map(partText));
  return suggestIgnore(first.body, second.body, typeOf(second.answer))
    .filter((text) => !known.has(text))
    .map((text) => part.parse(JSON.parse(text)));
}
