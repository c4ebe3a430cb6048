import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import type { Colour, Format } from './pictures.ts';
import { picture } from './pictures.ts';
import { holds, openPage, PUBLIC, startSite } from './site.ts';

const COLOURS: readonly Colour[] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
];

/** Formats of three images in a row. A scalable image is the hard case: no browser sniffs for it. */
const SERIES: readonly (readonly [Format, Format, Format])[] = [
  ['png', 'png', 'png'],
  ['gif', 'gif', 'gif'],
  ['svg', 'svg', 'svg'],
  ['png', 'gif', 'png'],
  ['gif', 'bmp', 'png'],
  ['png', 'svg', 'png'],
  ['svg', 'png', 'svg'],
];

/**
 * What the image element shows. By way of `createImageBitmap`: Firefox keeps what `drawImage` has
 * once drawn of an element, and would draw the first image for ever.
 */
const SHOW = `
  const image = document.createElement('img');
  image.src = '/_comet/multipart?url=/camera';
  document.body.append(image);
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  window.shown = '';
  window.looks = 0;
  setInterval(async () => {
    try {
      context.drawImage(await createImageBitmap(image), 0, 0);
      shown = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).join();
    } catch {
      shown = 'nothing'; // not loaded yet, or given up
    }
    looks++;
  }, 20);
`;

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: an image moves`, options, async (t) => {
    const browser = await openBrowser(t, name);
    for (const formats of SERIES) {
      await t.test(`${formats.join(', ')}: each is shown before there is a next one`, async (t) => {
        const site = await startSite(t, { live: { '/camera': PUBLIC } });
        const show = (index: number) => {
          const [format, colour] = [formats[index], COLOURS[index]];
          assert.ok(format && colour);
          site.content.set('/camera', picture(format, colour));
          return String(colour);
        };
        const first = show(0);
        const page = await openPage(t, browser, site.url);
        await page.evaluate(SHOW);
        await holds(page, `shown === '${first}'`);
        await holds(page, `shown === '${show(1)}'`);
        await holds(page, `shown === '${show(2)}'`);
      });
    }

    // No event tells a page of the end. Chromium takes an image back whose connection is cut.
    const afterCut = name === 'chromium' ? 'nothing' : '0,255,0';
    for (const [end, expected] of [
      ['cut', afterCut],
      ['drained', '0,255,0'],
    ] as const) {
      await t.test(`when the stream is ${end} the element shows ${expected}`, async (t) => {
        const site = await startSite(t, { live: { '/camera': PUBLIC } });
        site.content.set('/camera', picture('png', [255, 0, 0]));
        const page = await openPage(t, browser, site.url);
        await page.evaluate(SHOW);
        await holds(page, "shown === '255,0,0'");
        site.content.set('/camera', picture('png', [0, 255, 0]));
        await holds(page, "shown === '0,255,0'");
        if (end === 'cut') site.cut();
        else await site.proxy.drain();
        const looks = Number(await page.evaluate('looks'));
        await holds(page, `looks >= ${looks + 20} && shown === '${expected}'`);
      });
    }
  });
}
