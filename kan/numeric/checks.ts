// Every public function of this library checks the numbers that it is given with these functions, so
// that a wrong one is refused by its name and not found as NaN in a result.

/** The samples of {@link requireSamples}: a matrix, row by row. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: ArrayLike<number>;
}

/** Bounds of a number; none if omitted. */
export interface Bounds {
  /** The number must be larger. */
  readonly above?: number;
  /** The smallest allowed. */
  readonly least?: number;
  /** The largest allowed. */
  readonly most?: number;
}

/** Throws a RangeError unless `value` is finite and within the bounds. */
export function requireNumber(name: string, value: number, bounds: Bounds = {}): void {
  if (!Number.isFinite(value) || !isWithin(value, bounds)) {
    throw new RangeError(`${name} must be a finite number${describe(bounds)}, got ${value}`);
  }
}

/** Throws a RangeError unless `value` is an integer that float64 holds exactly, within the bounds. */
export function requireInteger(name: string, value: number, least?: number, most?: number): void {
  const bounds = { ...(least !== undefined && { least }), ...(most !== undefined && { most }) };
  if (!Number.isSafeInteger(value) || !isWithin(value, bounds)) {
    throw new RangeError(`${name} must be an integer${describe(bounds)}, got ${value}`);
  }
}

/** Throws a RangeError unless `value` is one of `known`. */
export function requireOneOf(name: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) {
    throw new RangeError(`${name} must be one of ${known.join(", ")}, got "${value}"`);
  }
}

/**
 * Throws a RangeError unless `options` is an object whose names are all known: one that is not would
 * be ignored. The compiler sees to it that `known` has all names of the type.
 */
export function requireOptionNames<T extends object>(
  what: string,
  options: T,
  known: Readonly<Record<keyof T, true>>,
): void {
  const names = Object.keys(known).join(", ");
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new RangeError(`${what} must be an object with some of ${names}, got ${options}`);
  }
  for (const name of Object.keys(options)) {
    if (name in known) continue;
    throw new RangeError(`${what} has no option "${name}"; there are: ${names}`);
  }
}

/** Throws a RangeError that tells the place of the first value that is not finite. */
export function requireFinite(name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new RangeError(`${name} must be finite, but value ${i} is ${values[i]}`);
    }
  }
}

/** Throws a RangeError unless `range` is two finite ascending numbers. */
export function requireRange(name: string, range: readonly [number, number]): void {
  const [start, end] = range;
  if (!(Number.isFinite(start) && Number.isFinite(end) && start < end)) {
    throw new RangeError(`${name} must be two finite ascending numbers, got [${range}]`);
  }
}

/**
 * Throws a RangeError unless `samples` have at least `leastRows` rows, as many values as rows and
 * columns say, and no value that is not finite.
 */
export function requireSamples(name: string, samples: Matrix, leastRows: number = 0): void {
  const { rows, columns, data } = samples;
  requireInteger(`the rows of the ${name}`, rows, 0);
  requireInteger(`the columns of the ${name}`, columns, 0);
  if (rows < leastRows) {
    throw new RangeError(
      `the ${name} must have at least ${leastRows} sample${leastRows > 1 ? "s" : ""}, got ${rows}`,
    );
  }
  if (data.length !== rows * columns) {
    throw new RangeError(
      `the ${name} have ${data.length} values for ${rows} rows of ${columns} columns`,
    );
  }
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new RangeError(
      `the ${name} are not all finite: row ${Math.floor(i / columns)}, column ${i % columns} ` +
        `is ${data[i]}`,
    );
  }
}

/** Throws a RangeError unless every group has at least two of a layer's sums. */
export function requireProducts(
  name: string,
  products: readonly number[],
  outputDim: number,
): void {
  for (const count of products) requireInteger(name, count, 2);
  const factors = products.reduce((sum, count) => sum + count, 0);
  if (factors > outputDim) {
    throw new RangeError(`${name} [${products}] need ${factors} sums, there are ${outputDim}`);
  }
}

function isWithin(value: number, bounds: Bounds): boolean {
  const { above = -Infinity, least = -Infinity, most = Infinity } = bounds;
  return value > above && value >= least && value <= most;
}

function describe({ above, least, most }: Bounds): string {
  if (above !== undefined) return ` above ${above}${most === undefined ? "" : ` up to ${most}`}`;
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  if (least !== undefined) return ` of at least ${least}`;
  return most === undefined ? "" : ` of at most ${most}`;
}
