/** Threads of the programs whose workgroups go through one row. */
export const rowThreads = 128;

/**
 * WGSL of a function that combines one value of each thread, in an order that is always the same:
 * `name(thread, value)`. `combine` is an expression of `a` and `b`. To be called where all threads come
 * by.
 */
export function reduction(
  name: string,
  combine: string,
  threads = rowThreads,
  type: "f32" | "u32" = "f32",
): string {
  const steps: string[] = [];
  for (let width = threads / 2; width >= 1; width /= 2) {
    steps.push(`if (thread < ${width}u) {
    let a = ${name}Values[thread];
    let b = ${name}Values[thread + ${width}u];
    ${name}Values[thread] = ${combine};
  }
  workgroupBarrier();`);
  }
  return `var<workgroup> ${name}Values: array<${type}, ${threads}>;
fn ${name}(thread: u32, value: ${type}) -> ${type} {
  ${name}Values[thread] = value;
  workgroupBarrier();
  ${steps.join("\n  ")}
  let combined = ${name}Values[0];
  workgroupBarrier();
  return combined;
}`;
}

/** Workgroups for a number of rows, which may be more than one axis takes. */
export function rowWorkgroups(rows: number): [number, number, number] {
  const width = Math.min(rows, 32768);
  return [width, Math.ceil(rows / width), 1];
}

/** WGSL of a row's number in programs that are started with {@linkcode rowWorkgroups}. */
export const rowOfWorkgroup = "group.x + group.y * 32768u";
