import type { ModelSource, TextTokenizer } from "../../../data/mod.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import { cutIntoChunks } from "../../../eval/protocols/text_chunks.ts";

/** Whole chunks of a text, spread over it, at most so many. */
export function chunksOf(
  source: ModelSource,
  tokenizer: TextTokenizer,
  text: string,
  length: number,
  most = Infinity,
): Int32Array[] {
  const tokens = tokenizer.encode(text);
  const model = describeModel(source.config, []);
  const { bosTokenId, addsBos } = tokenizer;
  const bos = addsBos && bosTokenId !== undefined ? bosTokenId : undefined;
  const joined = cutIntoChunks(tokens, model, length, bos);
  const count = joined.length / length;
  const wanted = Math.min(count, most);
  return Array.from({ length: wanted }, (_, i) => {
    const chunk = Math.floor(i * count / wanted);
    return joined.slice(chunk * length, (chunk + 1) * length);
  });
}

/** Chunks one after another. */
export function joinChunks(chunks: readonly Int32Array[]): Int32Array {
  return Int32Array.from(chunks.flatMap((chunk) => [...chunk]));
}
