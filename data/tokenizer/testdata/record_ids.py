"""Records the ids that Hugging Face's Rust tokenizers give 40 texts under some 80 tokenizer.json.

    pip install tokenizers==0.23.3
    python record_ids.py        # writes recorded_ids.json.gz beside this file

The vocabularies are trained here on the texts themselves, so that they are small; each variant is a
tokenizer.json whose parts are those of a family of models, or one feature in several settings.
The file holds the texts, the parts, the ids of each text and, where it is not the text
itself, what they are decoded to. Ids that are "!" stand for an error of the library.
"""
import base64
import gzip
import json
import pathlib
import struct

import tokenizers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

TEXTS = [
    "",
    " ",
    "\n",
    "Hello world",
    "  Two  spaces, then\ttabs\t\tand   three. ",
    "Line one\nLine two\r\nLine three\n\n\nLine seven\r",
    "It's we'll I'VE they'Re 's'S'\u017f don't o'clock",
    "1 12 123 1234 12345 3.14159 2,718,281 0x1F 1e-9 ½ ² Ⅷ ٣٤",
    "«Quoted», “smart” … em—dash – en-dash? ¿Qué! (brackets) [x] {y} <z> #tag @user $5 50% a_b_c",
    "!!! ??? ... --- *** ===>>> :-) ;;",
    "ΟΔΥΣΣΕΥΣ Οδυσσεύς ΣΑΣ Σ Aς",
    "İstanbul ISTANBUL ıi STRASSE Straße ß ẞ ŉ",
    "café cafe\u0301 naïve Ångström e\u0301\u0327 ậ Å",
    "日本語のテキスト、東京。ｶﾀｶﾅ ガ 한국어 각 각",
    "中文文本，没有空格。混合English单词123",
    "Привет, мир! Ёлка й Україна",
    "مرحبا بالعالم كيف الحال؟ שלום עולם",
    "नमस्ते दुनिया क्षि ไทยภาษา ทำ",
    "😀😃 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 ☃️ ♥ 🇫🇷🇩🇪",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝄞 𐍈 🜁 ﬁne ﬀ ﬆop Ｆｕｌｌｗｉｄｔｈ ㍿ ①②",
    "byte\ufefforder \ufeffmark\u200b zero\u200dwidth soft\u00adhyphen",
    "nbsp\u00a0here\u2003em\u2009thin\u3000ideographic\u1680ogham\u0085next\u2028line\u2029para",
    "tab\x0bvertical\x0cform \x00nul \x07bell \x1besc \x7fdel \x9fapc \ufffd",
    "▁lower▁one ▁ ▁▁ <0x0A> <unk> ## ##ing Ġ Ċ </w>",
    "<s>begin</s> mid <s> x</s>y <|endoftext|> z <pad><mask>",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|> <|im_end|>",
    "[CLS] word [SEP] [MASK] [UNK] cls [sep]",
    "def f(x):\n    return x ** 2  # comment\n\tif x:\n\t\tpass\n",
    "https://example.com/a/b?c=d&e=f#g user.name@example.org C:\\path\\file.txt",
    "a" * 40 + " " + "longword" * 15 + " end",
    "un unhappy unhappiness happily unrelated relating related",
    "Mixed CASE wOrDs McDonald iPhone HTTPServer XMLHttpRequest snake_case camelCase",
    "   leading",
    "trailing   ",
    "\t\n mixed \n\n  \n white",
    "x",
    "''``quotes''`` \"double\" 'single' `back`",
    "new york city newyork yesterday Yesterday NEW",
    "The quick brown fox jumps over the lazy dog. The dog sleeps.",
    "0,1;2:3|4/5\\6-7+8=9 §¶†‡•·° ©®™ €£¥₿ ∑∏√∞ ←→",
]

SENTENCES = TEXTS + [
    "The old house stood at the end of the lane, and nobody had lived there for many years.",
    "It was a bright cold day in April, and the clocks were striking thirteen.",
    "relate relating relation unrelated happy happily unhappy happiness word words world worlds",
    "She opened the door and looked into the dark room; there was nothing there at all.",
    "new york new york new york yesterday yesterday text texts token tokens line lines",
] * 3


def part(component):
    """JSON of a component."""
    if component is None or isinstance(component, dict):
        return component
    return json.loads(component.__getstate__())


def parts_of(tokenizer):
    return json.loads(tokenizer.to_str())


def train(model, trainer, normalizer=None, pre_tokenizer=None):
    tokenizer = Tokenizer(model)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return parts_of(tokenizer)["model"]


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def base_models():
    meta = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    latin = [chr(c) for c in range(0x20, 0x7F)]
    byte_level = train(
        models.BPE(),
        trainers.BpeTrainer(
            vocab_size=420,
            show_progress=False,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        ),
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False),
    )
    piece_bpe = train(
        models.BPE(),
        trainers.BpeTrainer(
            vocab_size=560,
            show_progress=False,
            limit_alphabet=110,
            special_tokens=["<unk>", "<s>", "</s>"] + BYTES,
        ),
        pre_tokenizer=meta,
    )
    piece_bpe.update(unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    word_bpe = train(
        models.BPE(unk_token="<unk>"),
        trainers.BpeTrainer(
            vocab_size=260, show_progress=False, limit_alphabet=100, special_tokens=["<unk>"]
        ),
        pre_tokenizer=pre_tokenizers.Whitespace(),
    )
    prefix_bpe = train(
        models.BPE(unk_token="<unk>", continuing_subword_prefix="##"),
        trainers.BpeTrainer(
            vocab_size=320,
            show_progress=False,
            limit_alphabet=80,
            continuing_subword_prefix="##",
            special_tokens=["<unk>"],
        ),
        pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
    )
    suffix_bpe = train(
        models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"),
        trainers.BpeTrainer(
            vocab_size=320,
            show_progress=False,
            limit_alphabet=80,
            end_of_word_suffix="</w>",
            special_tokens=["<unk>"],
        ),
        pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
    )
    unigram = train(
        models.Unigram(),
        trainers.UnigramTrainer(
            vocab_size=300,
            show_progress=False,
            unk_token="<unk>",
            special_tokens=["<pad>", "</s>", "<unk>"],
            initial_alphabet=latin[:60],
        ),
        pre_tokenizer=meta,
    )
    for entry in unigram["vocab"]:
        entry[1] = round(entry[1], 6)
    byte_unigram = dict(unigram, byte_fallback=True)
    byte_unigram["vocab"] = unigram["vocab"] + [[token, 0.0] for token in BYTES]
    word_piece = train(
        models.WordPiece(unk_token="[UNK]"),
        trainers.WordPieceTrainer(
            vocab_size=420,
            show_progress=False,
            limit_alphabet=120,
            special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        ),
        normalizer=normalizers.BertNormalizer(),
        pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
    )
    word_level = train(
        models.WordLevel(unk_token="<unk>"),
        trainers.WordLevelTrainer(vocab_size=120, show_progress=False, special_tokens=["<unk>"]),
        pre_tokenizer=pre_tokenizers.Whitespace(),
    )
    found = {
        "byteLevel": byte_level,
        "pieceBpe": piece_bpe,
        "wordBpe": word_bpe,
        "prefixBpe": prefix_bpe,
        "suffixBpe": suffix_bpe,
        "unigram": unigram,
        "byteUnigram": byte_unigram,
        "wordPiece": word_piece,
        "wordLevel": word_level,
    }
    for model in found.values():
        if isinstance(model.get("vocab"), dict):
            model["vocab"] = dict(sorted(model["vocab"].items(), key=lambda item: item[1]))
    return found


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


def record():
    base = base_models()
    recorded = []
    for name, model, settings, normalizer, pre_tokenizer, decoder, added in variants():
        whole = {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": None,
            "decoder": decoder, "model": base[model] | settings,
        }
        tokenizer = Tokenizer.from_str(json.dumps(whole))
        for item in added:
            item = dict(item)
            special = item.pop("special")
            new = tokenizers.AddedToken(item.pop("content"), special=special, **item)
            tokenizer.add_special_tokens([new]) if special else tokenizer.add_tokens([new])
        ids, decoded = [], {}
        for index, text in enumerate(TEXTS):
            try:
                found = tokenizer.encode(text, add_special_tokens=False).ids
            except Exception:
                ids.append("!")
                continue
            ids.append(" ".join(map(str, found)))
            back = tokenizer.decode(found, skip_special_tokens=False)
            if back != text:
                decoded[index] = back
        recorded.append({
            "name": name, "model": model, "settings": settings, "normalizer": normalizer,
            "pre_tokenizer": pre_tokenizer, "decoder": decoder,
            "added_tokens": parts_of(tokenizer)["added_tokens"], "ids": ids, "decoded": decoded,
        })
    return {"library": f"tokenizers {tokenizers.__version__}", "texts": TEXTS, "models": base,
            "variants": recorded}


def main():
    whole = record()
    compact = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    lines = ",\n".join(compact(variant) for variant in whole.pop("variants"))
    head = compact(whole)[:-1]
    file = pathlib.Path(__file__).with_name("recorded_ids.json.gz")
    file.write_bytes(gzip.compress(f'{head},"variants":[\n{lines}\n]}}\n'.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
