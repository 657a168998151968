import { greatest, least } from "../../../data/extremes.ts";
/** A mark on an axis. */
export interface Tick {
  /** What it marks; the number of a category. */
  readonly value: number;
  /** Share of the axis, 0 to 1. */
  readonly at: number;
  /** What stands there. */
  readonly label: string;
}

/** One axis: from values to shares of its length. */
export interface Scale {
  /** Share of the axis, 0 at its beginning; NaN for a value that it cannot show. */
  at(value: unknown): number;
  /** Its marks. */
  readonly ticks: readonly Tick[];
  /** Where axes that show bars begin. */
  readonly zero: number;
}

/** What of a plotly axis a scale needs. */
export interface ScaleOptions {
  /** `linear`, `log` or `category`. */
  readonly type?: string;
  /** Ends, exponents of 10 on logarithmic axes. */
  readonly range?: readonly [number, number];
  /** Distance of marks where it is a number. */
  readonly dtick?: unknown;
  /** Values that are shown must lie within, such as 0 for bars. */
  readonly include?: readonly number[];
}

/** The scale that shows the values. */
export function createScale(values: readonly unknown[], options: ScaleOptions): Scale {
  if (options.type === "category" || values.some((value) => typeof value === "string")) {
    return categoryScale(values);
  }
  const numbers = [...values, ...options.include ?? []].filter((value) =>
    typeof value === "number" && Number.isFinite(value)
  ) as number[];
  return options.type === "log"
    ? logScale(numbers.filter((value) => value > 0), options.range)
    : linearScale(numbers, options);
}

function categoryScale(values: readonly unknown[]): Scale {
  const names = [...new Set(values.map(String))];
  const at = (value: unknown) => (names.indexOf(String(value)) + 0.5) / names.length;
  return { at, zero: 0, ticks: names.map((label, value) => ({ value, at: at(label), label })) };
}

function linearScale(shown: readonly number[], { range, dtick, include }: ScaleOptions): Scale {
  const [low, high] = range ?? paddedRange(shown, include ?? []);
  const at = (value: unknown) => (Number(value) - low) / (high - low);
  const [from, to] = [Math.min(low, high), Math.max(low, high)];
  const values = typeof dtick === "number" ? evenTicks(from, to, dtick) : evenTicks(from, to);
  const ticks = values.map((value) => tickAt(value, at));
  return { at, zero: Math.min(1, Math.max(0, at(0))), ticks };
}

/**
 * A little room around the values, but none below a zero that must be shown. Around a single value it
 * is `alone`, or half of the value if that is omitted.
 */
function paddedRange(
  values: readonly number[],
  include: readonly number[],
  alone?: number,
): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  const low = least(values), high = greatest(values);
  const pad = 0.05 * (high - low) || (alone ?? 0.5 * Math.abs(high)) || 0.5;
  return [include.includes(low) ? low : low - pad, include.includes(high) ? high : high + pad];
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 2.5, 5, 10].find((f) => f * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

function logScale(values: readonly number[], range: readonly [number, number] | undefined): Scale {
  const logs = values.map(Math.log10);
  const [low, high] = range ?? paddedRange(logs, [], 0.5);
  const at = (value: unknown) =>
    Number(value) > 0 ? (Math.log10(Number(value)) - low) / (high - low) : NaN;
  return { at, zero: 0, ticks: logTicks(low, high).map((value) => tickAt(value, at)) };
}

function tickAt(value: number, at: Scale["at"]): Tick {
  return { value, at: at(value), label: formatTick(value) };
}

/** Leading digits of ticks between powers of ten, for ever fewer decades. */
const DIGITS = [[1], [1, 3], [1, 2, 5]];
/** Fewest ticks by powers of ten; within a decade, even steps are easier to read. */
const FEWEST_TICKS = 4;

/** Powers of ten, with digits between them where there are few, or even steps within a decade. */
function logTicks(low: number, high: number): number[] {
  const every = Math.max(1, Math.ceil((high - low) / 10));
  for (const digits of DIGITS) {
    const ticks: number[] = [];
    for (let power = Math.floor(low); power <= high; power++) {
      if (power % every === 0) ticks.push(...digits.map((digit) => digit * 10 ** power));
    }
    const shown = ticks.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
    if (shown.length >= FEWEST_TICKS) return shown;
  }
  return evenTicks(10 ** low, 10 ** high);
}

function evenTicks(low: number, high: number, step: number = niceStep((high - low) / 6)): number[] {
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function formatTick(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) return value.toExponential().replace("e+", "e");
  return new Intl.NumberFormat("en", { maximumSignificantDigits: 6 }).format(value);
}
