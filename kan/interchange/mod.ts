/**
 * Networks that other libraries have trained: checkpoints of pykan and efficient-kan.
 *
 * ```ts
 * import { readEfficientKan } from "@kanpress/kanpress/kan/interchange";
 * import { evaluateKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const bytes = await Deno.readFile("kan/interchange/testdata/efficient_kan.safetensors");
 * const outputs = evaluateKan(readEfficientKan(bytes), samplesFrom([[0.1, -0.3]]));
 * assert.equal(outputs.columns, 2);
 * ```
 *
 * @module
 */
export * from "./efficient_kan.ts";
export * from "./pykan.ts";
