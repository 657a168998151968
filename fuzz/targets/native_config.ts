import assert from "node:assert";
import { evaluateLanguageModel } from "../../eval/mod.ts";
import { isNativeInstalled } from "../../eval/native/runtime.ts";
import type { FuzzTarget } from "../target.ts";
import { acceptedModel, target as config } from "./config.ts";

const TOKENS = Int32Array.from({ length: 16 }, (_, i) => (7 * i) % 11);

/** Mutations of config.json, run by the native engine; without it they are read alone. */
export const target: FuzzTarget = {
  name: "native_config",
  description:
    "The inputs of `config`, made into graphs and run by ONNX Runtime, where it is installed.",
  mutate: (random) => config.mutate(random),
  async read(input) {
    const { config, weights } = await acceptedModel(input);
    if (!isNativeInstalled()) return;
    const measured = { config, original: weights, tokens: TOKENS, contextLength: 8, threads: 1 };
    const { perplexity, tokens } = await evaluateLanguageModel({ ...measured, backend: "native" });
    assert.ok(tokens > 0);
    const { perplexity: expected } = await evaluateLanguageModel({ ...measured, backend: "cpu" });
    const [found, wanted] = [perplexity.original, expected.original];
    // Numbers beyond float32 may be other ones there.
    if (!Number.isFinite(found) || !Number.isFinite(wanted)) return;
    assert.ok(Math.abs(found / wanted - 1) < 1e-2, `perplexity ${found} instead of ${wanted}`);
  },
};
