/**
 * `deno task npm:pack [FOLDER]`: writes the npm package's tarball into a folder, `dist` if none is
 * named, and prints its path as the last line. `deno pack` translates the modules; what it leaves is
 * done here: syntax that Node 22 lacks, modules of workers, the command, and which packages are
 * needed for what. Needs npm.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { bundleForBrowsers, LIBRARY_BUNDLES, WORKER_MODULE } from "./bundle_for_browsers.ts";
import { packageJson } from "./package_json.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Of the repository, not for those who use the package. */
const LEFT_OUT = [".github", "ARCHITECTURE.md", "CONTRIBUTING.md", "deno.lock"];
/** What a command gives away. */
const KEPT_DOCUMENT = "decode_rate.py";

const COMPILER_OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  allowJs: true,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/** The script that `npx kanpress` starts. */
const COMMAND = `#!/usr/bin/env node
import process from "node:process";

const { node } = process.versions;
if (Number.parseInt(node) < 22) {
  console.error(\`error: kanpress needs Node 22 or later, and this is \${node}; install a newer one\`);
  process.exit(2);
}
const { main } = await import("../cli.js");
process.exit(await main(process.argv.slice(2)));
`;

/** Writes the tarball into a folder and gives its path. */
export function packForNpm(folder: string): string {
  const work = mkdtempSync(join(tmpdir(), "kanpress-npm-"));
  try {
    const contents = translate(work);
    finishModules(contents);
    for (const name of LEFT_OUT) rmSync(join(contents, name), { recursive: true, force: true });
    for (const name of readdirSync(join(contents, "docs"))) {
      if (name !== KEPT_DOCUMENT) rmSync(join(contents, "docs", name), { recursive: true });
    }
    addBundles(contents);
    writeFileSync(
      join(contents, "package.json"),
      `${JSON.stringify(settings(contents), null, 2)}\n`,
    );
    copyFileSync(join(ROOT, "docs/npm.md"), join(contents, "README.md"));
    mkdirSync(join(contents, "bin"));
    writeFileSync(join(contents, "bin/kanpress.js"), COMMAND, { mode: 0o755 });
    const packed = run("npm", ["pack", "--json", "--pack-destination", folder], contents);
    return join(folder, JSON.parse(packed)[0].filename);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Translates the modules and gives the folder of the package. */
function translate(work: string): string {
  const tarball = join(work, "translated.tgz");
  run(process.execPath, ["pack", "-q", "--allow-dirty", "--no-source-maps", "-o", tarball], ROOT);
  run("tar", ["-xzf", tarball], work);
  return join(work, "package");
}

/**
 * Lowers syntax to what Node 22 has. `deno pack` knows no workers: their modules, and what only they
 * import, are still TypeScript, and are translated here; other TypeScript is not needed.
 */
function finishModules(contents: string): void {
  const paths = globSync("**/*.js", { cwd: contents }).map((path) => join(contents, path));
  for (const path of paths) {
    const source = existsSync(path) ? path : path.replace(/js$/, "ts");
    const code = readFileSync(source, "utf8");
    const needed = [
      ...code.matchAll(WORKER_MODULE),
      ...(source === path ? [] : code.matchAll(/(?:from|import) "(\.[^"]*)\.ts"/g)),
    ];
    for (const [, module] of needed) {
      const other = join(dirname(path), `${module}.js`);
      if (!paths.includes(other)) paths.push(other);
    }
    const { outputText } = ts.transpileModule(
      code.replaceAll(WORKER_MODULE, 'new URL("$1.js", import.meta.url)'),
      { fileName: source, compilerOptions: COMPILER_OPTIONS },
    );
    writeFileSync(path, outputText);
  }
  for (const path of globSync("**/*.ts", { cwd: contents })) {
    if (!path.endsWith(".d.ts")) rmSync(join(contents, path));
  }
}

/** Adds the demo's scripts, and the library's as one file each for pages without a bundler. */
function addBundles(contents: string): void {
  bundleForBrowsers(join(contents, "demo/dist"));
  bundleForBrowsers(join(contents, "dist"), LIBRARY_BUNDLES);
}

function settings(contents: string): Record<string, unknown> {
  const { version, license, exports, imports } = JSON.parse(
    readFileSync(join(ROOT, "deno.json"), "utf8"),
  ) as {
    version: string;
    license: string;
    exports: Record<string, string>;
    imports: Record<string, string>;
  };
  const found = JSON.parse(readFileSync(join(contents, "package.json"), "utf8")).dependencies;
  const dependencies = Object.fromEntries(
    Object.keys(found).map((name) => [name, /@([^@/]+)$/.exec(imports[name]!)![1]!]),
  );
  return packageJson({ version, license, exports, dependencies });
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}

if (import.meta.main) {
  const folder = resolve(Deno.args[0] ?? join(ROOT, "dist"));
  mkdirSync(folder, { recursive: true });
  console.log(packForNpm(folder));
}
