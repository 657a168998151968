/** What `deno pack` and deno.json say of the package. */
export interface PackageSettings {
  /** `version` and `license`, as they stand in deno.json. */
  readonly version: string;
  readonly license: string;
  /** Entry points and their TypeScript files, as in deno.json. */
  readonly exports: Readonly<Record<string, string>>;
  /** Packages that the files import, each with the version that deno.json pins. */
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Packages that `npm install` brings along but `--omit=optional` leaves out: models are run with them,
 * and decoding needs none.
 */
const OPTIONAL = ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"];

/** Packages that only some uses need; who needs one is told its name, and installs it. */
const ON_REQUEST = [
  "@resvg/resvg-wasm",
  "@tensorflow/tfjs-backend-webgpu",
  "bullmq",
  "dejavu-fonts-ttf",
  "ioredis",
  "mathjs",
  "playwright-core",
  "plotly.js-basic-dist-min",
];

/** The package.json of the npm package. Versions are exact: results depend on them. */
export function packageJson(settings: PackageSettings): Record<string, unknown> {
  const { version, license, exports, dependencies } = settings;
  const pick = (wanted: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(dependencies).filter(([name]) => wanted(name)));
  const onRequest = pick((name) => ON_REQUEST.includes(name));
  return {
    name: "kanpress",
    version,
    description:
      "Compresses language models' weights with Kolmogorov-Arnold networks; decodes them anywhere",
    keywords: ["compression", "quantization", "language-model", "kan", "kolmogorov-arnold", "wasm"],
    license,
    type: "module",
    engines: { node: ">=22" },
    bin: { kanpress: "bin/kanpress.js" },
    exports: {
      ...Object.fromEntries(
        Object.entries(exports).map(([name, file]) => {
          const path = file.replace(/\.ts$/, "");
          return [name, { types: `${path}.d.ts`, default: `${path}.js` }];
        }),
      ),
      "./package.json": "./package.json",
    },
    dependencies: pick((name) => !OPTIONAL.includes(name) && !ON_REQUEST.includes(name)),
    optionalDependencies: pick((name) => OPTIONAL.includes(name)),
    peerDependencies: onRequest,
    peerDependenciesMeta: Object.fromEntries(
      Object.keys(onRequest).map((name) => [name, { optional: true }]),
    ),
  };
}
