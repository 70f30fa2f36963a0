// SPDX-License-Identifier: Apache-2.0
// A screenshot with few colours, a third of its size: pages have some, the rest are shades of letters.
import { deflateSync, inflateSync } from 'node:zlib';

const mostColours = 64;
const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

function* chunksOf(png) {
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    yield { type: png.toString('latin1', at + 4, at + 8), body: png.subarray(at + 8, at + 8 + length) };
    at += length + 12;
  }
}
function chunk(type, body) {
  const inside = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  sum.writeUInt32BE(checksum(inside));
  return Buffer.concat([length, inside, sum]);
}
// Debian's node is older than crc32 of node:zlib.
const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; ++bit) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
function checksum(octets) {
  let value = 0xffffffff;
  for (const octet of octets) value = (value >>> 8) ^ table[(value ^ octet) & 255];
  return (value ^ 0xffffffff) >>> 0;
}

/** Pixels of an 8 bit RGB or RGBA picture without interlacing (PNG, section 9), as Chromium writes them. */
function decode(png) {
  let header;
  const parts = [];
  for (const { type, body } of chunksOf(png)) {
    if (type === 'IHDR') header = { width: body.readUInt32BE(0), height: body.readUInt32BE(4), depth: body[8], colours: body[9], interlace: body[12] };
    if (type === 'IDAT') parts.push(body);
  }
  const { width, height, depth, colours, interlace } = header;
  if (depth !== 8 || interlace || ![2, 6].includes(colours)) throw new Error('no picture of the browser');
  const step = colours === 6 ? 4 : 3;
  const line = width * step;
  const raw = inflateSync(Buffer.concat(parts));
  const pixels = Buffer.alloc(line * height);
  for (let y = 0; y < height; ++y) {
    const filter = raw[y * (line + 1)];
    for (let x = 0; x < line; ++x) {
      const left = x >= step ? pixels[y * line + x - step] : 0;
      const up = y ? pixels[(y - 1) * line + x] : 0;
      const corner = y && x >= step ? pixels[(y - 1) * line + x - step] : 0;
      const paeth = () => {
        const guess = left + up - corner;
        const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
        return a <= b && a <= c ? left : b <= c ? up : corner;
      };
      const predicted = [0, left, up, (left + up) >> 1][filter] ?? paeth();
      pixels[y * line + x] = raw[y * (line + 1) + 1 + x] + predicted;
    }
  }
  return { width, height, step, pixels };
}

export function indexed(png) {
  const { width, height, step, pixels } = decode(png);
  const counts = new Map();
  const colours = new Uint32Array(width * height);
  for (let at = 0; at < colours.length; ++at) {
    const colour = (pixels[at * step] << 16) | (pixels[at * step + 1] << 8) | pixels[at * step + 2];
    colours[at] = colour;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, mostColours).map(([colour]) => colour);
  const places = new Map(palette.map((colour, place) => [colour, place]));
  const far = (a, b) => ((a >> 16) - (b >> 16)) ** 2 + (((a >> 8) & 255) - ((b >> 8) & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2;
  const nearest = (colour) => palette.reduce((best, each, place) => (far(each, colour) < far(palette[best], colour) ? place : best), 0);
  const rows = Buffer.alloc((width + 1) * height);
  colours.forEach((colour, at) => {
    if (!places.has(colour)) places.set(colour, nearest(colour));
    rows[at + Math.floor(at / width) + 1] = places.get(colour);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const shades = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([signature, chunk('IHDR', header), chunk('PLTE', shades), chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })), chunk('IEND', Buffer.alloc(0))]);
}
