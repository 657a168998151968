import assert from "node:assert";

/**
 * Asserts that two results have the same parts and that their numbers are at most `tolerance` apart, as
 * a share of the expected ones where those are above 1.
 */
export function assertNear(
  found: unknown,
  expected: unknown,
  tolerance: number,
  path = "result",
): void {
  if (typeof expected === "number") {
    const error = Math.abs(found as number - expected);
    assert.ok(
      error <= tolerance * Math.max(1, Math.abs(expected)),
      `${path}: ${found}, ${expected}`,
    );
  } else if (typeof expected === "object" && expected !== null) {
    assert.deepEqual(Object.keys(found as object), Object.keys(expected), path);
    for (const [key, value] of Object.entries(expected)) {
      assertNear((found as Record<string, unknown>)[key], value, tolerance, `${path}.${key}`);
    }
  } else assert.equal(found, expected, path);
}
