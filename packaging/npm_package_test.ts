import assert from "node:assert";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { launchChromium } from "../eval/plots/chromium.ts";
import { goldenPath, readGoldenFiles } from "../hierarchy/testdata/golden_files.ts";
import { packForNpm } from "./npm_pack.ts";
import { needsNpm } from "./testdata/needs_npm.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const GOLDEN = "rate-8-states";

function run(folder: string, command: string, ...args: string[]): string {
  const env = { ...process.env, npm_config_update_notifier: "false" };
  return execFileSync(command, args, { cwd: folder, env, encoding: "utf8", stdio: "pipe" });
}

Deno.test({
  name: "the npm package, installed as users do",
  ...needsNpm,
  // Chromium's connections close after the test.
  sanitizeResources: false,
  async fn(test) {
    using folder = new TemporaryFolder();
    const tarball = packForNpm(folder.path);
    const user = join(folder.path, "user");
    mkdirSync(user);
    writeFileSync(join(user, "package.json"), '{ "type": "module", "private": true }');
    const install = (...args: string[]) =>
      run(user, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", ...args);

    await test.step("without options it decodes, inspects and restores, and tells what it lacks", async () => {
      install("--omit=optional", tarball);
      writeFileSync(join(user, "decode.js"), DECODE);
      const golden = await readGoldenFiles();
      const files = golden.map(({ name }) => fileURLToPath(goldenPath(name)));
      for (const node of ["node@20", "node@22", "node@24"]) {
        const printed = run(user, "npx", "--yes", node, "decode.js", ...files);
        assert.deepEqual(JSON.parse(printed), golden.map(({ tensors }) => tensors), node);
      }
      const command = join(user, "node_modules/.bin/kanpress");
      const file = fileURLToPath(goldenPath(GOLDEN));
      const kanpress = (...args: string[]) =>
        run(user, "npx", "--yes", "node@22", command, ...args);
      assert.match(kanpress("inspect", file), /^1 +trellis +1,358 /m);
      assert.match(kanpress("--help"), /^Usage: kanpress /);
      const npx = run(user, "npx", "--yes", "--package", "node@22", "kanpress", "--help");
      assert.match(npx, /^Usage: npx kanpress /);
      kanpress("decompress", file, "--out", "restored");
      assert.throws(
        () => kanpress("compress", "--data-free"),
        /needs the package @tensorflow\/tfjs, which is not installed: npm install/,
      );
    });

    await test.step("it compresses to the bytes of Deno on Node 22 and 24", () => {
      install(tarball);
      const command = join(user, "node_modules/.bin/kanpress");
      const options = ["compress", "--data-free", "--no-evaluate", "--threads", "2", "--out"];
      const deno = ["run", "-A", join(ROOT, "cli.ts"), ...options, join(folder.path, "deno")];
      run(user, process.execPath, ...deno);
      const read = (out: string) => readFileSync(join(folder.path, out, "model.kan.safetensors"));
      for (const node of ["node@22", "node@24"]) {
        run(user, "npx", "--yes", node, command, ...options, join(folder.path, node));
        assert(read(node).equals(read("deno")), node);
      }
    });

    await test.step("TypeScript finds the types of every entry point", () => {
      const { exports } = JSON.parse(
        readFileSync(join(user, "node_modules/kanpress/package.json"), "utf8"),
      );
      const entries = Object.keys(exports).filter((name) => !name.endsWith(".json"));
      const imports = entries.map((name, i) =>
        `import * as m${i} from "kanpress${name.slice(1)}";`
      );
      const uses = entries.map((_, i) => `console.log(m${i});`);
      writeFileSync(join(user, "program.ts"), [...imports, ...uses, PROGRAM].join("\n"));
      install("typescript@5.9.3", "@types/node@22");
      run(
        user,
        "npx",
        "tsc",
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--target",
        "es2022",
        "--module",
        "nodenext",
        "--moduleResolution",
        "nodenext",
        "program.ts",
      );
    });

    await test.step("Vite bundles it, workers too, and a page without a bundler decodes", async () => {
      install("vite@8.3.8");
      writeFileSync(join(user, "index.html"), '<script type="module" src="/page.js"></script>');
      writeFileSync(join(user, "page.js"), BUNDLED_PAGE);
      mkdirSync(join(user, "public"));
      cpSync(goldenPath(GOLDEN), join(user, "public/golden.kan.safetensors"));
      cpSync(
        join(user, "node_modules/kanpress/dist/decompress.js"),
        join(user, "public/decompress.js"),
      );
      writeFileSync(join(user, "public/plain.html"), PLAIN_PAGE);
      run(user, "npx", "vite", "build", "--target", "esnext");
      const server = serveFolder(join(user, "dist"));
      const browser = await launchChromium();
      try {
        const show = async (path: string) => {
          const page = await browser.newPage();
          await page.goto(`http://127.0.0.1:${server.addr.port}/${path}`);
          await page.waitForFunction('document.title.startsWith("{")');
          return JSON.parse(await page.title());
        };
        const names = Object.keys(
          (await readGoldenFiles()).find(({ name }) => name === GOLDEN)!.tensors,
        );
        const bundled = await show("index.html");
        assert.deepEqual(bundled.names.toSorted(), names.toSorted());
        assert(bundled.error < 0.2, `${bundled.error}`);
        assert.deepEqual((await show("plain.html")).names.toSorted(), names.toSorted());
      } finally {
        await browser.close();
        await server.shutdown();
      }
    });
  },
});

/** Prints what the tensors of files decode to, as the golden files' digests have it. */
const DECODE = `
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";
import { decompressWeights } from "kanpress/decompress";

const decoded = await Promise.all(process.argv.slice(2).map(async (path) => {
  const tensors = Array.from(await decompressWeights(readFileSync(path)), ([name, tensor]) => {
    const bytes = new Uint8Array(Float32Array.from(tensor.data).buffer);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return [name, { dtype: tensor.dtype, shape: tensor.shape, sha256 }];
  });
  return Object.fromEntries(tensors);
}));
console.log(JSON.stringify(decoded));
`;

/** A program whose types must fit. */
const PROGRAM = `
import { decompressWeights, type WeightTensor } from "kanpress/decompress";
const weights: Map<string, WeightTensor> = new Map(await decompressWeights(new Uint8Array(8)));
console.log(weights.size);
`;

/** Decodes a file, then compresses and decodes a matrix in workers, and shows what came out. */
const BUNDLED_PAGE = `
import { decompressWeights } from "kanpress/decompress";
import { HierarchicalCompressor } from "kanpress/hierarchy";

const bytes = new Uint8Array(await (await fetch("/golden.kan.safetensors")).arrayBuffer());
const names = [...(await decompressWeights(bytes)).keys()];

const data = Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i * i));
const compressor = new HierarchicalCompressor({ bits: 6, threads: 2 });
const compressed = await compressor.compress(
  new Map([["w", { dtype: "F32", shape: [64, 64], data }]]),
);
const restored = (await decompressWeights(compressed.bytes)).get("w").data;
const error = Math.max(...data.map((value, i) => Math.abs(value - restored[i])));

document.title = JSON.stringify({ names, bytes: compressed.bytes.length, error });
`;

const PLAIN_PAGE = `<script type="module">
import { decompressWeights } from "./decompress.js";
const bytes = new Uint8Array(await (await fetch("golden.kan.safetensors")).arrayBuffer());
document.title = JSON.stringify({ names: [...(await decompressWeights(bytes)).keys()] });
</script>`;

function serveFolder(folder: string): Deno.HttpServer<Deno.NetAddr> {
  const types: Record<string, string> = { js: "text/javascript", html: "text/html" };
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const path = new URL(request.url).pathname;
    const type = types[path.split(".").pop()!] ?? "application/octet-stream";
    try {
      const body = readFileSync(join(folder, path));
      return new Response(body, { headers: { "content-type": type } });
    } catch {
      return new Response(undefined, { status: 404 });
    }
  });
}
