import type { z } from 'zod';

/** Everything is reported at once. `superRefine` has no option for it, unlike `refine`. */
export function alsoWhenValuesFailed<C extends { readonly _zod: { def: { when?: unknown } } }>(
  check: C,
): C {
  check._zod.def.when = ({ value }: { value: unknown }) =>
    typeof value === 'object' && value !== null;
  return check;
}

/** Say what is wrong with a key, or with what it stands for as a whole, at the place of the key. */
export function addKeyProblem(
  context: z.RefinementCtx,
  path: readonly PropertyKey[],
  message: string,
): void {
  const key = String(path.at(-1));
  const issues = [{ code: 'custom' as const, message, path: [], input: key }];
  context.addIssue({ code: 'invalid_key', origin: 'record', issues, path: [...path], input: key });
}
