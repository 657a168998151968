/**
 * tokenizer.json of a byte-level BPE without merges: `<|endoftext|>` = 0, then the 256 bytes, then
 * tokens that no text has up to `size`.
 */
export function byteTokenizer(size = 257): unknown {
  const vocab = Object.fromEntries(byteLetters().map((letter, byte) => [letter, byte + 1]));
  for (let token = 257; token < size; token++) vocab[`<|unused${token}|>`] = token;
  const byteLevel = {
    type: "ByteLevel",
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [{
      id: 0,
      content: "<|endoftext|>",
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    }],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: { "<|endoftext|>": 0, ...vocab },
      merges: [],
    },
  };
}

/** GPT-2's letter for each byte: printable bytes stand for themselves, others move past 255. */
function byteLetters(): string[] {
  let moved = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    return String.fromCodePoint(printable ? byte : moved++);
  });
}
