// AssemblyScript, see kernels/build_kernels.ts.
//
// Float is f32 or f64: the build puts its definition before this text. Shapes: first [rows, inputs] i32;
// values, slopes [rows, inputs, support]; base values and slopes [rows, inputs]; weights and their
// gradients [inputs, size, outputs]; base weights and their gradients [inputs, outputs]; sums and their
// gradients [rows, outputs]; edges and their gradients [rows, inputs, outputs]; input gradients
// [rows, inputs]. Addresses are bytes; those of base weights and of edges are 0 if there are none, that
// of slopes if no input gradients are wanted. Blocks of rows keep the weights of an input in the cache.

const BLOCK: i32 = 32;

/** Adds the edges to the sums, and writes them. */
export function forward(
  rows: i32,
  inputs: i32,
  outputs: i32,
  size: i32,
  support: i32,
  first: usize,
  values: usize,
  bases: usize,
  weights: usize,
  baseWeights: usize,
  sums: usize,
  edges: usize,
): void {
  const width = sizeof<Float>(), stride = <usize> outputs * width;
  const whole = stride & ~15, isCubic = support == 4;
  for (let block = 0; block < rows; block += BLOCK) {
    const end = min(block + BLOCK, rows);
    for (let i = 0; i < inputs; i++) {
      for (let row = block; row < end; row++) {
        const point = <usize> (row * inputs + i);
        const value = values + point * support * width;
        const weight = weights + (<usize> (i * size) + load<i32>(first + (point << 2))) * stride;
        const baseWeight = baseWeights + <usize> i * stride;
        const sum = sums + <usize> row * stride, edge = edges + point * stride;
        const base = baseWeights ? load<Float>(bases + point * width) : <Float> 0;
        const value0 = v128.splat<Float>(load<Float>(value)), manyBases = v128.splat<Float>(base);
        const value1 = v128.splat<Float>(isCubic ? load<Float>(value + width) : <Float> 0);
        const value2 = v128.splat<Float>(isCubic ? load<Float>(value + 2 * width) : <Float> 0);
        const value3 = v128.splat<Float>(isCubic ? load<Float>(value + 3 * width) : <Float> 0);
        let at: usize = 0;
        if (isCubic && baseWeights && !edges) {
          // The usual case without its branches.
          for (; at < whole; at += 16) {
            const from = weight + at;
            let curve = v128.mul<Float>(value0, v128.load(from));
            curve = addProduct(curve, value1, from + stride);
            curve = addProduct(curve, value2, from + 2 * stride);
            curve = addProduct(curve, value3, from + 3 * stride);
            curve = addProduct(curve, manyBases, baseWeight + at);
            v128.store(sum + at, v128.add<Float>(v128.load(sum + at), curve));
          }
        }
        for (; at < whole; at += 16) {
          let from = weight + at;
          let curve = v128.mul<Float>(value0, v128.load(from));
          if (isCubic) {
            curve = addProduct(curve, value1, from += stride);
            curve = addProduct(curve, value2, from += stride);
            curve = addProduct(curve, value3, from += stride);
          } else {
            for (let j = 1; j < support; j++) {
              const factor = v128.splat<Float>(load<Float>(value + <usize> j * width));
              curve = addProduct(curve, factor, from += stride);
            }
          }
          if (baseWeights) curve = addProduct(curve, manyBases, baseWeight + at);
          if (edges) v128.store(edge + at, curve);
          v128.store(sum + at, v128.add<Float>(v128.load(sum + at), curve));
        }
        for (; at < stride; at += width) {
          let from = weight + at;
          let curve = load<Float>(value) * load<Float>(from);
          for (let j = 1; j < support; j++) {
            from += stride;
            curve += load<Float>(value + <usize> j * width) * load<Float>(from);
          }
          if (baseWeights) curve += base * load<Float>(baseWeight + at);
          if (edges) store<Float>(edge + at, curve);
          store<Float>(sum + at, load<Float>(sum + at) + curve);
        }
      }
    }
  }
}

/** Adds to the gradients of the weights and, given slopes, writes those of the inputs. */
export function backward(
  rows: i32,
  inputs: i32,
  outputs: i32,
  size: i32,
  support: i32,
  first: usize,
  values: usize,
  slopes: usize,
  bases: usize,
  baseSlopes: usize,
  weights: usize,
  baseWeights: usize,
  sumGradients: usize,
  edgeGradients: usize,
  weightGradients: usize,
  baseGradients: usize,
  inputGradients: usize,
): void {
  const width = sizeof<Float>(), stride = <usize> outputs * width;
  const whole = stride & ~15, isCubic = support == 4;
  for (let block = 0; block < rows; block += BLOCK) {
    const end = min(block + BLOCK, rows);
    for (let i = 0; i < inputs; i++) {
      for (let row = block; row < end; row++) {
        const point = <usize> (row * inputs + i);
        const offset = point * support * width;
        const value = values + offset, slope = slopes + offset;
        const start = (<usize> (i * size) + load<i32>(first + (point << 2))) * stride;
        const weight = weights + start, weightGradient = weightGradients + start;
        const baseWeight = baseWeights + <usize> i * stride;
        const baseGradient = baseGradients + <usize> i * stride;
        const sumGradient = sumGradients + <usize> row * stride;
        const edgeGradient = edgeGradients + point * stride;
        const base = baseWeights ? load<Float>(bases + point * width) : <Float> 0;
        const baseSlope = slopes && baseWeights
          ? load<Float>(baseSlopes + point * width)
          : <Float> 0;
        const manyBases = v128.splat<Float>(base), manyBaseSlopes = v128.splat<Float>(baseSlope);
        const value0 = v128.splat<Float>(load<Float>(value));
        const slope0 = v128.splat<Float>(slopes ? load<Float>(slope) : <Float> 0);
        const value1 = v128.splat<Float>(isCubic ? load<Float>(value + width) : <Float> 0);
        const slope1 = v128.splat<Float>(
          slopes && isCubic ? load<Float>(slope + width) : <Float> 0,
        );
        const value2 = v128.splat<Float>(isCubic ? load<Float>(value + 2 * width) : <Float> 0);
        const slope2 = v128.splat<Float>(
          slopes && isCubic ? load<Float>(slope + 2 * width) : <Float> 0,
        );
        const value3 = v128.splat<Float>(isCubic ? load<Float>(value + 3 * width) : <Float> 0);
        const slope3 = v128.splat<Float>(
          slopes && isCubic ? load<Float>(slope + 3 * width) : <Float> 0,
        );
        let products = v128.splat<Float>(<Float> 0);
        let at: usize = 0;
        if (isCubic && baseWeights && !edgeGradients) {
          // The usual cases without their branches.
          if (slopes) {
            for (; at < whole; at += 16) {
              const upstream = v128.load(sumGradient + at), from = weight + at;
              let curve = v128.mul<Float>(slope0, v128.load(from));
              curve = addProduct(curve, slope1, from + stride);
              curve = addProduct(curve, slope2, from + 2 * stride);
              curve = addProduct(curve, slope3, from + 3 * stride);
              curve = addProduct(curve, manyBaseSlopes, baseWeight + at);
              products = v128.add<Float>(products, v128.mul<Float>(curve, upstream));
              addToFive(
                weightGradient + at,
                stride,
                baseGradient + at,
                upstream,
                value0,
                value1,
                value2,
                value3,
                manyBases,
              );
            }
          } else {
            for (; at < whole; at += 16) {
              const upstream = v128.load(sumGradient + at);
              addToFive(
                weightGradient + at,
                stride,
                baseGradient + at,
                upstream,
                value0,
                value1,
                value2,
                value3,
                manyBases,
              );
            }
          }
        }
        for (; at < whole; at += 16) {
          let upstream = v128.load(sumGradient + at);
          if (edgeGradients) upstream = v128.add<Float>(upstream, v128.load(edgeGradient + at));
          let curve = v128.splat<Float>(<Float> 0);
          if (isCubic) {
            const next = at + stride, third = next + stride, last = third + stride;
            if (slopes) {
              curve = v128.mul<Float>(slope0, v128.load(weight + at));
              curve = addProduct(curve, slope1, weight + next);
              curve = addProduct(curve, slope2, weight + third);
              curve = addProduct(curve, slope3, weight + last);
            }
            addTo(weightGradient + at, value0, upstream);
            addTo(weightGradient + next, value1, upstream);
            addTo(weightGradient + third, value2, upstream);
            addTo(weightGradient + last, value3, upstream);
          } else {
            let next = at;
            for (let j = 0; j < support; j++) {
              const place = <usize> j * width;
              if (slopes) {
                const factor = v128.splat<Float>(load<Float>(slope + place));
                const term = v128.mul<Float>(factor, v128.load(weight + next));
                curve = j == 0 ? term : v128.add<Float>(curve, term);
              }
              addTo(weightGradient + next, v128.splat<Float>(load<Float>(value + place)), upstream);
              next += stride;
            }
          }
          if (baseWeights) addTo(baseGradient + at, manyBases, upstream);
          if (!slopes) continue;
          if (baseWeights) curve = addProduct(curve, manyBaseSlopes, baseWeight + at);
          products = v128.add<Float>(products, v128.mul<Float>(curve, upstream));
        }
        let inputGradient = v128.extract_lane<Float>(products, 0) +
          v128.extract_lane<Float>(products, 1);
        if (sizeof<Float>() == 4) {
          inputGradient += v128.extract_lane<Float>(products, sizeof<Float>() == 4 ? 2 : 0);
          inputGradient += v128.extract_lane<Float>(products, sizeof<Float>() == 4 ? 3 : 0);
        }
        for (; at < stride; at += width) {
          let upstream = load<Float>(sumGradient + at);
          if (edgeGradients) upstream += load<Float>(edgeGradient + at);
          let curve: Float = 0;
          let next = at;
          for (let j = 0; j < support; j++) {
            const place = <usize> j * width;
            if (slopes) {
              const term = load<Float>(slope + place) * load<Float>(weight + next);
              curve = j == 0 ? term : curve + term;
            }
            const target = weightGradient + next;
            store<Float>(target, load<Float>(target) + load<Float>(value + place) * upstream);
            next += stride;
          }
          if (baseWeights) {
            if (slopes) curve += baseSlope * load<Float>(baseWeight + at);
            store<Float>(baseGradient + at, load<Float>(baseGradient + at) + base * upstream);
          }
          inputGradient += curve * upstream;
        }
        if (slopes) store<Float>(inputGradients + point * width, inputGradient);
      }
    }
  }
}

/** vector + factors * the vector at an address. */
function addProduct(vector: v128, factors: v128, source: usize): v128 {
  return v128.add<Float>(vector, v128.mul<Float>(factors, v128.load(source)));
}

/** Adds factors * vector to the vector at an address. */
function addTo(target: usize, factors: v128, vector: v128): void {
  v128.store(target, v128.add<Float>(v128.load(target), v128.mul<Float>(factors, vector)));
}

/** Adds a vector times its factors to four weight gradients, and to that of the base. */
function addToFive(
  target: usize,
  stride: usize,
  baseTarget: usize,
  vector: v128,
  factors0: v128,
  factors1: v128,
  factors2: v128,
  factors3: v128,
  baseFactors: v128,
): void {
  addTo(target, factors0, vector);
  addTo(target + stride, factors1, vector);
  addTo(target + 2 * stride, factors2, vector);
  addTo(target + 3 * stride, factors3, vector);
  addTo(baseTarget, baseFactors, vector);
}

/**
 * The four cubic B-splines that are not 0 at each point x [rows, inputs], and their slopes unless that
 * address is 0. Knots [bases, intervals + 1] f64 are those inside the range; the tables of values and
 * slopes [bases, intervals, power, spline] hold polynomials in the place between the knots, 0 to 1.
 * Outside its range a spline goes on as a line, or flat.
 */
export function evaluate(
  points: i32,
  inputs: i32,
  isShared: bool,
  intervals: i32,
  isFlat: bool,
  x: usize,
  knots: usize,
  valueTable: usize,
  slopeTable: usize,
  first: usize,
  values: usize,
  slopes: usize,
): void {
  const width = <usize> sizeof<Float>(), vector = width << 2;
  for (let point = 0; point < points; point++) {
    const basis: usize = isShared ? 0 : point % inputs;
    const breaks = knots + ((basis * <usize> (intervals + 1)) << 3);
    const at = <f64> load<Float>(x + <usize> point * width);
    const start = load<f64>(breaks), end = load<f64>(breaks + (<usize> intervals << 3));
    const inside = min(max(at, start), end);
    let interval = at == at
      ? min(<i32> ((inside - start) / (end - start) * intervals), intervals - 1)
      : 0;
    while (interval > 0 && inside < load<f64>(breaks + (<usize> interval << 3))) interval--;
    while (
      interval < intervals - 1 && inside >= load<f64>(breaks + ((<usize> interval + 1) << 3))
    ) {
      interval++;
    }
    while (
      interval > 0 &&
      load<f64>(breaks + (<usize> interval << 3)) ==
        load<f64>(breaks + ((<usize> interval + 1) << 3))
    ) interval--;
    const left = load<f64>(breaks + (<usize> interval << 3));
    const right = load<f64>(breaks + ((<usize> interval + 1) << 3));
    const place = v128.splat<Float>(<Float> ((inside - left) / (right - left)));
    const entry = (basis * <usize> intervals + <usize> interval) * 4 * vector;
    const isOutside = at == at && inside != at;
    const offset = <usize> point * vector;
    store<i32>(first + (<usize> point << 2), interval);
    for (let part: usize = 0; part < vector; part += 16) {
      let value = polynomial(valueTable + entry + part, vector, place);
      if (slopes || isOutside) {
        let slope = polynomial(slopeTable + entry + part, vector, place);
        if (isOutside && isFlat) slope = v128.splat<Float>(<Float> 0);
        else if (isOutside) {
          const distance = v128.splat<Float>(<Float> (at - inside));
          value = v128.add<Float>(value, v128.mul<Float>(distance, slope));
        }
        if (slopes) v128.store(slopes + offset + part, slope);
      }
      v128.store(values + offset + part, value);
    }
  }
}

/** The cubic polynomials whose coefficients stand in four rows, the constants first. */
function polynomial(coefficients: usize, row: usize, place: v128): v128 {
  let value = v128.load(coefficients + 3 * row);
  for (let power: usize = 3; power > 0; power--) {
    const lower = v128.load(coefficients + (power - 1) * row);
    value = v128.add<Float>(v128.mul<Float>(value, place), lower);
  }
  return value;
}

/** Multiplies values [inputs, size, outputs] by the factors of their edges [inputs, outputs]. */
export function multiply(
  inputs: i32,
  size: i32,
  outputs: i32,
  values: usize,
  factors: usize,
): void {
  const width = <usize> sizeof<Float>(), stride = <usize> outputs * width, whole = stride & ~15;
  for (let i = 0; i < inputs; i++, factors += stride) {
    for (let j = 0; j < size; j++, values += stride) {
      let at: usize = 0;
      for (; at < whole; at += 16) {
        const product = v128.mul<Float>(v128.load(values + at), v128.load(factors + at));
        v128.store(values + at, product);
      }
      for (; at < stride; at += width) {
        store<Float>(values + at, load<Float>(values + at) * load<Float>(factors + at));
      }
    }
  }
}

/** Adds the products of two arrays [inputs, size, outputs] to the sums of their edges [inputs, outputs]. */
export function addProducts(
  inputs: i32,
  size: i32,
  outputs: i32,
  left: usize,
  right: usize,
  sums: usize,
): void {
  const width = <usize> sizeof<Float>(), stride = <usize> outputs * width, whole = stride & ~15;
  for (let i = 0; i < inputs; i++, sums += stride) {
    for (let j = 0; j < size; j++, left += stride, right += stride) {
      let at: usize = 0;
      for (; at < whole; at += 16) addTo(sums + at, v128.load(left + at), v128.load(right + at));
      for (; at < stride; at += width) {
        const product = load<Float>(left + at) * load<Float>(right + at);
        store<Float>(sums + at, load<Float>(sums + at) + product);
      }
    }
  }
}
