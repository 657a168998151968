/** A kind of sight: with all cones, or without those for long, middle or short waves. */
export type Vision = "trichromacy" | "protanopia" | "deuteranopia" | "tritanopia";

/** Every {@linkcode Vision}. */
export const visions: readonly Vision[] = [
  "trichromacy",
  "protanopia",
  "deuteranopia",
  "tritanopia",
];

/** From linear sRGB to what is seen: Machado, Oliveira and Fernandes (2009), severity 1. */
const MATRICES: Readonly<Record<Vision, readonly (readonly [number, number, number])[]>> = {
  trichromacy: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** The least distance in Oklab (0 is the same, black and white are 1 apart) of two of `#rrggbb`s. */
export function closestColors(colors: readonly string[], vision: Vision): number {
  const seen = colors.map((color) => oklab(seenAs(linear(color), vision)));
  const distances = seen.flatMap((a, i) =>
    seen.slice(0, i).map((b) => Math.hypot(...a.map((value, axis) => value - b[axis]!)))
  );
  return Math.min(...distances);
}

type Triple = [number, number, number];

function linear(color: string): Triple {
  return [1, 3, 5].map((at) => {
    const share = parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Triple;
}

function seenAs([r, g, b]: Triple, vision: Vision): Triple {
  return MATRICES[vision].map(([x, y, z]) =>
    Math.min(1, Math.max(0, x * r + y * g + z * b))
  ) as Triple;
}

/** Ottosson (2020). */
function oklab([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
