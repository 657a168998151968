import assert from "node:assert";
import { InputError } from "../../data/input_error.ts";
import { coefficientCount } from "../entropy/symbol_model.ts";
import { type KeptPass, packPass, unpackPass } from "./packed_pass.ts";

const HASH = "a".repeat(64);
const SHAPE = { quantizers: 2, matrices: [{ rows: 40_000, columns: 3 }], codes: 1 } as const;
const PASS: KeptPass = {
  model: { quantizers: 2, coefficients: new Int32Array(coefficientCount(2)).fill(-7) },
  scales: [{ rows: new Int32Array(40_000).fill(3), columns: new Int32Array(3) }],
  codes: [{ key: HASH, blobs: [`blob-${HASH}`], length: 100, sha256: HASH }],
  replaced: [`quantize-${HASH}`, `refine-${HASH}`, `task-${HASH}`, `blob-${HASH}`],
};

Deno.test("a pass comes back as it was, in one entry", async () => {
  assert.deepEqual(await unpackPass("pass-1", await packPass(PASS), SHAPE), PASS);
});

Deno.test("a pass that cannot be of its matrices is refused by its name", async () => {
  const [code] = PASS.codes, [scales] = PASS.scales;
  const forged: unknown[] = [
    { ...PASS, model: { ...PASS.model, quantizers: 1 } },
    { ...PASS, model: { ...PASS.model, coefficients: new Int32Array(3) } },
    { ...PASS, model: null },
    { ...PASS, scales: [] },
    { ...PASS, scales: [null] },
    { ...PASS, scales: [{ ...scales, rows: new Int32Array(3) }] },
    { ...PASS, scales: [{ ...scales, columns: Int32Array.of(0, 0, 1 << 20) }] },
    { ...PASS, scales: [{ ...scales, columns: new Float32Array(3) }] },
    { ...PASS, codes: [] },
    { ...PASS, codes: [code, code] },
    { ...PASS, codes: [{ ...code, length: -1 }] },
    { ...PASS, codes: [{ ...code, length: "100" }] },
    { ...PASS, codes: [{ ...code, blobs: "blob-1" }] },
    { ...PASS, codes: [{ ...code, key: "../1" }] },
    { ...PASS, replaced: ["calibration-1"] },
    { ...PASS, replaced: {} },
    null,
  ];
  for (const pass of forged) {
    const bytes = await packPass(pass as KeptPass);
    await assert.rejects(
      unpackPass("pass-1", bytes, SHAPE),
      (error) =>
        error instanceof InputError && /^pass-1: is not what a pass gives/.test(error.message),
    );
  }
});
