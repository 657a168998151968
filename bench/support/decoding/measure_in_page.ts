import { openDecoders } from "./decoders.ts";

/** Million weights per second, at best: of the code streams of a file and of the whole of it. */
export async function measureDecoding(base64: string, runs: number): Promise<[number, number]> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const { weights, codes, whole } = await openDecoders(bytes);
  return [
    weights / 1e3 / await leastMilliseconds(codes, runs),
    weights / 1e3 / await leastMilliseconds(whole, runs),
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
