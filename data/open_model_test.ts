import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { embeddedModelPath } from "./embedded_model.ts";
import { openCompanions, openModel, parseHubName } from "./open_model.ts";
import { encodeSafetensors } from "./safetensors_encode.ts";
import { fileToWrite } from "./gguf/testdata/file_to_write.ts";
import { ggufBytes, numberValue } from "./gguf/testdata/gguf_bytes.ts";
import layers from "./quantized/testdata/layers.json" with { type: "json" };
import { type DType, elementCount } from "./tensor.ts";
import { TemporaryFolder } from "./testdata/temporary_folder.ts";

const shared = fileURLToPath(new URL("../../shared/", import.meta.url));
const encoder = new TextEncoder();

const weights = encodeSafetensors([
  { name: "w", dtype: "F32", shape: [1], bytes: new Uint8Array(4) },
]);

type Files = Readonly<Record<string, string | Uint8Array>>;
const goodFiles: Files = { "config.json": "{}", "model.safetensors": weights };

/** Runs with a temporary model folder of the given files. */
async function withFolder(files: Files, run: (folder: string) => Promise<void>): Promise<void> {
  using folder = new TemporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    Deno.writeFileSync(join(folder.path, name), bytes);
  }
  await run(folder.path);
}

async function rejection(path: string): Promise<string> {
  try {
    await openModel(path);
  } catch (error) {
    assert(error instanceof Error);
    assert.equal(error.name, "InputError", `${error.stack}`);
    assert(!error.message.includes("\n"));
    return error.message;
  }
  return assert.fail("was accepted");
}

Deno.test("without a path the embedded model is meant", async () => {
  assert.equal((await openModel()).path, embeddedModelPath());
});

Deno.test({
  name: "a model in shards is opened by its folder or its index",
  ignore: !existsSync(join(shared, "fixtures")),
  async fn() {
    const model = await openModel(join(shared, "fixtures/gpt2-random-f16-sharded"));
    assert.equal(model.originalBytes, 54600 + 57688 + 57688 + 19112);
    const counts = model.weights.tensors.map(({ shape }) => elementCount(shape));
    assert.equal(counts.reduce((sum, count) => sum + count), 92640);
    const wte = await model.weights.read("transformer.wte.weight");
    assert.equal(wte.dtype, "F16");
    assert.equal(wte.data.length, wte.shape[0]! * wte.shape[1]!);
    await assert.rejects(model.weights.read("nothing"), /lists no tensor "nothing"/);
    await assert.rejects(model.tokenizer(), /gpt2-random-f16-sharded: has no tokenizer.json/);
    const byIndex = await openModel(
      join(shared, "fixtures/gpt2-random-f16-sharded/model.safetensors.index.json"),
    );
    assert.deepStrictEqual(byIndex.weights.tensors, model.weights.tensors);
  },
});

Deno.test("a weights file in a folder is a model too", async () => {
  const files = { ...goodFiles, "other.safetensors": weights };
  await withFolder(files, async (folder) => {
    const model = await openModel(join(folder, "other.safetensors"));
    assert.equal(model.path, folder);
    assert.deepStrictEqual((await model.weights.read("w")).data, Float32Array.of(0));
  });
});

const badFolders: readonly [string, Files, RegExp][] = [
  ["without config.json", { "model.safetensors": weights }, /: has no config.json; name the/],
  ["without weights", { "config.json": "{}" }, /: has no .safetensors weights; add model/],
  [
    "with PyTorch weights only",
    { "config.json": "{}", "pytorch_model.bin": "" },
    /: has no .safetensors weights, only pytorch_model.bin; convert them to safetensors/,
  ],
  [
    "with compressed weights only",
    { "config.json": "{}", "model.kan.safetensors": "" },
    /: has no .safetensors weights but the compressed model.kan.safetensors; decompress it/,
  ],
  [
    "with several weights files and no index",
    { "config.json": "{}", "a.safetensors": weights, "b.safetensors": weights },
    /: has 2 .safetensors files and no index; name one of them, such as .*a.safetensors/,
  ],
  [
    "with parts and no index",
    {
      "config.json": "{}",
      "model-00001-of-00002.safetensors": weights,
      "model-00002-of-00002.safetensors": weights,
    },
    /: has the 2 parts of a model, but not .*; add model.safetensors.index.json from where/,
  ],
  [
    "with one part and no index",
    { "config.json": "{}", "model-00002-of-00003.safetensors": weights },
    /: has 1 of the 3 parts of a model, .*; add the other parts and model.safetensors.index.json/,
  ],
  [
    "with an adapter only",
    { "adapter_config.json": "{}", "adapter_model.safetensors": weights },
    /: holds an adapter \(PEFT, .* merge_and_unload/,
  ],
  [
    "with an adapter beside a config.json",
    { "config.json": "{}", "adapter_config.json": "{}", "adapter_model.safetensors": weights },
    /: holds an adapter \(PEFT, .* merge_and_unload/,
  ],
  [
    "with an empty GGUF file",
    { "model.Q4_K_M.gguf": "" },
    /model.Q4_K_M.gguf: begins with "", not GGUF/,
  ],
  [
    "with several GGUF files",
    { "a-Q4_0.gguf": "", "a-Q8_0.gguf": "", "mmproj-a.gguf": "" },
    /: has 2 GGUF models; name one of them: a-Q4_0.gguf, a-Q8_0.gguf$/,
  ],
  [
    "with a part of a GGUF model",
    { "a-00001-of-00002.gguf": "" },
    /: has not all 2 parts of a: a-00002-of-00002.gguf is missing; add it/,
  ],
  ["of the hub's cache", { snapshots: "", blobs: "", refs: "" }, /name a folder in its snapshots/],
  [
    "with a web page as config.json",
    { ...goodFiles, "config.json": "<!DOCTYPE html>" },
    /a web pa/,
  ],
  [
    "with a config.json that nests without end",
    { ...goodFiles, "config.json": `{"a":${"[".repeat(1e6)}` },
    /config.json: is not valid JSON \(it nests objects and lists more than 500 deep\)/,
  ],
  ["with a broken config.json", { ...goodFiles, "config.json": "{" }, /config.json: is not valid/],
  ["with a config.json of a list", { ...goodFiles, "config.json": "[]" }, /should be a JSON obj/],
  ["with a config.json in Latin-1", {
    ...goodFiles,
    "config.json": Uint8Array.of(0x22, 0xe9, 0x22),
  }, /config.json: is not valid JSON \(it is not UTF-8\)/],
  ["with empty weights", { ...goodFiles, "model.safetensors": "" }, /model.safetensors: only 0 b/],
];

for (const [name, files, message] of badFolders) {
  Deno.test(`a model folder ${name} is refused`, async () => {
    await withFolder(files, async (folder) => {
      assert.match(await rejection(folder), message);
    });
  });
}

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" +
  `${"4d7a2146".repeat(8)}\nsize 12345\n`;

Deno.test("a Git LFS pointer is told of in the place of any file", async () => {
  const index = "model.safetensors.index.json";
  for (
    const name of [
      "config.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "merges.txt",
      "tokenizer.model",
      "model.safetensors",
      index,
    ]
  ) {
    const { "model.safetensors": _, ...rest } = goodFiles;
    const files = { ...(name === index ? rest : goodFiles), [name]: pointer };
    await withFolder(files, async (folder) => {
      assert.equal(
        await rejection(folder),
        `${
          join(folder, name)
        }: is a Git LFS pointer in place of the file; fetch it with git lfs pull`,
      );
    });
  }
});

Deno.test("a part, an adapter or a file of another program is told of by its name", async () => {
  const zip = Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0);
  const files: [string, string | Uint8Array, RegExp][] = [
    [
      "model-00001-of-00002.safetensors",
      weights,
      /: is part 1 of the 2 of a model; name its folder$/,
    ],
    ["adapter_model.safetensors", weights, /: is an adapter \(PEFT/],
    ["model.gguf", "GGUF\x03\0\0\0", /model.gguf: its header is cut off in its number of tensors/],
    ["renamed.bin", "GGUF\x03\0\0\0", /renamed.bin: its header is cut off/],
    ["renamed.safetensors", "GGUF\x03\0\0\0aaaaaaaaaaa", /: is a GGUF file .* under another name/],
    ["pytorch_model.bin", zip, /: is a PyTorch file or another archive; convert it/],
    ["model.h5", Uint8Array.of(0x89, 0x48, 0x44, 0x46), /: is an HDF5 file/],
    ["model.safetensors", pointer, /: is a Git LFS pointer/],
  ];
  for (const [name, content, message] of files) {
    await withFolder({ ...goodFiles, [name]: content }, async (folder) => {
      assert.match(await rejection(join(folder, name)), message);
    });
  }
  const sole = { "config.json": "{}", "model-00001-of-00001.safetensors": weights };
  await withFolder(sole, async (folder) => {
    assert.equal((await openModel(folder)).weights.tensors.length, 1);
  });
});

Deno.test("files that are not models are refused", async () => {
  await withFolder({ ...goodFiles, "a.kan.safetensors": weights }, async (folder) => {
    assert.match(
      await rejection(join(folder, "config.json")),
      /config.json: is not a model; name a/,
    );
    assert.match(await rejection(join(folder, "a.kan.safetensors")), /is a compressed model; dec/);
    assert.match(await rejection(join(folder, "missing")), /missing: does not exist/);
  });
});

Deno.test("a broken tokenizer is refused when it is asked for", async () => {
  for (const content of ["{}", "[1", '{"model": {"type": "Magic"}}']) {
    await withFolder({ ...goodFiles, "tokenizer.json": content }, async (folder) => {
      const model = await openModel(folder);
      await assert.rejects(model.tokenizer(), { name: "InputError", message: /tokenizer.json: / });
    });
  }
});

Deno.test("a tokenizer whose vocabulary is not the model's is refused", async () => {
  const tokenizer = await Deno.readTextFile(join(embeddedModelPath(), "tokenizer.json"));
  for (const [size, agrees] of [[4096, true], [4224, true], [257, false], [50257, false]]) {
    const config = JSON.stringify({ vocab_size: size });
    const files = { ...goodFiles, "config.json": config, "tokenizer.json": tokenizer };
    await withFolder(files, async (folder) => {
      const model = await openModel(folder);
      if (agrees) assert.equal((await model.tokenizer()).vocabularySize, 4096);
      else await assert.rejects(model.tokenizer(), /tokenizer.json: has 4096 tokens, but .*\d+;/);
    });
  }
});

Deno.test("a revision of a hub model is named after an @", async () => {
  using cache = new TemporaryFolder();
  const offline = { cacheDir: cache.path, offline: true };
  for (const revision of ["v2", "refs/pr/1"]) {
    await assert.rejects(openModel(`owner/name@${revision}`, offline), {
      name: "InputError",
      message: new RegExp(`^owner/name: revision ${revision} is not in the cache`),
    });
  }
  await assert.rejects(openModel("owner/name@", offline), /name a branch, a tag or a commit/);
  await assert.rejects(openModel("owner/name/x@v2", offline), /does not exist; check the path/);
});

const tinyGguf = Deno.readFileSync(new URL("./gguf/testdata/tiny_llama.gguf", import.meta.url));

Deno.test("a GGUF model is opened by its file, whatever it is called, or its folder", async () => {
  await withFolder(
    { "a.gguf": tinyGguf, "README.md": "no head", "LICENSE": "MIT" },
    async (folder) => {
      await Deno.copyFile(join(folder, "a.gguf"), join(folder, "blob"));
      for (const path of [folder, join(folder, "a.gguf"), join(folder, "blob")]) {
        const model = await openModel(path);
        assert.equal(model.name, path);
        assert.equal(model.path, folder);
        assert.equal(model.config["model_type"], "llama");
        assert.deepEqual(model.documents.map(({ name }) => name), [
          "README.md",
          join(folder, "LICENSE"),
        ]);
        const names = model.companions.map(({ name }) => name);
        assert.deepEqual((await openCompanions(path)).map(({ name }) => name), names);
        assert.deepEqual(names, [
          "chat_template.jinja",
          "config.json",
          "generation_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
        ]);
      }
    },
  );
});

Deno.test("safetensors go before GGUF files in the same folder", async () => {
  await withFolder({ ...goodFiles, "a.gguf": tinyGguf }, async (folder) => {
    assert.deepEqual((await openModel(folder)).weights.tensors.map(({ name }) => name), ["w"]);
    assert.equal((await openModel(join(folder, "a.gguf"))).config["model_type"], "llama");
  });
});

Deno.test("a GGUF model in parts is opened by its folder or any of them", async () => {
  const { metadata = [], tensors = [] } = fileToWrite(tinyGguf);
  const part = (number: number, own: typeof tensors) =>
    ggufBytes({
      metadata: [
        ...(number === 0 ? metadata : []),
        ["split.no", numberValue("UINT16", number)],
        ["split.count", numberValue("UINT16", 2)],
      ],
      tensors: own,
    });
  const names = ["a-00001-of-00002.gguf", "a-00002-of-00002.gguf"] as const;
  const files = { [names[0]]: part(0, tensors.slice(0, 9)), [names[1]]: part(1, tensors.slice(9)) };
  await withFolder(files, async (folder) => {
    for (const path of [folder, ...names.map((name) => join(folder, name))]) {
      const { weights } = await openModel(path);
      assert.equal(weights.tensors.length, tensors.length);
    }
    await Deno.remove(join(folder, names[0]));
    assert.match(
      await rejection(join(folder, names[1])),
      /a-00001-of-00002.gguf is missing; add it/,
    );
  });
});

Deno.test("a weights file that is not there is not looked for on the hub", async () => {
  for (const path of ["models/a.gguf", "models/a.safetensors"]) {
    assert.match(
      await rejection(path),
      /: does not exist; check the path .* owner\/name:file.gguf\)/,
    );
  }
});

Deno.test("names of the hub may have a revision and a GGUF file", () => {
  assert.deepEqual(parseHubName("a/b"), { id: "a/b", choice: {} });
  assert.deepEqual(parseHubName("a/b@v1"), { id: "a/b", choice: { revision: "v1" } });
  const choice = { revision: "v1", file: "Q4/m.gguf" };
  assert.deepEqual(parseHubName("a/b@v1:Q4/m.gguf"), { id: "a/b", choice });
  for (const none of ["a/b:m.bin", "C:\\m.gguf", "a:m.gguf", "http://a/b.gguf", "a/b.gguf"]) {
    assert.equal(parseHubName(none), undefined, none);
  }
});

Deno.test("a model that GPTQ quantized is opened as the model that it stands for", async () => {
  const { tensors } = layers.find(({ name }) => name === "GPTQ, 4 bits, ordered by activations")!;
  const stored = Object.entries(tensors).map(([part, tensor]) => ({
    name: `lm_head.${part}`,
    dtype: tensor.dtype as DType,
    shape: tensor.shape,
    bytes: Uint8Array.fromBase64(tensor.bytes),
  }));
  const settings = { quant_method: "gptq", bits: 4, desc_act: true };
  const files = {
    "config.json": JSON.stringify({ model_type: "llama", quantization_config: settings }),
    "model.safetensors": encodeSafetensors(stored),
  };
  await withFolder(files, async (folder) => {
    const model = await openModel(folder);
    assert.equal(model.quantization, "GPTQ, 4 bits in groups of 32");
    assert.equal(model.originalBytes, files["model.safetensors"].length);
    assert.deepEqual(model.weights.tensors, [
      { name: "lm_head.weight", dtype: "F32", shape: [32, 64] },
    ]);
    // Else transformers would take what decompress writes for quantized.
    assert.deepEqual(model.config, { model_type: "llama" });
    const [config] = model.companions;
    assert.equal(config!.name, "config.json");
    const text = new TextDecoder().decode(await config!.read(0, config!.byteLength));
    assert.deepEqual(JSON.parse(text), model.config);
  });
});
