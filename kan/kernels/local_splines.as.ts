// AssemblyScript, see kernels/build_kernels.ts.
//
// T is f32 or f64. Shapes: first [rows, inputs] i32; values, slopes [rows, inputs, support]; base values
// and slopes [rows, inputs]; weights and their gradients [inputs, size, outputs]; base weights and their
// gradients [inputs, outputs]; sums and their gradients [rows, outputs]; edges and their gradients
// [rows, inputs, outputs]; input gradients [rows, inputs]. Addresses are bytes; those of base weights and
// of edges are 0 if there are none, that of slopes if no input gradients are wanted. Blocks of rows keep the weights of an input in the cache.

const BLOCK: i32 = 32;

/** Adds the edges to the sums, and writes them. */
function forward<T>(
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
  const width = sizeof<T>(), stride = <usize> outputs * width;
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
        const base = baseWeights ? load<T>(bases + point * width) : <T> 0;
        const value0 = v128.splat<T>(load<T>(value)), manyBases = v128.splat<T>(base);
        const value1 = v128.splat<T>(isCubic ? load<T>(value + width) : <T> 0);
        const value2 = v128.splat<T>(isCubic ? load<T>(value + 2 * width) : <T> 0);
        const value3 = v128.splat<T>(isCubic ? load<T>(value + 3 * width) : <T> 0);
        let at: usize = 0;
        for (; at < whole; at += 16) {
          let from = weight + at;
          let curve = v128.mul<T>(value0, v128.load(from));
          if (isCubic) {
            curve = addProduct<T>(curve, value1, from += stride);
            curve = addProduct<T>(curve, value2, from += stride);
            curve = addProduct<T>(curve, value3, from += stride);
          } else {
            for (let j = 1; j < support; j++) {
              const factor = v128.splat<T>(load<T>(value + <usize> j * width));
              curve = addProduct<T>(curve, factor, from += stride);
            }
          }
          if (baseWeights) curve = addProduct<T>(curve, manyBases, baseWeight + at);
          if (edges) v128.store(edge + at, curve);
          v128.store(sum + at, v128.add<T>(v128.load(sum + at), curve));
        }
        for (; at < stride; at += width) {
          let from = weight + at;
          let curve = load<T>(value) * load<T>(from);
          for (let j = 1; j < support; j++) {
            from += stride;
            curve += load<T>(value + <usize> j * width) * load<T>(from);
          }
          if (baseWeights) curve += base * load<T>(baseWeight + at);
          if (edges) store<T>(edge + at, curve);
          store<T>(sum + at, load<T>(sum + at) + curve);
        }
      }
    }
  }
}

/** Adds to the gradients of the weights and, given slopes, writes those of the inputs. */
function backward<T>(
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
  const width = sizeof<T>(), stride = <usize> outputs * width;
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
        const base = baseWeights ? load<T>(bases + point * width) : <T> 0;
        const baseSlope = slopes && baseWeights ? load<T>(baseSlopes + point * width) : <T> 0;
        const manyBases = v128.splat<T>(base), manyBaseSlopes = v128.splat<T>(baseSlope);
        const value0 = v128.splat<T>(load<T>(value));
        const slope0 = v128.splat<T>(slopes ? load<T>(slope) : <T> 0);
        const value1 = v128.splat<T>(isCubic ? load<T>(value + width) : <T> 0);
        const slope1 = v128.splat<T>(slopes && isCubic ? load<T>(slope + width) : <T> 0);
        const value2 = v128.splat<T>(isCubic ? load<T>(value + 2 * width) : <T> 0);
        const slope2 = v128.splat<T>(slopes && isCubic ? load<T>(slope + 2 * width) : <T> 0);
        const value3 = v128.splat<T>(isCubic ? load<T>(value + 3 * width) : <T> 0);
        const slope3 = v128.splat<T>(slopes && isCubic ? load<T>(slope + 3 * width) : <T> 0);
        let products = v128.splat<T>(<T> 0);
        let at: usize = 0;
        for (; at < whole; at += 16) {
          let upstream = v128.load(sumGradient + at);
          if (edgeGradients) upstream = v128.add<T>(upstream, v128.load(edgeGradient + at));
          let curve = v128.splat<T>(<T> 0);
          if (isCubic) {
            const next = at + stride, third = next + stride, last = third + stride;
            if (slopes) {
              curve = v128.mul<T>(slope0, v128.load(weight + at));
              curve = addProduct<T>(curve, slope1, weight + next);
              curve = addProduct<T>(curve, slope2, weight + third);
              curve = addProduct<T>(curve, slope3, weight + last);
            }
            addTo<T>(weightGradient + at, value0, upstream);
            addTo<T>(weightGradient + next, value1, upstream);
            addTo<T>(weightGradient + third, value2, upstream);
            addTo<T>(weightGradient + last, value3, upstream);
          } else {
            let next = at;
            for (let j = 0; j < support; j++) {
              const place = <usize> j * width;
              if (slopes) {
                const factor = v128.splat<T>(load<T>(slope + place));
                const term = v128.mul<T>(factor, v128.load(weight + next));
                curve = j == 0 ? term : v128.add<T>(curve, term);
              }
              addTo<T>(weightGradient + next, v128.splat<T>(load<T>(value + place)), upstream);
              next += stride;
            }
          }
          if (baseWeights) addTo<T>(baseGradient + at, manyBases, upstream);
          if (!slopes) continue;
          if (baseWeights) curve = addProduct<T>(curve, manyBaseSlopes, baseWeight + at);
          products = v128.add<T>(products, v128.mul<T>(curve, upstream));
        }
        let inputGradient = v128.extract_lane<T>(products, 0) + v128.extract_lane<T>(products, 1);
        if (sizeof<T>() == 4) {
          inputGradient += v128.extract_lane<T>(products, sizeof<T>() == 4 ? 2 : 0);
          inputGradient += v128.extract_lane<T>(products, sizeof<T>() == 4 ? 3 : 0);
        }
        for (; at < stride; at += width) {
          let upstream = load<T>(sumGradient + at);
          if (edgeGradients) upstream += load<T>(edgeGradient + at);
          let curve: T = 0;
          let next = at;
          for (let j = 0; j < support; j++) {
            const place = <usize> j * width;
            if (slopes) {
              const term = load<T>(slope + place) * load<T>(weight + next);
              curve = j == 0 ? term : curve + term;
            }
            const target = weightGradient + next;
            store<T>(target, load<T>(target) + load<T>(value + place) * upstream);
            next += stride;
          }
          if (baseWeights) {
            if (slopes) curve += baseSlope * load<T>(baseWeight + at);
            store<T>(baseGradient + at, load<T>(baseGradient + at) + base * upstream);
          }
          inputGradient += curve * upstream;
        }
        if (slopes) store<T>(inputGradients + point * width, inputGradient);
      }
    }
  }
}

/** vector + factors * the vector at an address. */
function addProduct<T>(vector: v128, factors: v128, source: usize): v128 {
  return v128.add<T>(vector, v128.mul<T>(factors, v128.load(source)));
}

/** Adds factors * vector to the vector at an address. */
function addTo<T>(target: usize, factors: v128, vector: v128): void {
  v128.store(target, v128.add<T>(v128.load(target), v128.mul<T>(factors, vector)));
}

export function forward32(
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
  forward<f32>(
    rows,
    inputs,
    outputs,
    size,
    support,
    first,
    values,
    bases,
    weights,
    baseWeights,
    sums,
    edges,
  );
}

export function forward64(
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
  forward<f64>(
    rows,
    inputs,
    outputs,
    size,
    support,
    first,
    values,
    bases,
    weights,
    baseWeights,
    sums,
    edges,
  );
}

export function backward32(
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
  backward<f32>(
    rows,
    inputs,
    outputs,
    size,
    support,
    first,
    values,
    slopes,
    bases,
    baseSlopes,
    weights,
    baseWeights,
    sumGradients,
    edgeGradients,
    weightGradients,
    baseGradients,
    inputGradients,
  );
}

export function backward64(
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
  backward<f64>(
    rows,
    inputs,
    outputs,
    size,
    support,
    first,
    values,
    slopes,
    bases,
    baseSlopes,
    weights,
    baseWeights,
    sumGradients,
    edgeGradients,
    weightGradients,
    baseGradients,
    inputGradients,
  );
}
