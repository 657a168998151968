"""Records how transformers continues texts, for pages_test.ts:

    python3 record_continuations.py FOLDER PROMPT [FOLDER PROMPT...]

Each FOLDER is a model; the likeliest token is taken, in float32. Prompts are such that it leads the
next one by far, so that rounding changes nothing. Writes continuations.json beside this file. Needs
torch and transformers.
"""

import json
import pathlib
import sys

import torch
import transformers

TOKENS = 20

recorded = {"transformers": transformers.__version__, "tokens": TOKENS, "models": {}}
for folder, prompt in zip(map(pathlib.Path, sys.argv[1::2]), sys.argv[2::2]):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        ids = model.generate(**inputs, max_new_tokens=TOKENS, do_sample=False)
        logits = model(ids).logits[0, inputs["input_ids"].shape[1] - 1 : -1]
    best = logits.topk(2).values
    print(folder.name, "least lead of the likeliest token:", float((best[:, 0] - best[:, 1]).min()))
    text = tokenizer.decode(ids[0], skip_special_tokens=True)
    recorded["models"][folder.name] = {"prompt": prompt, "text": text}
path = pathlib.Path(__file__).with_name("continuations.json")
path.write_text(json.dumps(recorded, indent=2) + "\n")
