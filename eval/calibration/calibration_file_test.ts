import assert from "node:assert";
import { join } from "node:path";
import { InputError, openFile, openSafetensors } from "../../data/mod.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import type { Calibration, LinearCalibration } from "./calibration.ts";
import { readCalibration, writeCalibration } from "./calibration_file.ts";
import {
  packCalibration,
  type PackedCalibration,
  unpackCalibration,
} from "./packed_calibration.ts";

const random = createRandom(2);

function vector(length: number): Float64Array {
  return Float64Array.from({ length }, () => random.normal() ** 2);
}

function symmetric(size: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      matrix[i * size + j] = matrix[j * size + i] = random.normal();
    }
  }
  return matrix;
}

/** Two layers that share their inputs, and one of other inputs and without a backward pass. */
function smallCalibration(): Calibration {
  const shared = symmetric(5);
  const linear = (
    hessian: Float64Array,
    sharedWith: string[],
    outputs?: number,
  ): LinearCalibration => ({
    inputAxis: outputs === undefined ? 0 : 1,
    hessian,
    sharedWith,
    tokens: 70,
    ...(outputs !== undefined && {
      fisher: vector(outputs),
      outputMoments: [{ start: 0, moment: symmetric(outputs) }],
    }),
  });
  return {
    tokens: 70,
    contextLength: 7,
    linears: new Map([
      ["q", linear(shared, ["k"], 3)],
      ["down", linear(symmetric(4), [])],
      ["k", linear(shared, ["q"], 2)],
    ]),
    tokenFrequencies: vector(11),
    embeddingMoment: symmetric(5),
  };
}

/** With Hessians and output moments as plain fields, changed by `round`. */
function plain(
  { linears, embeddingMoment, ...rest }: Calibration,
  round: (matrix: Float64Array) => Float64Array = (matrix) => matrix,
) {
  return {
    ...rest,
    embeddingMoment: round(embeddingMoment!),
    linears: [...linears].map(([name, { hessian, outputMoments, ...linear }]) => ({
      name,
      ...linear,
      hessian: round(hessian),
      blocks: outputMoments?.map(({ start, moment }) => ({ start, moment: round(moment) })),
    })),
  };
}

Deno.test("packing keeps everything, Hessians at float32 and shared ones once", () => {
  const calibration = smallCalibration();
  const packed = packCalibration(calibration);
  assert.deepEqual(packed.moments.map(({ size }) => size), [5, 3, 4, 2, 5]);
  const rounded = plain(calibration, (matrix) => matrix.map(Math.fround));
  assert.deepEqual(plain(unpackCalibration(packed)), rounded);
});

Deno.test("a calibration that is kept comes back to the bit, as a valid safetensors file", async () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "c.safetensors");
  const calibration = packCalibration(smallCalibration());
  const tokens = Int32Array.from([3, 1, 2]);
  assert.equal(await readCalibration(path, "key"), undefined);
  await writeCalibration(path, "key", { calibration, tokens });
  assert.deepEqual(await readCalibration(path, "key"), { calibration, tokens });
  const { tensors } = await openSafetensors(await openFile(path));
  assert.deepEqual(tensors.find(({ name }) => name === "moments.2")!.shape, [10]);
});

Deno.test("a damaged or foreign calibration is refused with its path", async () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "c.safetensors");
  const calibration = packCalibration(smallCalibration());
  await writeCalibration(path, "key", { calibration, tokens: Int32Array.of(1) });
  const refused = (what: RegExp, key = "key") =>
    assert.rejects(readCalibration(path, key), (error) => {
      assert.ok(error instanceof InputError && error.message.startsWith(path), `${error}`);
      return what.test(error.message);
    });
  await refused(/of another model, text or version; remove it/, "other");
  const whole = await Deno.readFile(path);
  const header = new TextDecoder().decode(whole);
  const places = ["contextLength", '"fisher.2"', "fisher.0", '"shape":[10]', '"F64"'];
  for (
    const at of [
      ...places.map((text) => header.indexOf(text) + 1),
      -3 + whole.length,
      -200 + whole.length,
    ]
  ) {
    assert.ok(at > 0);
    const damaged = whole.slice();
    damaged[at] = damaged[at]! ^ 1;
    await Deno.writeFile(path, damaged);
    await refused(/damaged|another|safetensors|tensor/);
  }
  for (const length of [0, 30, whole.length - 8]) {
    await Deno.writeFile(path, whole.slice(0, length));
    await refused(/./);
  }
});

Deno.test("a calibration that contradicts itself is refused though its hashes fit", async () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "c.safetensors");
  const calibration = packCalibration(smallCalibration());
  const [first, ...others] = calibration.linears;
  const wrong: Partial<PackedCalibration>[] = [
    { linears: [{ ...first!, moment: 99 }, ...others] },
    { linears: [{ ...first!, outputMoments: [{ start: -1, moment: 0 }] }, ...others] },
    { moments: calibration.moments.map(({ triangle }) => ({ size: 7, triangle })) },
    { embeddingMoment: 1.5 },
    { tokens: NaN },
  ];
  for (const change of wrong) {
    const kept = { calibration: { ...calibration, ...change }, tokens: Int32Array.of(1) };
    await writeCalibration(path, "key", kept);
    await assert.rejects(readCalibration(path, "key"), (error) => {
      return error instanceof InputError && error.message.startsWith(`${path}: `);
    }, Object.keys(change).join());
  }
});
