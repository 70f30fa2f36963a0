// SPDX-License-Identifier: Apache-2.0
// How much two pictures of a page differ. Letters may: times go by, ids are new. What has moved, is missing or lies over
// something else does not escape: both are looked at through a coarse grid.
const across = 64;
const down = 40;
const noticed = 20; // of 255, between the means of one cell

/** The share of cells that differ, from 0 to 1; 1 when the pictures are of different sizes. `page` may be any. */
export async function difference(page, one, other) {
  return page.evaluate(
    async ([pictures, [width, height], least]) => {
      const looked = [];
      for (const picture of pictures) {
        const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(picture), (each) => each.charCodeAt(0))]));
        const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
        const pen = canvas.getContext('2d', { willReadFrequently: true });
        pen.drawImage(bitmap, 0, 0);
        looked.push({ size: `${bitmap.width} ${bitmap.height}`, mean: (column, row) => {
          const [x, y] = [Math.floor((column * bitmap.width) / width), Math.floor((row * bitmap.height) / height)];
          const { data } = pen.getImageData(x, y, Math.ceil(bitmap.width / width), Math.ceil(bitmap.height / height));
          const sums = [0, 0, 0];
          for (let at = 0; at < data.length; at += 4) for (const part of [0, 1, 2]) sums[part] += data[at + part];
          return sums.map((sum) => sum / (data.length / 4));
        } });
      }
      if (looked[0].size !== looked[1].size) return 1;
      let differing = 0;
      for (let row = 0; row < height; ++row) {
        for (let column = 0; column < width; ++column) {
          const [a, b] = looked.map((each) => each.mean(column, row));
          if (a.some((value, part) => Math.abs(value - b[part]) > least)) ++differing;
        }
      }
      return differing / (width * height);
    },
    [[one, other].map((picture) => picture.toString('base64')), [across, down], noticed],
  );
}
