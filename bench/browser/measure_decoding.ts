import { memorySource } from "../../data/memory_source.ts";
import { openContainer } from "../../hierarchy/container.ts";
import { decodeContainer } from "../../hierarchy/decompress.ts";
import { decodeTrellis } from "../../hierarchy/levels/trellis_level.ts";
import { codedShapes } from "../../hierarchy/plan_tensors.ts";

/** Milliseconds that the code streams of a file and the whole of it take to decode, at best. */
export async function measureDecoding(base64: string, runs: number): Promise<[number, number]> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const container = await openContainer(memorySource(bytes, "bench"));
  const trellis = container.stages[0]!.find(({ kind }) => kind === "trellis")!;
  const shapes = codedShapes(container.tensors);
  return [
    await leastMilliseconds(() => decodeTrellis(trellis, [], shapes), runs),
    await leastMilliseconds(() => decodeContainer(container), runs),
  ];
}

async function leastMilliseconds(work: () => void, runs: number): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
    // A pause lets the browser compile what is hot.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return least;
}
