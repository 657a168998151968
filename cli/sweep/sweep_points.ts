import { type Preset, PRESETS } from "../../hierarchy/mod.ts";
import { BASELINES } from "../../baselines/mod.ts";
import { UsageError } from "../terminal/errors.ts";

/** One way to compress a model. */
export type SweepPoint =
  | {
    /** Name of the point, such as `rate` or `gptq-3-g128`. */
    readonly name: string;
    /** Which hierarchy of levels compresses. */
    readonly preset: Preset;
    /** Target in bits per weight. */
    readonly bits: number;
  }
  | {
    /** Name of the baseline. */
    readonly name: string;
    /** Bits of its indices, side information not counted, where its name says them. */
    readonly bits?: number;
  };

/** Short names of families of baselines, and the baselines that have this many bits. */
const FAMILIES: Readonly<Record<string, (bits: number) => RegExp>> = {
  rtn: (bits) => new RegExp(`^rtn-asym-${bits}-g\\d+$`),
  "rtn-sym": (bits) => new RegExp(`^rtn-sym-${bits}-g\\d+$`),
  "rtn-asym": (bits) => new RegExp(`^rtn-asym-${bits}-g\\d+$`),
  "rtn-clip": (bits) => new RegExp(`^rtn-clip-${bits}-g\\d+$`),
  gptq: (bits) => new RegExp(`^gptq-${bits}-g\\d+$`),
  "gptq-order": (bits) => new RegExp(`^gptq-order-${bits}-g\\d+$`),
  hqq: (bits) => new RegExp(`^hqq-${bits}-g\\d+$`),
  sinq: (bits) => new RegExp(`^sinq-${bits}-g\\d+$`),
  gguf: (bits) => new RegExp(`^q${bits}_`),
};

/** Every name that `--presets` takes, but for those of single baselines. */
export const SWEEP_NAMES: readonly string[] = [...PRESETS, ...Object.keys(FAMILIES)];

/**
 * The points of a sweep: each preset at each rate, each family's baselines of each whole number of
 * bits, and baselines that are named themselves once. Throws {@linkcode UsageError} for a name that
 * is none, and for one that has nothing at the rates asked for.
 */
export function sweepPoints(names: readonly string[], rates: readonly number[]): SweepPoint[] {
  const points = new Map<string, SweepPoint>();
  for (const name of names) {
    const made = pointsOf(name, rates);
    if (made.length === 0) {
      throw new UsageError(`--presets ${name}: has nothing at ${rates.join(", ")} bits`);
    }
    for (const point of made) points.set(pointKey(point), point);
  }
  return [...points.values()];
}

/** Names a point within a sweep. */
export function pointKey(point: Pick<SweepPoint, "name" | "bits">): string {
  return point.bits === undefined ? point.name : `${point.name} at ${point.bits} bits`;
}

function pointsOf(name: string, rates: readonly number[]): SweepPoint[] {
  const preset = PRESETS.find((known) => known === name);
  if (preset !== undefined) return rates.map((bits) => ({ name, preset, bits }));
  const family = Object.hasOwn(FAMILIES, name) ? FAMILIES[name] : undefined;
  if (family !== undefined) {
    return rates.filter(Number.isInteger).flatMap((bits) =>
      [...BASELINES.keys()].filter((key) => family(bits).test(key)).map((key) => ({ name: key }))
    );
  }
  if (BASELINES.has(name)) return [{ name }];
  throw new UsageError(
    `--presets ${name}: is not one of ${SWEEP_NAMES.join(", ")}, nor a baseline ` +
      `(${baselineKinds().join(", ")})`,
  );
}

/** The names of the baselines, those that differ in their numbers only as one: `gptq-3-g64`, …. */
function baselineKinds(): string[] {
  const kinds = new Map<string, string[]>();
  for (const name of BASELINES.keys()) {
    const kind = name.replaceAll(/\d+/g, "#");
    kinds.set(kind, [...kinds.get(kind) ?? [], name]);
  }
  return [...kinds.values()].map(([first, ...others]) =>
    others.length > 0 ? `${first}, …` : first!
  );
}
