import { isScaled, readRight, rightArray, type RightType, scalesBinding } from "./right_operand.ts";

/** How the elements of an operand lie in memory. */
export type OperandLayout =
  /** Consecutive along the axis that is summed over. */
  | "alongInner"
  /** Consecutive along the rows or columns of the result. */
  | "alongResult";

/** Which variant of the matrix product is wanted. */
export interface ProductVariant {
  /** The left operand. */
  readonly left: OperandLayout;
  /** The right operand. */
  readonly right: OperandLayout;
  /** Elements of the right operand. */
  readonly rightType: RightType;
  /** Whether a vector is added to each row of the result. */
  readonly bias: boolean;
  /** Whether the product is added to what the result holds. */
  readonly adds: boolean;
  /**
   * What of a causal square matrix need not be computed: `above` leaves out tiles of the result above
   * the diagonal (and before the sliding window); `leftAbove` and `leftBelow` sum over the part of
   * the left operand that is not above, or (transposed) below its diagonal.
   */
  readonly skips: "none" | "above" | "leftAbove" | "leftBelow";
  /** Rows and columns of a tile. */
  readonly tile: readonly [64 | 128, 64 | 128];
}

/** Sizes of tiles that programs are made for, small ones first. */
export const tileSizes: readonly ProductVariant["tile"][] = [[64, 64], [128, 64], [128, 128]];

/** Values of the inner axis that are in a tile at once. */
const depth = 16;

/** Threads of a workgroup; they stand 16 by 16 in the tile. */
const threads = 256;

/** The uniform numbers of a matrix product, in order; places and strides are in 4 elements. */
export const productNumbers = [
  "rows",
  "columns",
  "inner",
  "firstMatrix",
  "heads",
  "window",
  "rowsFirst",
  ...["left", "right", "result"].flatMap((operand) =>
    ["Start", "Stride", "PerMatrix", "PerSequence", "PerHead", "Group"].map((name) =>
      operand + name
    )
  ),
] as const;

/**
 * WGSL of a matrix product with float32 sums. Each workgroup makes a tile of the result, each thread
 * 4 × 4, 4 × 8 or 8 × 8 values of it, in registers: every loop over them is written out, since
 * arrays that are indexed by variables go to memory, and are checked against their bounds.
 */
export function productCode(variant: ProductVariant): string {
  const { rightType, bias, adds, skips, tile: [tileRows, tileColumns] } = variant;
  const [rowQuads, columnQuads] = [tileRows / 4, tileColumns / 4];
  const [rowParts, columnParts] = [tileRows / 64, tileColumns / 64];
  const each = (count: number, text: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => text(index)).join("\n");
  const sums = (text: (row: number, part: number) => string) =>
    each(4 * rowParts, (row) => each(columnParts, (part) => text(row, part)));
  return `
struct Numbers {
  ${productNumbers.map((name) => `${name}: u32,`).join("\n  ")}
  factor: f32,
}
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> left: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> right: ${rightArray(rightType)};
@group(0) @binding(3) var<storage, read_write> result: array<vec4<f32>>;
${scalesBinding(rightType, 4)}
${
    bias
      ? `@group(0) @binding(${
        isScaled(rightType) ? 5 : 4
      }) var<storage, read> bias: array<vec4<f32>>;`
      : ""
  }
var<workgroup> leftTile: array<vec4<f32>, ${depth * rowQuads}>;
var<workgroup> rightTile: array<vec4<f32>, ${depth * columnQuads}>;

fn place(start: u32, perMatrix: u32, perSequence: u32, perHead: u32, group: u32, z: u32) -> u32 {
  let matrix = z + numbers.firstMatrix;
  return start + z * perMatrix + matrix / numbers.heads * perSequence +
    matrix % numbers.heads / group * perHead;
}
${readRight(rightType, "right")}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let tile = select(group.xy, group.yx, numbers.rowsFirst != 0u);
  let firstColumn = tile.x * ${tileColumns}u;
  let firstRow = tile.y * ${tileRows}u;
  ${
    skips === "above"
      ? `if (firstColumn >= firstRow + ${tileRows}u) { return; }
  if (firstColumn + ${tileColumns - 1}u + numbers.window <= firstRow) { return; }`
      : ""
  }
  let leftPlace = place(numbers.leftStart, numbers.leftPerMatrix, numbers.leftPerSequence,
    numbers.leftPerHead, numbers.leftGroup, group.z);
  let rightPlace = place(numbers.rightStart, numbers.rightPerMatrix, numbers.rightPerSequence,
    numbers.rightPerHead, numbers.rightGroup, group.z);
  let resultPlace = place(numbers.resultStart, numbers.resultPerMatrix, numbers.resultPerSequence,
    numbers.resultPerHead, numbers.resultGroup, group.z);
  // Eight neighbours read neighbouring columns, so that no two of them meet in a memory bank.
  let column = thread % 8u + 8u * (thread / 32u % 2u);
  let row = thread / 8u % 4u + 4u * (thread / 64u);
  var part0 = vec4<f32>();
  var part1 = vec4<f32>();
  var part2 = vec4<f32>();
  var part3 = vec4<f32>();
  ${sums((r, part) => `var sum${r}_${part} = vec4<f32>();`)}
  let begin = ${
    skips === "leftBelow"
      ? "firstRow"
      : skips === "leftAbove"
      ? `select(0u, (firstRow + 1u - numbers.window) / ${depth}u * ${depth}u, firstRow + 1u > numbers.window)`
      : "0u"
  };
  let end = ${
    skips === "leftAbove"
      ? `min(numbers.inner, firstRow + ${tileRows}u)`
      : skips === "leftBelow"
      ? `min(numbers.inner, select(numbers.inner, firstRow + ${
        tileRows - 1
      }u + numbers.window, numbers.window < numbers.inner))`
      : "numbers.inner"
  };
  for (var inner = begin; inner < end + ${depth}u; inner += ${depth}u) {
    // What was read in the last round goes to the tiles while the next is on its way.
    if (inner > begin) {
      ${storeTiles(variant)}
      workgroupBarrier();
    }
    if (inner < end) {
      ${loadTiles(variant)}
    }
    if (inner > begin) {
      ${
    each(depth, (k) =>
      `{
      ${each(rowParts, (part) => `let left${part} = leftTile[${k * rowQuads + 16 * part}u + row];`)}
      ${
        each(columnParts, (part) =>
          `let right${part} = rightTile[${k * columnQuads + 16 * part}u + column];`)
      }
      ${
        sums((r, part) =>
          `sum${r}_${part} = fma(vec4<f32>(left${r >> 2}.${
            "xyzw"[r & 3]
          }), right${part}, sum${r}_${part});`
        )
      }
      }`)
  }
      workgroupBarrier();
    }
  }
  ${
    sums((r, part) =>
      `{
    let atRow = firstRow + ${64 * (r >> 2) + (r & 3)}u + 4u * row;
    let atColumn = firstColumn / 4u + ${16 * part}u + column;
    if (atRow < numbers.rows && 4u * atColumn < numbers.columns) {
      let at = resultPlace + atRow * numbers.resultStride + atColumn;
      result[at] = ${adds ? "result[at] + " : ""}numbers.factor * sum${r}_${part}${
        bias ? " + bias[atColumn]" : ""
      };
    }
  }`
    )
  }
}
`;
}

/** Which of the threads brings which 4 × 4 values, or 4 groups of 4 values, of a tile. */
function loadTiles({ left, right, tile: [tileRows, tileColumns] }: ProductVariant): string {
  return `if (thread < ${tileRows}u) {
        ${loadOperand("left", left, tileRows, "thread", "left[AT]")}
      } else if (thread < ${tileRows + tileColumns}u) {
        ${
    loadOperand("right", right, tileColumns, `(thread - ${tileRows}u)`, "readRight(AT, OWN, QUAD)")
  }
      }`;
}

function storeTiles({ left, right, tile: [tileRows, tileColumns] }: ProductVariant): string {
  return `if (thread < ${tileRows}u) {
        ${storeOperand("left", left, tileRows, "thread")}
      } else if (thread < ${tileRows + tileColumns}u) {
        ${storeOperand("right", right, tileColumns, `(thread - ${tileRows}u)`)}
      }`;
}

/**
 * Numbers of the 4 × 4 block that a thread brings of an operand that lies along the inner axis: 16
 * threads beside each other write beside each other.
 */
function blockOf(width: number, thread: string): string {
  return width === 128
    ? `let own = ${thread} % 16u + 16u * (${thread} / 32u % 2u);
        let quad = ${thread} / 16u % 2u + 2u * (${thread} / 64u);`
    : `let own = ${thread} % 16u;
        let quad = ${thread} / 16u;`;
}

function loadOperand(
  name: "left" | "right",
  layout: OperandLayout,
  width: number,
  thread: string,
  read: string,
): string {
  const [first, count] = name === "left"
    ? ["firstRow", "numbers.rows"]
    : ["firstColumn", "numbers.columns"];
  const steps = [0, 1, 2, 3];
  if (layout === "alongInner") {
    return `${blockOf(width, thread)}
        let at = ${first} + 4u * own;
        let source = ${name}Place + at * numbers.${name}Stride + inner / 4u + quad;
        let inside = inner + 4u * quad < end;
        ${
      steps.map((i) =>
        `part${i} = vec4<f32>();
        if (inside && at + ${i}u < ${count}) { part${i} = ${
          read.replace("AT", `source + ${i}u * numbers.${name}Stride`)
            .replace("OWN", `at + ${i}u`).replace("QUAD", "inner / 4u + quad")
        }; }`
      ).join("\n        ")
    }`;
  }
  const quads = width / 4;
  return `let at = ${first} / 4u + ${thread} % ${quads}u;
        let inside = 4u * at < ${count};
        let source = inner + ${thread} / ${quads}u;
        ${
    steps.map((i) =>
      `part${i} = vec4<f32>();
        if (inside && source + ${4 * i}u < end) { part${i} = ${
        read.replace("AT", `${name}Place + (source + ${4 * i}u) * numbers.${name}Stride + at`)
          .replace("OWN, QUAD", "0u, 0u")
      }; }`
    ).join("\n        ")
  }`;
}

function storeOperand(
  name: "left" | "right",
  layout: OperandLayout,
  width: number,
  thread: string,
): string {
  const quads = width / 4;
  const steps = [0, 1, 2, 3];
  if (layout === "alongInner") {
    return `${blockOf(width, thread)}
        ${
      steps.map((i) => {
        const component = "xyzw"[i];
        return `${name}Tile[(4u * quad + ${i}u) * ${quads}u + own] = ` +
          `vec4(part0.${component}, part1.${component}, part2.${component}, part3.${component});`;
      }).join("\n        ")
    }`;
  }
  return steps.map((i) => `${name}Tile[${thread} + ${i * width}u] = part${i};`)
    .join("\n        ");
}
