/*
 * The part that keeps states current: what it puts together, and nothing else.
 */
import { createApi } from './api.ts';
import type { Natives } from './natives.ts';
import { quiet } from './natives.ts';
import type { PartsWindow } from './parts.ts';

quiet(() => {
  const page: Window & PartsWindow = window;
  const parts = page.__comet;
  parts?.use<Natives>('natives', (natives) => parts.provide('link', createApi(natives)));
})();
