/** How numbers are shown to people; `--json` prints them unrounded. */
const LOCALE = "en";

/** A size in bytes with its decimal unit: `8.55 MB`. */
export function formatBytes(bytes: number): string {
  return bytesText(bytes, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** A size in bytes to three digits, where there is little room: `8.55 MB`, `137 MB`. */
export function formatBytesBriefly(bytes: number): string {
  return bytesText(bytes, { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
}

function bytesText(bytes: number, digits: Intl.NumberFormatOptions): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const power = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return new Intl.NumberFormat(LOCALE, {
    style: "unit",
    unit: units[power] ?? "byte",
    unitDisplay: power === 0 ? "long" : "short",
    ...(power === 0 ? { maximumFractionDigits: 0 } : digits),
  }).format(bytes / 1000 ** power);
}

/** A count with thousands separators: `4,273,664`. */
export function formatCount(count: number): string {
  return new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 }).format(count);
}

/** A share as a percentage: `97.1 %`. */
export function formatShare(share: number, digits = 1): string {
  return `${formatFixed(share * 100, digits)} %`;
}

/** A number with a fixed count of decimals: `4.54`; what rounds to zero has no sign. */
export function formatFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return String(value);
  return new Intl.NumberFormat(LOCALE, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: "negative",
  }).format(value);
}

/** A measurement of any size with four significant digits: `0.001014`, `53.79`, `41,230`. */
export function formatMeasure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential(1);
  return new Intl.NumberFormat(LOCALE, {
    minimumSignificantDigits: 4,
    maximumSignificantDigits: 4,
  }).format(value);
}

/** A measurement and its standard error, both to the decimal that the error makes meaningful. */
export function formatWithError(value: number, standardError: number | undefined): string {
  if (standardError === undefined || !(standardError > 0) || !Number.isFinite(value)) {
    return formatMeasure(value);
  }
  const digits = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(standardError))));
  return `${formatFixed(value, digits)} ± ${formatFixed(standardError, digits)}`;
}

/** Seconds: `0.42 s`, `12.3 s`. */
export function formatSeconds(seconds: number): string {
  return `${formatFixed(seconds, seconds < 10 ? 2 : 1)} s`;
}

/** Time that is left, never too short: `85 s left`, from two minutes on `3 min left`. */
export function formatTimeLeft(seconds: number): string {
  return seconds < 120
    ? `${formatFixed(Math.ceil(seconds), 0)} s left`
    : `${formatFixed(Math.ceil(seconds / 60), 0)} min left`;
}

/** How fast tokens are written, such as `61 tokens/s`. */
export function formatTokenRate(tokensPerSecond: number): string {
  return `${formatFixed(tokensPerSecond, tokensPerSecond < 10 ? 1 : 0)} tokens/s`;
}
