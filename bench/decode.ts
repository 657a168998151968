/**
 * How fast do files decode on one core? Prints million weights per second for the code streams
 * alone and for a whole file, dequantization included: the best of some runs for each of the first samples.
 *
 *     deno run --allow-read bench/decode.ts
 *     deno run --allow-read bench/decode.ts --samples 1 --runs 1
 */
import { leastCpuSeconds } from "./support/cpu_seconds.ts";
import { openDecoders } from "./support/decoding/decoders.ts";
import { codedSamples, printRates, type SampleRates } from "./support/decoding/samples.ts";
import { readOptions } from "./support/command_line.ts";

const { runs, samples } = readOptions({
  runs: { type: "string", default: "15" },
  samples: { type: "string", default: "16" },
});

const rates: SampleRates[] = [];
for await (const sample of codedSamples()) {
  const { weights, codes, whole } = await openDecoders(sample.bytes);
  const rate = (work: () => void) => weights / 1e6 / leastCpuSeconds(work, Number(runs));
  rates.push({ ...sample, codes: rate(codes), whole: rate(whole) });
  if (rates.length >= Number(samples)) break;
}
printRates("Deno", rates);
