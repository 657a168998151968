"""Records the ids that Hugging Face's Rust tokenizers give 40 texts under some 80 tokenizer.json.

    pip install tokenizers==0.23.3
    python record_ids.py        # writes recorded_ids.json.gz beside this file

The vocabularies are trained on the texts of texts.py, so that they are small; each of variants.py is
a tokenizer.json whose parts are those of a family of models, or one feature in several settings.
The file holds the texts, the parts, the ids of each text and, where it is not the text itself, what
they are decoded to. Ids that are "!" stand for an error of the library. Training breaks ties by
chance, so that another run records other vocabularies with other ids.
"""
import gzip
import json
import pathlib

import tokenizers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from texts import SENTENCES, TEXTS
from variants import variants


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
