"""The tokenizers whose ids record_ids.py records: families of models, and single features."""
import base64
import struct


def charsmap(replacements):
    """A SentencePiece table: a double-array trie over bytes, and the texts that it points to."""
    trie = {}
    texts = b""
    for source, target in sorted(replacements.items()):
        node = trie
        for byte in source.encode():
            node = node.setdefault(byte, {})
        node["value"] = len(texts)
        texts += target.encode() + b"\0"
    units = {0: 0}
    bases = set()

    def place(index, node, label):
        labels = [key if key != "value" else 0 for key in node]
        base = 1
        while base in bases or any((base ^ key) in units for key in labels):
            base += 1
        bases.add(base)
        units[index] = label | ("value" in node) << 8 | (index ^ base) << 10
        for key in labels:
            units[base ^ key] = 0
        for key, child in node.items():
            if key == "value":
                units[base] = child | 1 << 31
            else:
                place(base ^ key, child, key)

    place(0, trie, 0)
    size = max(units) + 1
    size += -size % 256
    array = struct.pack(f"<{size}I", *(units.get(i, 0) for i in range(size)))
    return base64.b64encode(struct.pack("<I", len(array)) + array + texts).decode()


CHARSMAP = charsmap({
    "ﬁ": "fi", "ﬀ": "ff", "…": "...", "\u00a0": " ", "\u3000": " ", "\u2003": " ", "\t": " ",
    "\n": " ", "\r": " ", "½": "1⁄2", "²": "2", "①": "1", "Å": "Å", "é": "é", "e\u0301": "é",
    "\u200b": "", "\ufeff": "", "\u00ad": "", "\x07": "", "Ｆ": "F", "ｕ": "u", "ガ": "ガ", "각": "각",
    "㍿": "株式会社", "İ": "i", "ſ": "s",
})

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
    r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEKKEN = O200K.replace(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "").replace("{1,3}", "")
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
DEEPSEEK = [
    r"\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"""
    r""" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
]
CLIP = (
    r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)


def byte_level(**settings):
    return {
        "type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True,
    } | settings


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(name, *items):
    return {"type": "Sequence", name: list(items)}


def pre(*items):
    return sequence("pretokenizers", *items)


def norm(*items):
    return sequence("normalizers", *items)


def metaspace(scheme="always", split=True):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}


def replace(pattern, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


PIECE_DECODER = sequence(
    "decoders",
    replace("▁", " "),
    {"type": "ByteFallback"},
    {"type": "Fuse"},
    {"type": "Strip", "content": " ", "start": 1, "stop": 0},
)
GEMMA_DECODER = sequence(
    "decoders", replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"}
)
META_DECODER = {
    "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True
}
WORD_PIECE_DECODER = {"type": "WordPiece", "prefix": "##", "cleanup": True}
PRECOMPILED = {"type": "Precompiled", "precompiled_charsmap": CHARSMAP}


def bert(**settings):
    return {
        "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
        "strip_accents": None, "lowercase": True,
    } | settings


def variants():
    """Name, model, settings of the model, normalizer, pre-tokenizer, decoder, added tokens."""
    level = byte_level()
    cut = byte_level(use_regex=False)
    out = []

    def add(name, model, normalizer=None, pre_tokenizer=None, decoder=None, added=(), **settings):
        out.append((name, model, settings, normalizer, pre_tokenizer, decoder, added))

    def token(content, special=True, **settings):
        return {
            "content": content, "special": special, "single_word": False, "lstrip": False,
            "rstrip": False, "normalized": not special,
        } | settings

    end = token("<|endoftext|>")
    chat = [end, token("<|im_start|>"), token("<|im_end|>")]
    sides = [token("<unk>"), token("<s>"), token("</s>")]
    nfc = {"type": "NFC"}

    add("GPT-2", "byteLevel", None, level, level, [end])
    add("GPT-2 with a space before", "byteLevel", None, byte_level(add_prefix_space=True), level)
    add("RoBERTa", "byteLevel", None, level, level,
        [token("<s>"), token("<pad>"), token("</s>"), token("<mask>", lstrip=True)])
    add("Llama 3", "byteLevel", None, pre(split(LLAMA3), cut), level, [end], ignore_merges=True)
    add("Qwen 2", "byteLevel", nfc, pre(split(QWEN2), cut), level, chat)
    add("cl100k, as in StableLM 2", "byteLevel", nfc, pre(split(CL100K, "Removed", True), cut), level)
    add("o200k, as in Phi 4", "byteLevel", None, pre(split(O200K), cut), level, chat)
    add("Tekken, as in Mistral NeMo", "byteLevel", None, pre(split(TEKKEN), cut), level)
    add("DeepSeek", "byteLevel", None, pre(*map(split, DEEPSEEK), cut), level)
    add("Falcon", "byteLevel", None,
        pre({"type": "Punctuation", "behavior": "Contiguous"}, level,
            {"type": "Digits", "individual_digits": False}, split("[0-9][0-9][0-9]")), level)
    add("GPT-NeoX, StableLM, Phi 2", "byteLevel", nfc, level, level,
        [end] + [token(" " * n, False) for n in range(12, 1, -1)] + [token("\t\t", False)])
    add("SmolLM, StarCoder", "byteLevel", None,
        pre({"type": "Digits", "individual_digits": True}, level), level, chat)
    add("BLOOM", "byteLevel", None, pre(split(BLOOM), cut), level)
    add("byte letters by the normalizer", "byteLevel", {"type": "ByteLevel"}, None, level)

    old_llama = norm({"type": "Prepend", "prepend": "▁"}, replace(" ", "▁"))
    add("Llama 2, older", "pieceBpe", old_llama, None, PIECE_DECODER, sides)
    add("Llama 2", "pieceBpe", None, metaspace("first", False), PIECE_DECODER, sides)
    add("Mistral", "pieceBpe", None, metaspace("always", False), PIECE_DECODER, sides)
    add("Phi 3", "pieceBpe", old_llama, None, PIECE_DECODER,
        sides + [token("<|endoftext|>"), token("<|im_start|>", rstrip=True),
                 token("<|im_end|>", rstrip=True, normalized=True)])
    add("Gemma", "pieceBpe", replace(" ", "▁"), split(" ", "MergedWithPrevious", kind="String"),
        GEMMA_DECODER, sides + [token("<pad>"), token("\n\n", False, normalized=False)])
    add("Metaspace, split", "pieceBpe", None, metaspace(), META_DECODER, sides)
    add("Metaspace never", "pieceBpe", None, metaspace("never"), META_DECODER, sides)
    add("Metaspace first behind a split", "pieceBpe", None,
        pre({"type": "WhitespaceSplit"}, metaspace("first")), META_DECODER, sides)
    add("older Metaspace", "pieceBpe", None,
        {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}, META_DECODER)
    add("without bytes, fused", "pieceBpe", None, metaspace(), META_DECODER, byte_fallback=False)
    add("without bytes, not fused", "pieceBpe", None, metaspace("always", False), META_DECODER,
        byte_fallback=False, fuse_unk=False)
    add("no unknown token", "pieceBpe", None, metaspace(), META_DECODER, byte_fallback=False,
        unk_token=None)
    add("merges ignored for whole words", "pieceBpe", None, metaspace(), META_DECODER,
        ignore_merges=True)

    words = {"type": "Whitespace"}
    add("words of BPE", "wordBpe", None, words, {"type": "Fuse"})
    add("words of BPE, fused", "wordBpe", None, words, None, fuse_unk=True)
    add("BPE with a prefix", "prefixBpe", None, {"type": "BertPreTokenizer"}, WORD_PIECE_DECODER)
    add("BPE with a prefix, fused", "prefixBpe", {"type": "Lowercase"}, words, WORD_PIECE_DECODER,
        fuse_unk=True)
    add("BPE with a suffix, as OpenAI GPT", "suffixBpe", bert(), {"type": "BertPreTokenizer"},
        {"type": "BPEDecoder", "suffix": "</w>"})
    add("CLIP", "suffixBpe",
        norm(nfc, replace(r"\s+", " ", "Regex"), {"type": "Lowercase"}),
        split(CLIP, "Removed", True), {"type": "BPEDecoder", "suffix": "</w>"}, [end])

    add("T5", "unigram", PRECOMPILED, metaspace(), META_DECODER,
        [token("<pad>"), token("</s>"), token("<unk>"), token("<mask>", lstrip=True)])
    add("T5, newer", "unigram",
        norm(PRECOMPILED, {"type": "Strip", "strip_left": False, "strip_right": True},
             replace(" {2,}", "▁", "Regex")), metaspace(), META_DECODER)
    add("T5, not legacy", "unigram",
        norm(PRECOMPILED, {"type": "Strip", "strip_left": False, "strip_right": True},
             replace(" {2,}", "▁", "Regex")), metaspace("first"), META_DECODER)
    add("first piece of a stripped text", "unigram",
        norm({"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "Nmt"},
             {"type": "StripAccents"}), metaspace("first", False), META_DECODER)
    add("XLM-RoBERTa", "unigram", PRECOMPILED, pre({"type": "WhitespaceSplit"}, metaspace()),
        META_DECODER)
    add("ALBERT", "unigram",
        norm(replace("``", '"'), replace("''", '"'), {"type": "NFKD"}, {"type": "StripAccents"},
             {"type": "Lowercase"}, PRECOMPILED), metaspace(), META_DECODER)
    add("Unigram of rules for translation", "unigram", norm({"type": "Nmt"}, {"type": "NFKC"}),
        metaspace("first", False), META_DECODER)
    add("Unigram with bytes", "byteUnigram", None, metaspace(), PIECE_DECODER)
    add("Unigram with bytes, in one piece", "byteUnigram", replace(" ", "▁"), None, PIECE_DECODER)

    cased = bert(lowercase=False)
    marks = [token(name) for name in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]]
    before = {"type": "BertPreTokenizer"}
    add("BERT", "wordPiece", bert(), before, WORD_PIECE_DECODER, marks)
    add("BERT with capitals", "wordPiece", cased, before, WORD_PIECE_DECODER, marks)
    add("BERT with capitals, no accents", "wordPiece", bert(lowercase=False, strip_accents=True),
        before, WORD_PIECE_DECODER | {"cleanup": False})
    add("BERT, text as it is", "wordPiece", bert(clean_text=False, handle_chinese_chars=False),
        before, WORD_PIECE_DECODER)
    add("WordPiece of short words", "wordPiece", bert(), words, WORD_PIECE_DECODER,
        max_input_chars_per_word=6)
    add("WordLevel", "wordLevel", None, {"type": "WhitespaceSplit"})
    add("WordLevel, small letters", "wordLevel", {"type": "Lowercase"}, words)

    behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
    for behavior in behaviors:
        add(f"Punctuation {behavior}", "pieceBpe", None,
            {"type": "Punctuation", "behavior": behavior}, GEMMA_DECODER)
        add(f"Split {behavior}", "pieceBpe", None, split(" ", behavior, kind="String"))
        add(f"Split at a pattern, {behavior}", "byteLevel", None,
            pre(split(r"\d+|[A-Z]", behavior), cut), level)
        add(f"Split at the rest, {behavior}", "byteLevel", None,
            pre(split(r"\w+", behavior, True), cut), level)
    add("empty matches", "byteLevel", None, pre(split(r"x*", "MergedWithPrevious"), cut), level)
    add("looking around", "byteLevel", None,
        pre(split(r"(?<=[a-z])(?=[A-Z])|(?<!\d)\d|\b(?:the|fox)\b"), cut), level)
    add("nested classes", "byteLevel", None,
        pre(split(r"[\p{L}&&[^a-m]]+|[^\W\d_]++|(?>[!?]+)|\h{2,4}?"), cut), level)
    add("lines", "byteLevel", None, pre(split(r"^.|.$|\A\s|\s\z"), cut), level)
    add("no case", "byteLevel", None, pre(split(r"(?i)hello|[k-m]+"), cut), level)
    add("CharDelimiterSplit", "wordBpe", None, {"type": "CharDelimiterSplit", "delimiter": "e"})
    add("Digits", "wordBpe", None, pre({"type": "Digits", "individual_digits": False}, words))
    add("FixedLength", "byteLevel", None, pre({"type": "FixedLength", "length": 3}, cut), level)
    add("no pre-tokenizer", "byteLevel", None, None, level)

    for form in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"]:
        add(form, "byteUnigram", {"type": form}, metaspace(), PIECE_DECODER)
    add("Strip left", "byteLevel",
        {"type": "Strip", "strip_left": True, "strip_right": False}, level, level)
    add("Strip", "byteLevel", {"type": "Strip", "strip_left": True, "strip_right": True}, level,
        level)
    add("Replace by pattern", "byteLevel", norm(replace(r"\s*\n", "\n", "Regex"), replace("a", "")),
        level, level)

    every = [
        token("new", False, single_word=True),
        token("new york", False),
        token("Yesterday", False, lstrip=True, rstrip=True),
        token("dog", False, rstrip=True, normalized=False),
        token("the", False, lstrip=True, single_word=True, normalized=False),
        token("<mask>", lstrip=True, rstrip=True),
        token("<s>"),
        token("</s>", normalized=True),
    ]
    add("added tokens of all kinds", "byteLevel", {"type": "Lowercase"}, level, level, every)
    add("added tokens between pieces", "pieceBpe", None, metaspace("first"), META_DECODER, every)
    add("added tokens after Prepend", "pieceBpe", old_llama, None, PIECE_DECODER, every)
    return out
