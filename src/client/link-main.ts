/*
 * The part that keeps states current: what it puts together, and nothing else.
 */
import { createApi } from './api.ts';
import type { Natives } from './natives.ts';
import { quiet } from './natives.ts';
import type { PartsWindow } from './parts.ts';

quiet(() => {
  const { __comet: parts }: PartsWindow = window;
  parts?.use<Natives>('natives', (natives) => parts.provide('link', createApi(natives)));
})();
