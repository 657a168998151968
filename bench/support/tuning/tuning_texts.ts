import { InputError, type ModelSource, type TextTokenizer } from "../../../data/mod.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import { cutIntoChunks } from "../../../eval/protocols/text_chunks.ts";
import { namedFile, partOfText } from "../real_models/named_file.ts";

/** A text and what it is called. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Reads `name=file`, or a part of it: `name=file#50-100`. */
export async function readNamedText(argument: string): Promise<NamedText> {
  const file = namedFile(argument);
  try {
    return { name: file.name, text: partOfText(await Deno.readTextFile(file.path), file) };
  } catch (error) {
    throw new InputError(`${file.path}: cannot be read (${(error as Error).message})`);
  }
}

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
