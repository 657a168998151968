import assert from "node:assert";
import { basename, join } from "node:path";
import {
  type DownloadProgress,
  type HubOptions,
  isHubId,
  openHubCompanions,
  openHubModel,
} from "./hub_model.ts";
import type { HubSettings } from "./hub_settings.ts";
import { encodeSafetensors } from "./safetensors_encode.ts";
import { type FakeHub, type FakeModel, gitSha1, hubHandler, sha256 } from "./testdata/hub.ts";
import { withServer } from "./testdata/server.ts";
import { TemporaryFolder } from "./testdata/temporary_folder.ts";

const encoder = new TextEncoder();
const commit = "0123456789abcdef0123456789abcdef01234567";
const id = "someone/small-model";

function weightsOf(...names: string[]): Uint8Array<ArrayBuffer> {
  const tensors = names.map((name) => ({
    name,
    dtype: "F32" as const,
    shape: [5000],
    bytes: new Uint8Array(Float32Array.from({ length: 5000 }, (_, i) => i).buffer),
  }));
  return new Uint8Array(encodeSafetensors(tensors));
}

const single: FakeModel = {
  commit,
  files: {
    "config.json": encoder.encode('{"model_type": "gpt2"}'),
    "model.safetensors": weightsOf("w"),
    "pytorch_model.bin": encoder.encode("never wanted"),
    "README.md": encoder.encode("---\nlicense: mit\n---\n"),
  },
};

const weightMap = { a: "model-1.safetensors", b: "model-2.safetensors" };
const sharded: FakeModel = {
  commit,
  files: {
    "config.json": encoder.encode("{}"),
    "model-1.safetensors": weightsOf("a"),
    "model-2.safetensors": weightsOf("b"),
    "model.safetensors.index.json": encoder.encode(JSON.stringify({ weight_map: weightMap })),
  },
};

type Open = (options?: HubOptions, name?: string) => ReturnType<typeof openHubModel>;

/** Runs with a hub and an empty cache. */
async function withHub(
  hub: Partial<FakeHub>,
  run: (open: Open, cacheDir: string, requests: string[]) => Promise<void>,
  token?: string,
): Promise<void> {
  using cache = new TemporaryFolder();
  const requests: string[] = [];
  const complete: FakeHub = { models: { [id]: single }, requests, ...hub };
  await withServer(hubHandler(complete), async (endpoint) => {
    const settings: HubSettings = {
      endpoint,
      cacheDir: cache.path,
      offline: false,
      ...(token === undefined ? {} : { token }),
    };
    const open: Open = (options, name = id) =>
      openHubModel(name, { firstDelay: 1, attempts: 4, ...options }, settings);
    await run(open, cache.path, requests);
  });
}

async function rejection(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => undefined, (error) => error);
  assert(error instanceof Error, "was accepted");
  assert.equal(error.name, "InputError", `${error.stack}`);
  assert(!/[\r\n]/.test(error.message), error.message);
  return error.message;
}

Deno.test("a model is downloaded into the layout of the Python cache, once", async () => {
  await withHub({}, async (open, cacheDir, requests) => {
    const model = await open();
    assert.equal(model.name, id);
    assert.deepStrictEqual(model.config, { model_type: "gpt2" });
    assert.equal((await model.weights.read("w")).data[4999], 4999);
    const folder = join(cacheDir, "models--someone--small-model");
    const snapshot = join(folder, "snapshots", commit);
    assert.equal(model.path, snapshot);
    assert.equal(Deno.readTextFileSync(join(folder, "refs", "main")), commit);
    const blobs = [...Deno.readDirSync(join(folder, "blobs"))].map(({ name }) => name);
    const hash = sha256(single.files["model.safetensors"]!);
    const small = ["config.json", "README.md"].map((name) => gitSha1(single.files[name]!));
    assert.deepStrictEqual(blobs.sort(), [hash, ...small].sort());
    assert.deepStrictEqual(model.documents.map(({ name }) => basename(name)), ["README.md"]);
    assert.equal(
      Deno.readLinkSync(join(snapshot, "model.safetensors")),
      join("..", "..", "blobs", hash),
    );
    requests.length = 0;
    assert.equal((await open({ revision: commit })).name, `${id}@${commit}`);
    assert.deepStrictEqual(requests.filter((request) => !request.startsWith("/api/")), []);
  });
});

Deno.test("shards are downloaded as their index lists them, and progress is told", async () => {
  await withHub({ models: { [id]: sharded } }, async (open) => {
    const heard: DownloadProgress[] = [];
    const model = await open({ onProgress: (progress) => heard.push(progress) });
    assert.equal((await model.weights.read("b")).data[7], 7);
    const sizes = Object.values(sharded.files).map((bytes) => bytes.length);
    const { file, bytes, totalBytes } = heard.at(-1)!;
    assert.equal(file, "model-2.safetensors");
    assert.deepStrictEqual([bytes, totalBytes], [totalBytes, sizes.reduce((a, b) => a + b)]);
  });
});

Deno.test("a shard that the hub does not have is named", async () => {
  const { "model-2.safetensors": _, ...files } = sharded.files;
  await withHub({ models: { [id]: { commit, files } } }, async (open) => {
    assert.match(await rejection(open()), /: its index lists model-2.safetensors, which is not on/);
  });
});

/** The first half of a body, then the end of the connection. */
function dropped(bytes: Uint8Array<ArrayBuffer>, start: number): Response {
  const half = bytes.slice(start, start + Math.ceil((bytes.length - start) / 2));
  let sent = false;
  const body = new ReadableStream({
    pull(controller) {
      if (sent) controller.error(new Error("dropped"));
      else controller.enqueue(half);
      sent = true;
    },
  });
  const headers = { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  return new Response(body, { status: 206, headers });
}

const rangeStart = (request: Request) =>
  Number(/bytes=(\d+)/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);

Deno.test("drops, 429 and 503 in the middle are survived", async () => {
  const weights = single.files["model.safetensors"]!;
  const fault: FakeHub["fault"] = (request, count) => {
    if (count % 4 === 1) return new Response("", { status: 429 });
    if (count % 4 === 2) return new Response("", { status: 503 });
    const isWeights = request.url.includes("/storage/");
    return isWeights && count % 2 === 1 ? dropped(weights, rangeStart(request)) : undefined;
  };
  await withHub({ fault }, async (open, cacheDir) => {
    const model = await open();
    assert.equal((await model.weights.read("w")).data[123], 123);
    const blobs = join(cacheDir, "models--someone--small-model", "blobs");
    assert(![...Deno.readDirSync(blobs)].some(({ name }) => name.endsWith(".incomplete")));
  });
});

Deno.test("an interrupted download is resumed by range", async () => {
  const weights = single.files["model.safetensors"]!;
  let down = true;
  const fault: FakeHub["fault"] = (request) => {
    if (!down || !request.url.includes("/storage/")) return undefined;
    const start = rangeStart(request);
    return start === 0 ? dropped(weights, 0) : new Response("", { status: 500 });
  };
  await withHub({ fault }, async (open, cacheDir, requests) => {
    assert.match(await rejection(open()), /model.safetensors cannot be reached \(.*500\)/);
    const blobs = join(cacheDir, "models--someone--small-model", "blobs");
    const incomplete = join(blobs, `${sha256(weights)}.incomplete`);
    const present = Deno.statSync(incomplete).size;
    assert(present > 0 && present < weights.length);
    down = false;
    requests.length = 0;
    assert.equal((await (await open()).weights.read("w")).data[4999], 4999);
    const range = `bytes=${present}-${weights.length - 1}`;
    assert(requests.some((request) => request.startsWith("/storage/") && request.endsWith(range)));
  });
});

Deno.test("an unfinished part of something else is thrown away", async () => {
  const weights = single.files["model.safetensors"]!;
  await withHub({}, async (open, cacheDir) => {
    const blobs = join(cacheDir, "models--someone--small-model", "blobs");
    Deno.mkdirSync(blobs, { recursive: true });
    const incomplete = join(blobs, `${sha256(weights)}.incomplete`);
    for (const length of [100, weights.length, weights.length + 1]) {
      Deno.writeFileSync(incomplete, new Uint8Array(length));
      assert.equal((await (await open()).weights.read("w")).data[4999], 4999);
      Deno.removeSync(join(blobs, sha256(weights)));
    }
  });
});

Deno.test("contents that do not have their hash are refused and thrown away", async () => {
  for (const name of ["model.safetensors", "config.json"]) {
    const bytes = single.files[name]!;
    const wrong = bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1);
    const place = name === "config.json" ? `/${name}` : "/storage/";
    const fault: FakeHub["fault"] = (request) =>
      request.url.includes(place) ? new Response(wrong) : undefined;
    await withHub({ fault }, async (open, cacheDir) => {
      const message = await rejection(open());
      assert.match(message, /has the (sha256|git-sha1) hash [0-9a-f]+, where the hub announces/);
      const blobs = join(cacheDir, "models--someone--small-model", "blobs");
      const kept = [...Deno.readDirSync(blobs)].map((entry) => entry.name);
      assert(!kept.some((kept) => kept.startsWith(sha256(bytes).slice(0, 20))), String(kept));
    });
  }
});

Deno.test("the cache serves offline, and when the hub is down", async () => {
  let down = false;
  const fault: FakeHub["fault"] = () => down ? new Response("", { status: 503 }) : undefined;
  await withHub({ fault }, async (open, _, requests) => {
    assert.match(
      await rejection(open({ offline: true })),
      /someone\/small-model: revision main is not in the cache, and HF_HUB_OFFLINE forbids/,
    );
    await open();
    requests.length = 0;
    assert.deepStrictEqual((await open({ offline: true })).config, { model_type: "gpt2" });
    assert.deepStrictEqual(requests, []);
    assert.match(await rejection(open({ offline: true, revision: "v2" })), /revision v2 is not in/);
    down = true;
    assert.deepStrictEqual((await open()).config, { model_type: "gpt2" });
    assert.match(await rejection(open({ revision: "v2" })), /cannot be reached \(.*503\)/);
  });
});

Deno.test("what was changed in the cache is found by its hash, and downloaded again", async () => {
  for (const model of [single, sharded]) {
    await withHub({ models: { [id]: model } }, async (open, cacheDir) => {
      await open();
      const snapshot = join(cacheDir, "models--someone--small-model", "snapshots", commit);
      for (const { name } of [...Deno.readDirSync(snapshot)]) {
        const bytes = model.files[name]!;
        // The same size, a bit flipped at the end.
        const wrong = bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1);
        Deno.writeFileSync(join(snapshot, name), wrong);
        const message = await rejection(open({ offline: true }));
        assert.ok(message.startsWith(`${join(snapshot, name)}: is damaged, by its `), message);
        await open();
        assert.deepStrictEqual(Deno.readFileSync(join(snapshot, name)), bytes);
      }
      await open({ offline: true });
    });
  }
});

Deno.test("the token goes to the hub, not to the storage, and into no message", async () => {
  const token = "hf_verysecret";
  const storage = hubHandler({ models: { [id]: single }, requests: [], storage: "elsewhere" });
  await withServer(storage, async (origin) => {
    await withHub({ token, storage: origin }, async (open) => {
      assert.equal((await (await open()).weights.read("w")).data[1], 1);
    }, token);
  });
  await withHub({ token: "hf_other" }, async (open) => {
    const message = await rejection(open());
    assert.match(message, /does not give it out; check its name, and that HF_TOKEN is valid and/);
    assert(!message.includes("secret"));
  }, token);
});

Deno.test("models and revisions that are not there are refused", async () => {
  await withHub({}, async (open) => {
    const unknown = await rejection(open({}, "someone/else"));
    assert.match(
      unknown,
      /^someone\/else: http.* does not give it out; check its name, and set HF_/,
    );
    assert.match(
      await rejection(open({ revision: "v9" })),
      /is neither a folder here nor a model at http.* with a revision v9; check the name$/,
    );
    assert.match(
      await rejection(open({ revision: "../x" })),
      /: ..\/x is not a revision; name a bra/,
    );
  });
  const { "model.safetensors": _, ...files } = single.files;
  await withHub({ models: { [id]: { commit, files } } }, async (open) => {
    assert.match(
      await rejection(open()),
      /^someone\/small-model: has no .safetensors weights, onl/,
    );
  });
});

Deno.test("a server that is not a hub is refused", async () => {
  const pages = [
    () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    () => Response.json({}),
    () => Response.json({ sha: "../../etc" }),
    () => Response.json({ sha: commit }),
    () => Response.json({ sha: [commit] }),
    () => Response.json([]),
    () => Response.json(null),
  ];
  for (const fault of pages) {
    await withHub({ fault }, async (open) => {
      assert.match(
        await rejection(open()),
        /does not answer as a Hugging Face hub does; check HF_ENDPOINT/,
      );
    });
  }
});

Deno.test("a hub that names ever another page is left", async () => {
  const fault: FakeHub["fault"] = (request, count) => {
    if (!request.url.includes("/tree/")) return undefined;
    const headers = { link: `<${request.url.split("?")[0]}?page=${count}>; rel="next"` };
    return Response.json([], { headers });
  };
  await withHub({ fault }, async (open, _, requests) => {
    assert.match(await rejection(open()), /does not answer as a Hugging Face hub does/);
    assert(requests.length <= 1001);
  });
});

const tinyGguf = new Uint8Array(
  Deno.readFileSync(new URL("./gguf/testdata/tiny_llama.gguf", import.meta.url)),
);

Deno.test("a GGUF file of a repository is a model, and no other file is fetched for it", async () => {
  const card = encoder.encode("---\nlicense: mit\n---\n");
  const files = {
    "README.md": card,
    "config.json": encoder.encode("{}"),
    "a-Q4_0.gguf": tinyGguf,
    "a-Q8_0.gguf": tinyGguf.slice(0, 100),
    "big/a-F16.gguf": tinyGguf,
  };
  const models = { [id]: { commit, files } };
  await withHub({ models }, async (open, cacheDir, requests) => {
    for (const file of ["a-Q4_0.gguf", "big/a-F16.gguf"]) {
      const model = await open({ file });
      assert.equal(model.name, `${id}:${file}`);
      assert.equal(model.weights.tensors.length, 20);
      assert.deepEqual(
        await open({ file, offline: true }).then(({ config }) => config),
        model.config,
      );
    }
    assert(!requests.some((request) => /config\.json|Q8_0/.test(request)));
    assert.equal(basename((await open({ file: "a-Q4_0.gguf" })).path!), commit);
    assert.match(
      await rejection(open()),
      /: has 2 GGUF models; name one of them: a-Q4_0.gguf, a-Q8/,
    );
    assert.match(
      await rejection(open({ file: "b.gguf" })),
      /has no file b.gguf; it has a-Q4_0.gguf, /,
    );
    assert.match(await rejection(open({ file: "big/b.gguf" })), /has no file big\/b.gguf; it has/);
    assert.match(await rejection(open({ file: "../b.gguf" })), /is not the name of a file in it/);
    assert.match(
      await rejection(open({ file: "a-Q8_0.gguf", offline: true })),
      /has no file a-Q8_0/,
    );
    assert(cacheDir.length > 0);
  });
});

Deno.test("the only GGUF model of a repository need not be named", async () => {
  const models = { [id]: { commit, files: { "a-Q4_0.gguf": tinyGguf } } };
  await withHub({ models }, async (open) => {
    const model = await open();
    assert.equal(model.name, id);
    assert.equal(model.config["model_type"], "llama");
  });
});

Deno.test("what belongs to a GGUF model of the hub is in its file", async () => {
  const models = { [id]: { commit, files: { "a-Q4_0.gguf": tinyGguf } } };
  using cache = new TemporaryFolder();
  await withServer(hubHandler({ models, requests: [] }), async (endpoint) => {
    const settings: HubSettings = { endpoint, cacheDir: cache.path, offline: false };
    for (const options of [{}, { file: "a-Q4_0.gguf" }]) {
      const companions = await openHubCompanions(id, options, settings);
      assert(companions.some(({ name }) => name === "tokenizer.json"));
    }
  });
});

Deno.test("names of the hub are told from paths", () => {
  for (const name of ["openai-community/gpt2", "Qwen/Qwen2-0.5B", "a_b/c.d"]) assert(isHubId(name));
  for (const name of ["gpt2", "./a/b", "../a", "/a/b", "a/b/c", "a/..", "a b/c", "a/", ""]) {
    assert(!isHubId(name), name);
  }
});
