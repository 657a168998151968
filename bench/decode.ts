/**
 * How fast do files decode on one core? Prints million weights per second for the code streams
 * alone and for a whole file, dequantization included.
 *
 *     deno run --allow-read bench/decode.ts
 */
import { leastCpuSeconds } from "./support/cpu_seconds.ts";
import { openDecoders } from "./support/decoding/decoders.ts";
import { codedSamples, printHeader, printRates } from "./support/decoding/samples.ts";
import { readOptions } from "./support/command_line.ts";

readOptions({});

const RUNS = 15;

printHeader();
for await (const sample of codedSamples()) {
  const { weights, codes, whole } = await openDecoders(sample.bytes);
  printRates(sample, [codes, whole].map((work) => weights / 1e6 / leastCpuSeconds(work, RUNS)));
}
