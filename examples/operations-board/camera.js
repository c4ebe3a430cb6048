import { encodePng } from './png.js';

const WIDTH = 320;
const HEIGHT = 200;
const FLOOR = 96;

const PALETTE = [
  [16, 18, 20],
  [58, 64, 66],
  [92, 98, 98],
  [128, 132, 128],
  [196, 198, 186],
  [214, 160, 32],
  [116, 84, 52],
  [150, 112, 70],
  [40, 44, 48],
  [232, 236, 224],
];
const [BLACK, WALL, FRAME, CONCRETE, PAINT, YELLOW, WOOD, CARTON, DARK, TEXT] = PALETTE.keys();

// Five columns by seven rows; each number is a row whose highest of five bits is the left pixel.
const FONT = {
  0: [14, 17, 19, 21, 25, 17, 14],
  1: [4, 12, 4, 4, 4, 4, 14],
  2: [14, 17, 1, 2, 4, 8, 31],
  3: [31, 2, 4, 2, 1, 17, 14],
  4: [2, 6, 10, 18, 31, 2, 2],
  5: [31, 16, 30, 1, 1, 17, 14],
  6: [6, 8, 16, 30, 17, 17, 14],
  7: [31, 1, 2, 4, 8, 8, 8],
  8: [14, 17, 17, 14, 17, 17, 14],
  9: [14, 17, 17, 15, 1, 2, 12],
  ':': [0, 12, 12, 0, 12, 12, 0],
  '-': [0, 0, 0, 31, 0, 0, 0],
  D: [30, 17, 17, 17, 17, 17, 30],
  O: [14, 17, 17, 17, 17, 17, 14],
  C: [14, 17, 16, 16, 16, 17, 14],
  K: [17, 18, 20, 24, 20, 18, 17],
};

function createCanvas() {
  const pixels = new Uint8Array(WIDTH * HEIGHT);

  function dot(x, y, colour) {
    if (x >= 0 && x < WIDTH && y >= 0 && y < HEIGHT) pixels[y * WIDTH + x] = colour;
  }

  function box(x, y, width, height, colour) {
    for (let row = y; row < y + height; row += 1) {
      for (let column = x; column < x + width; column += 1) dot(column, row, colour);
    }
  }

  function disc(x, y, radius, colour) {
    for (let dy = -radius; dy <= radius; dy += 1) {
      const half = Math.floor(Math.sqrt(radius * radius - dy * dy));
      box(x - half, y + dy, half * 2 + 1, 1, colour);
    }
  }

  function text(x, y, string, colour) {
    [...string].forEach((character, index) => {
      (FONT[character] ?? []).forEach((bits, row) => {
        for (let column = 0; column < 5; column += 1) {
          if (bits & (16 >> column)) dot(x + index * 6 + column, y + row, colour);
        }
      });
    });
  }

  return { pixels, dot, box, disc, text };
}

function drawHall({ box, text }) {
  box(0, 0, WIDTH, FLOOR, WALL);
  box(0, FLOOR, WIDTH, HEIGHT - FLOOR, CONCRETE);
  for (let door = 0; door < 3; door += 1) {
    const left = 22 + door * 100;
    box(left - 4, 24, 84, FLOOR - 24, FRAME);
    box(left, 28, 76, FLOOR - 28, door === 1 ? BLACK : PAINT);
    // The middle door is open and shows the back of a trailer; the others are shutters.
    if (door === 1) {
      box(left + 8, 36, 60, FLOOR - 40, DARK);
      box(left + 8, FLOOR - 6, 60, 6, FRAME);
    } else {
      for (let slat = 34; slat < FLOOR; slat += 8) box(left, slat, 76, 1, FRAME);
    }
    text(left + 36, 14, String(door + 1), TEXT);
  }
  for (let x = 0; x < WIDTH; x += 24) box(x, FLOOR + 6, 14, 4, YELLOW);
  box(0, 182, WIDTH, 2, PAINT);
}

function drawPallet({ box }, x, y) {
  box(x, y - 3, 26, 3, WOOD);
  box(x + 1, y - 21, 24, 18, CARTON);
  box(x + 12, y - 21, 2, 18, WOOD);
  box(x + 1, y - 12, 24, 1, WOOD);
}

function drawForklift(canvas, x, y, direction) {
  const { box, disc } = canvas;
  // Drawn facing right; for the way back every part is mirrored about the middle of the truck.
  const part = (left, top, width, height, colour) => {
    box(direction > 0 ? x + left : x - left - width, y - top, width, height, colour);
  };
  part(-28, 24, 42, 18, YELLOW);
  part(-28, 30, 12, 8, YELLOW);
  part(-18, 50, 3, 26, DARK);
  part(8, 50, 3, 28, DARK);
  part(-20, 52, 33, 3, DARK);
  part(-9, 42, 9, 16, BLACK);
  part(-7, 48, 6, 6, CARTON);
  part(15, 58, 4, 56, BLACK);
  part(19, 4, 26, 2, BLACK);
  for (const wheel of [-18, 6]) {
    disc(x + wheel * direction, y - 6, 7, BLACK);
    disc(x + wheel * direction, y - 6, 3, CONCRETE);
  }
  drawPallet(canvas, direction > 0 ? x + 19 : x - 45, y - 4);
}

/**
 * Draws what the dock camera sees and returns it as a PNG file.
 */
export function takeSnapshot({ dock, time }) {
  const canvas = createCanvas();
  drawHall(canvas);
  for (let pallet = 0; pallet < Math.min(dock.waiting, 10); pallet += 1) {
    drawPallet(canvas, 8 + pallet * 31, 132);
  }
  drawForklift(canvas, Math.round(50 + dock.position * 220), 176, dock.direction);
  canvas.box(0, HEIGHT - 13, WIDTH, 13, BLACK);
  canvas.text(6, HEIGHT - 10, 'DOCK 2', TEXT);
  canvas.text(WIDTH - 6 - time.length * 6, HEIGHT - 10, time, TEXT);
  return encodePng({ width: WIDTH, height: HEIGHT, pixels: canvas.pixels, palette: PALETTE });
}
