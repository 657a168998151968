"""Writes small GGUF models with PyPI's gguf and records what transformers makes of them.

usage: python record_models.py      (needs `pip install gguf transformers torch tokenizers`)

Writes tiny_llama.gguf, a Llama of random weights in many types with a byte-level vocabulary, and
tiny_sentencepiece.gguf, one with a SentencePiece vocabulary; and models.json, with the ids and logits
that transformers gets by `gguf_file=`. Training breaks ties by chance: another run makes other files.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, TokenType, quantize
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "tokenizer" / "testdata"))
from texts import SENTENCES, TEXTS  # noqa: E402

HIDDEN, INNER, HEADS, KEY_HEADS, LAYERS = 64, 64, 4, 2, 2
TYPES = {
    "token_embd": "Q8_0", "attn_q": "Q4_0", "attn_k": "Q5_0", "attn_v": "Q5_1", "attn_output": "Q4_1",
    "ffn_gate": "F16", "ffn_up": "BF16", "ffn_down": "Q8_0",
}  # fmt: skip


def with_rotary_pairs(weight: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp's order of rotary rows."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def byte_level_vocabulary(writer: GGUFWriter) -> int:
    tokenizer = Tokenizer(models.BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    parts = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(parts["vocab"], key=parts["vocab"].get) + ["<think>"]
    kinds = [TokenType.CONTROL] * 3 + [TokenType.NORMAL] * (len(tokens) - 4) + [TokenType.USER_DEFINED]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in parts["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_eot_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")
    return len(tokens)


def sentencepiece_vocabulary(writer: GGUFWriter) -> int:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=300, limit_alphabet=60))
    vocabulary = json.loads(tokenizer.to_str())["model"]["vocab"]
    learned = sorted(vocabulary, key=vocabulary.get)
    special, byte = ["<unk>", "<s>", "</s>"], [f"<0x{number:02X}>" for number in range(256)]
    letters = [token for token in learned if len(token) == 1]
    words = [token for token in learned if len(token) > 1 and token not in special]
    tokens = [*special, *byte, *words, *letters]
    # As SentencePiece's BPE scores: by the order in which merges were learned, single characters last.
    scores = [0.0] * (len(special) + len(byte)) + [-float(rank) for rank in range(len(words) + len(letters))]
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, *[TokenType.BYTE] * 256]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds + [TokenType.NORMAL] * (len(tokens) - len(kinds)))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    return len(tokens)


def write_model(name: str, add_vocabulary, hidden: int, layers: int) -> None:
    random = np.random.default_rng(7)
    writer = GGUFWriter(HERE / name, "llama")
    writer.add_name("Tiny")
    writer.add_organization("kanpress")
    writer.add_license("mit")
    writer.add_languages(["en"])
    writer.add_context_length(64)
    writer.add_embedding_length(hidden)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(hidden // HEADS)
    writer.add_rope_freq_base(20000.0)
    vocabulary = add_vocabulary(writer)
    writer.add_vocab_size(vocabulary)
    rows = {
        "attn_q": hidden, "attn_k": hidden * KEY_HEADS // HEADS, "attn_v": hidden * KEY_HEADS // HEADS,
        "attn_output": hidden, "ffn_gate": INNER, "ffn_up": INNER, "ffn_down": hidden,
    }  # fmt: skip

    def add(tensor: str, shape: tuple[int, ...]) -> None:
        kind = tensor.split(".")[-2]
        values = random.normal(size=shape).astype(np.float32)
        if kind not in TYPES:
            writer.add_tensor(tensor, 1 + values / 10)
            return
        values /= np.sqrt(shape[1])
        if kind in ("attn_q", "attn_k"):
            values = with_rotary_pairs(values, HEADS if kind == "attn_q" else KEY_HEADS)
        dtype = Type[TYPES[kind]]
        writer.add_tensor(tensor, quantize(values, dtype), raw_dtype=dtype)

    add("token_embd.weight", (vocabulary, hidden))
    add("output_norm.weight", (hidden,))
    for layer in range(layers):
        add(f"blk.{layer}.attn_norm.weight", (hidden,))
        add(f"blk.{layer}.ffn_norm.weight", (hidden,))
        for kind, count in rows.items():
            add(f"blk.{layer}.{kind}.weight", (count, INNER if kind == "ffn_down" else hidden))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    write_model("tiny_llama.gguf", byte_level_vocabulary, HIDDEN, LAYERS)
    write_model("tiny_sentencepiece.gguf", sentencepiece_vocabulary, 32, 1)
    recorded = {}
    for file in ("tiny_llama.gguf", "tiny_sentencepiece.gguf"):
        tokenizer = AutoTokenizer.from_pretrained(HERE, gguf_file=file)
        model = AutoModelForCausalLM.from_pretrained(HERE, gguf_file=file, dtype=torch.float32)
        ids = [1, 70, 130, 200, 5, 300, 64, 2, 90, 260, 31, 12]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0]
        every = tokenizer(TEXTS, add_special_tokens=False).input_ids
        recorded[file] = {
            "ids": ids,
            # Every 16th of the last token's.
            "logits": [round(float(value), 6) for value in logits[-1][::16]],
            "tokens": [" ".join(map(str, tokens)) for tokens in every],
            "beginning": tokenizer("a").input_ids,
        }
    text = json.dumps({"texts": TEXTS, "models": recorded}, ensure_ascii=True, indent=1)
    (HERE / "models.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
