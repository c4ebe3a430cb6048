import { conditionsOf } from '../poll/judge.ts';
import type { Finding } from '../shared/probe-report.ts';
import type { Answered, Reply } from './ask.ts';

/** Names of the validators of an answer. */
export function validatorNames({ headers }: Answered['answer']): string[] {
  const tag = headers.get('etag');
  return [
    ...(tag === undefined ? [] : [tag.startsWith('W/') ? 'weak ETag' : 'ETag']),
    ...(headers.has('last-modified') ? ['Last-Modified'] : []),
  ];
}

/**
 * Does the upstream answer polls for nothing new by a mere 304, and only those?
 *
 * @param polls - Two in a row; the conditional one knew the last of them.
 * @param areSame - They gave the same state.
 */
export function validatorFinding(
  [first, last]: readonly [Answered, Answered],
  conditional: Reply | undefined,
  areSame: boolean,
): Finding {
  const { headers } = last.answer;
  const names = validatorNames(last.answer);
  if (names.length === 0) {
    const text = 'none: each poll brings the whole body';
    return { level: 'note', code: 'no-validators', text };
  }
  const conditions = conditionsOf(headers);
  if (conditions.length === 0) {
    const text = `${names.join(', ')}, not used: it is as new as the answer itself, or has no Date to compare it with`;
    return { level: 'note', code: 'conditions-untried', text };
  }
  const used = conditions[0] === 'if-none-match' ? names[0] : 'Last-Modified';
  if (conditional?.kind !== 'answered') {
    const text = `${used}, but the poll that named it failed`;
    return { level: 'warning', code: 'conditions-unclear', text };
  }
  const { answer, body } = conditional;
  if (answer.status === 304) {
    if (!areSame && conditionsOf(first.answer.headers)[1] === conditions[1]) {
      const text = `${used}, and it was the same for two different bodies: polls that name it miss changes`;
      return { level: 'warning', code: 'validator-unchanged', text };
    }
    return { level: 'note', code: 'not-modified', text: `${used}, answered by 304` };
  }
  const isSameValidator = conditionsOf(answer.headers)[1] === conditions[1];
  if (answer.status === 200 && (isSameValidator || body.equals(last.body))) {
    const why = isSameValidator ? '' : ': it is another one each time';
    const text = `${used}, but a poll that names it gets the same body again, and no 304${why}`;
    return { level: 'warning', code: 'conditions-ignored', text };
  }
  const text = `${used}; the poll that named it got something new (${answer.status}), so whether there is ever a 304 cannot be told`;
  return { level: 'note', code: 'conditions-unclear', text };
}
