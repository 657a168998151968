/** A decoded picture: 8 bits a channel. */
export interface Pixels {
  /** Pixels a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Channels a pixel: 3 or 4. */
  readonly channels: number;
  /** Row after row. */
  readonly data: Uint8Array;
}

/** Decodes a PNG picture with 8-bit colours and no interlacing, as renderers write them. */
export async function decodePng(png: Uint8Array<ArrayBuffer>): Promise<Pixels> {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const width = view.getUint32(16), height = view.getUint32(20);
  const channels = { 2: 3, 6: 4 }[png[25]!];
  if (png[24] !== 8 || channels === undefined || png[28] !== 0) {
    throw new Error("not a plain 8-bit colour PNG");
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (type === "IDAT") parts.push(png.slice(at + 8, at + 8 + length));
    at += length + 12;
  }
  const inflated = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const rows = new Uint8Array(await new Response(inflated).arrayBuffer());
  return { width, height, channels, data: unfilter(rows, width * channels, height, channels) };
}

/** Undoes the prediction of each row (PNG specification, section 9). */
function unfilter(rows: Uint8Array, stride: number, height: number, channels: number): Uint8Array {
  const data = new Uint8Array(stride * height);
  for (let row = 0; row < height; row++) {
    const filter = rows[row * (stride + 1)]!;
    for (let i = 0; i < stride; i++) {
      const at = row * stride + i;
      const left = i >= channels ? data[at - channels]! : 0;
      const up = row > 0 ? data[at - stride]! : 0;
      const corner = row > 0 && i >= channels ? data[at - stride - channels]! : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!;
      data[at] = rows[row * (stride + 1) + 1 + i]! + predicted;
    }
  }
  return data;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value)) as [
    number,
    number,
    number,
  ];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/** How many pixels have a colour within 24 of `#rrggbb` in each channel. */
export function countColor({ channels, data }: Pixels, color: string): number {
  const wanted = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  let count = 0;
  for (let at = 0; at < data.length; at += channels) {
    if (wanted.every((value, i) => Math.abs(data[at + i]! - value) <= 24)) count++;
  }
  return count;
}
