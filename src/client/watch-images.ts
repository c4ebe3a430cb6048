import { defineProperty } from './browser.ts';

/**
 * Wait until the page loads an image a second time: what answers such loads need not be loaded before.
 *
 * @param onAgain - Called once, for a load that goes the usual way.
 */
export function watchImages({ HTMLImageElement }: typeof globalThis, onAgain: () => void): void {
  const { prototype } = HTMLImageElement;
  const own = Object.getOwnPropertyDescriptor(prototype, 'src') as Required<PropertyDescriptor>;
  const seen: Record<string, true> = {};
  defineProperty(prototype, 'src', {
    configurable: true,
    get: own.get,
    set(value: string) {
      own.set.call(this, value);
      const path = String(value).split('?')[0] as string;
      if (seen[path]) {
        defineProperty(prototype, 'src', own);
        onAgain();
      }
      seen[path] = true;
    },
  });
}
