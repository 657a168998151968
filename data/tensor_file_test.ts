import assert from "node:assert";
import { join } from "node:path";
import { encodeSafetensors } from "./safetensors_encode.ts";
import { fromFloat32 } from "./from_float32.ts";
import { assertFiniteTensor } from "./finite.ts";
import { valuePieces } from "./half_values.ts";
import { memorySource } from "./memory_source.ts";
import { openSafetensors } from "./safetensors_file.ts";
import { copyToFile } from "./tensor_file.ts";
import type { WeightSource } from "./tensor.ts";
import { TemporaryFolder } from "./testdata/temporary_folder.ts";
import { weightsDigest } from "./weights_digest.ts";

Deno.test("a tensor in a file has the values, the digest and the errors of one in memory", async () => {
  using folder = new TemporaryFolder();
  const shape = [1500, 1000];
  const data = Float32Array.from({ length: 1_500_000 }, (_, i) => Math.sin(i));
  for (const dtype of ["F16", "BF16", "F32"] as const) {
    const bytes = fromFloat32(dtype, data);
    const file = await openSafetensors(
      memorySource(encodeSafetensors([{ name: "w", dtype, shape, bytes }]), "m.safetensors"),
    );
    const whole = await file.read("w");
    const { tensors, read } = file;
    for (const source of [file, { tensors, read } as WeightSource]) {
      const copy = await copyToFile(source, tensors[0]!, join(folder.path, "w"));
      assert.equal(copy.half!.dtype, dtype);
      assert.deepEqual([copy.dtype, copy.shape], [dtype, shape]);
      assert.deepEqual(copy.data, whole.data);
      assert.ok([...valuePieces(copy)].length > 1);
      const digests = [copy, whole].map((tensor) => weightsDigest(new Map([["w", tensor]])));
      assert.equal(await digests[0], await digests[1]);
    }
  }
});

Deno.test("what 16 bits would change is kept in 32, and NaN is found where it is", async () => {
  using folder = new TemporaryFolder();
  const data = new Float32Array(2 ** 21).fill(1);
  data[2 ** 21 - 3] = 1 + 2 ** -20;
  data[2 ** 20 + 5] = NaN;
  const source: WeightSource = {
    tensors: [{ name: "w", dtype: "BF16", shape: [data.length] }],
    read: () => Promise.resolve({ dtype: "BF16", shape: [data.length], data }),
  };
  const copy = await copyToFile(source, source.tensors[0]!, join(folder.path, "w"));
  assert.equal(copy.half!.dtype, "F32");
  assert.equal(copy.data[2 ** 21 - 3], 1 + 2 ** -20);
  assert.throws(() => assertFiniteTensor("w", copy), /has the value NaN at element 1048581/);
});
