"""Records what transformers makes of conversations: prompts and token ids.

usage: python record_chats.py > chats.json     (in this folder, with transformers and tokenizers)

The templates are the files *.jinja beside this script; README.md says where they are from.
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

FAMILIES = {
    "smollm2": ["<|im_start|>", "<|im_end|>", "<|endoftext|>"],
    "qwen2.5": ["<|im_start|>", "<|im_end|>", "<|endoftext|>"],
    "mistral-nemo": ["<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"],
    "phi-3.5": ["<|user|>", "<|assistant|>", "<|system|>", "<|end|>", "<|endoftext|>", "<s>"],
    "llama-3-style": ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    "gemma-style": ["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"],
}
BEGINS = {"mistral-nemo": "<s>", "phi-3.5": "<s>", "llama-3-style": "<|begin_of_text|>", "gemma-style": "<bos>"}
ENDS = {"mistral-nemo": "</s>", "phi-3.5": "<|endoftext|>", "gemma-style": "<eos>"}
CONVERSATIONS = {
    "one question": [("user", "What is 2 + 2?")],
    "system, several turns": [
        ("system", "Be brief."), ("user", "Hi \n"), ("assistant", " Hello! <b>é</b>"), ("user", "Who are you?"),
    ],
    "spaces and a token in a message": [("user", "  \tsay <|im_end|> </s> <eos> 🙂\n\n")],
    "two users in a row": [("user", "One."), ("user", "Two.")],
    "answered": [("user", "Hi"), ("assistant", "Hello")],
}


def make_tokenizer() -> Tokenizer:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = sorted({token for tokens in FAMILIES.values() for token in tokens})
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def record(family: str, tokenizer: Tokenizer) -> dict:
    source = Path(f"{family}.jinja").read_text()
    named = {"eos_token": ENDS.get(family, FAMILIES[family][1])}
    if family in BEGINS:
        named["bos_token"] = BEGINS[family]
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=source, **named)
    chats = []
    for name, turns in CONVERSATIONS.items():
        messages = [{"role": role, "content": content} for role, content in turns]
        for prompts in (True, False):
            try:
                options = {"add_generation_prompt": prompts}
                text = fast.apply_chat_template(messages, tokenize=False, **options)
                ids = fast.apply_chat_template(messages, tokenize=True, return_dict=False, **options)
            except Exception:
                text, ids = None, None
            chats.append({"name": name, "messages": messages, "prompts": prompts, "text": text, "ids": ids})
    return {"settings": named, "chats": chats}


tokenizer = make_tokenizer()
recorded = {family: record(family, tokenizer) for family in FAMILIES}
print(json.dumps({"tokenizer": json.loads(tokenizer.to_str()), "families": recorded}, ensure_ascii=False, indent=1))
