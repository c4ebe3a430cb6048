/*
 * The part that changes pages in place: what it puts together, and nothing else.
 */
import { lookAt } from '../browser.ts';
import type { LiveStates } from '../live-states.ts';
import { showPage } from '../page.ts';
import type { PartsWindow } from '../parts.ts';
import { morph } from './morph.ts';

const page: Window & typeof globalThis & PartsWindow = window;
page.__comet?.provide('morph', {
  morph,
  show: (states: LiveStates, script: HTMLScriptElement) =>
    showPage(lookAt(page), script, states, morph),
});
