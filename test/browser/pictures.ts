import type { Content } from './site.ts';

const PNG = new URL('../../examples/operations-board/png.js', import.meta.url).href;
const { encodePng } = (await import(PNG)) as {
  encodePng: (picture: {
    width: number;
    height: number;
    pixels: Uint8Array;
    palette: Colour[];
  }) => Buffer;
};

/** Red, green and blue, 0 to 255 each. */
export type Colour = readonly [red: number, green: number, blue: number];

const SIZE = 8;
const SIZE_32 = [SIZE, 0, 0, 0];

/** One pixel of GIF, as LZW codes: clear, the first colour, end. */
const ONE_PIXEL = [2, 2, 0x44, 0x01, 0];

function bitmap([red, green, blue]: Colour): Buffer {
  const pixels = Array.from({ length: SIZE * SIZE }, () => [blue, green, red]).flat();
  const size = 54 + pixels.length;
  const file = ['B'.charCodeAt(0), 'M'.charCodeAt(0), size & 0xff, size >> 8, 0, 0, 0, 0, 0, 0];
  const info = [40, 0, 0, 0, ...SIZE_32, ...SIZE_32, 1, 0, 24, 0, ...new Array<number>(24).fill(0)];
  return Buffer.from([...file, 54, 0, 0, 0, ...info, ...pixels]);
}

function scalable(colour: Colour): string {
  const rectangle = `<rect width="100%" height="100%" fill="rgb(${colour})"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}">${rectangle}</svg>`;
}

function portable(colour: Colour): Buffer {
  const pixels = new Uint8Array(SIZE * SIZE);
  return encodePng({ width: SIZE, height: SIZE, pixels, palette: [colour] });
}

function interchange(colour: Colour): Buffer {
  const screen = [1, 0, 1, 0, 0x80, 0, 0, ...colour, 0, 0, 0];
  const image = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, ...ONE_PIXEL, 0x3b];
  return Buffer.concat([Buffer.from('GIF89a'), Buffer.from([...screen, ...image])]);
}

const FORMATS = {
  png: { type: 'image/png', draw: portable },
  gif: { type: 'image/gif', draw: interchange },
  bmp: { type: 'image/bmp', draw: bitmap },
  svg: { type: 'image/svg+xml', draw: scalable },
};

/** The format of an image. */
export type Format = keyof typeof FORMATS;

/** An image of one colour. */
export function picture(format: Format, colour: Colour): Content {
  const { type, draw } = FORMATS[format];
  return { type, body: draw(colour) };
}
