import assert from "node:assert";
import { join } from "node:path";
import { openFile } from "./file_source.ts";
import { encodeSafetensors, type TensorBytes } from "./safetensors_encode.ts";
import { openSafetensors } from "./safetensors_file.ts";
import { writeSafetensors } from "./safetensors_write.ts";
import { TemporaryFolder } from "./testdata/temporary_folder.ts";

const tensors: readonly TensorBytes[] = [
  { name: "small", dtype: "U8", shape: [3], bytes: Uint8Array.of(1, 2, 3) },
  { name: "wide", dtype: "F64", shape: [], bytes: new Uint8Array(8).fill(4) },
  { name: "half", dtype: "BF16", shape: [1, 2], bytes: Uint8Array.of(5, 6, 7, 8) },
  { name: "tiny", dtype: "F8_E4M3", shape: [1], bytes: Uint8Array.of(9) },
];

Deno.test("a file written tensor by tensor has the bytes of one encoded in memory", async () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "model.safetensors");
  let alive = 0;
  const lazy = tensors.map((tensor) => ({
    ...tensor,
    bytes: () => {
      alive++;
      return Promise.resolve(tensor.bytes);
    },
  }));
  await writeSafetensors(path, lazy, { format: "pt" });
  assert.equal(alive, tensors.length);
  assert.deepStrictEqual(Deno.readFileSync(path), encodeSafetensors(tensors, { format: "pt" }));
  const file = await openSafetensors(await openFile(path));
  assert.deepStrictEqual(file.tensors.map(({ name }) => name), ["wide", "half", "small", "tiny"]);
});

Deno.test("the header is a multiple of 8 bytes long, padded by spaces", () => {
  for (let length = 0; length < 9; length++) {
    const file = encodeSafetensors([], { name: "x".repeat(length) });
    assert.equal(file.length % 8, 0);
    assert.match(new TextDecoder().decode(file.subarray(8)), /^\{.*\} *$/);
  }
});

Deno.test("tensors that make no valid file are refused", () => {
  const [tensor] = tensors as [TensorBytes];
  const cases: readonly [TensorBytes[], RegExp][] = [
    [[tensor, tensor], /^tensor "small": the name is taken; rename it$/],
    [
      [{ ...tensor, name: "__metadata__" }],
      /^tensor "__metadata__": the name is taken; rename it$/,
    ],
    [
      [{ ...tensor, shape: [2, 2] }],
      /^tensor "small" of shape \[2, 2\] needs 4 bytes as U8, and was given 3$/,
    ],
    [
      [{ ...tensor, shape: [-3] }],
      /^tensor "small" has the shape \[-3\], which is not a list of natu/,
    ],
    [[{ ...tensor, name: "\ud800" }], /^tensor "\\ud800": the name is not Unicode; rename it$/],
  ];
  for (const [bad, message] of cases) {
    assert.throws(() => encodeSafetensors(bad), { name: "InputError", message });
  }
});

Deno.test("a tensor that is made in the wrong size leaves no file", async () => {
  using folder = new TemporaryFolder();
  const bad = { ...tensors[1]!, bytes: () => new Uint8Array(7) };
  await assert.rejects(
    writeSafetensors(join(folder.path, "model.safetensors"), [tensors[0]!, bad]),
    {
      name: "InputError",
      message: 'tensor "wide" of shape [] needs 8 bytes as F64, and was given 7',
    },
  );
  assert.deepStrictEqual([...Deno.readDirSync(folder.path)], []);
});
