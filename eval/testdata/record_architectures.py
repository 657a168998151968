"""Records what transformers makes of a small model of every architecture.

    pip install torch transformers
    python eval/testdata/record_architectures.py

writes architecture_models.json beside this file, which eval/architecture_models_test.ts reads. Give
names of cases to record only these and keep the others. Weights follow from the names of tensors by a
formula, so that only configs and logits are stored.
"""

import base64
import json
import math
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM
from transformers import AutoModelForSequenceClassification

TARGET = Path(__file__).with_name("architecture_models.json")
VOCABULARY = 24
IDS = [(7 * i * i + 3 * i + 1) % VOCABULARY for i in range(20)]

LLAMA = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "max_position_embeddings": 32,
    "vocab_size": VOCABULARY,
}
DISTILBERT = {
    "model_type": "distilbert",
    "dim": 16,
    "hidden_dim": 24,
    "n_heads": 4,
    "n_layers": 2,
    "max_position_embeddings": 32,
    "vocab_size": VOCABULARY,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8}
LONGROPE = {
    "type": "longrope",
    "short_factor": [1.0, 1.5],
    "long_factor": [2.0, 5.0],
}
FALCON = {**LLAMA, "model_type": "falcon", "ffn_hidden_size": 40}

# Configs as they are found on the hub: some in the form of transformers 5, some in that of before.
# Numbers are such that everything matters: windows and original contexts are shorter than the text,
# soft caps are reached, factors are not 1.
CASES = {
    "distilbert": {**DISTILBERT, "architectures": ["DistilBertForMaskedLM"]},
    "distilbert, classes": {
        **DISTILBERT,
        "architectures": ["DistilBertForSequenceClassification"],
        "id2label": {"0": "bad", "1": "fair", "2": "good"},
    },
    "falcon": {**FALCON, "num_attention_heads": 4},
    "falcon, grouped": {**FALCON, "new_decoder_architecture": True, "num_kv_heads": 2},
    "falcon, grouped, one norm": {
        **FALCON,
        "new_decoder_architecture": True,
        "num_kv_heads": 2,
        "num_ln_in_parallel_attn": 1,
    },
    "falcon, sequential": {
        **FALCON,
        "multi_query": False,
        "parallel_attn": False,
        "bias": True,
    },
    "falcon, dynamic": {
        **FALCON,
        "max_position_embeddings": 10,
        "rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4},
    },
    "gemma": {
        **LLAMA,
        "model_type": "gemma",
        "head_dim": 8,
        "num_key_value_heads": 1,
        "hidden_act": "gelu",
    },
    "gemma2": {
        **LLAMA,
        "model_type": "gemma2",
        "head_dim": 8,
        "query_pre_attn_scalar": 6,
        "sliding_window": 5,
        "attn_logit_softcapping": 1.5,
        "final_logit_softcapping": 2.0,
    },
    "gemma3_text": {
        **LLAMA,
        "model_type": "gemma3_text",
        "num_hidden_layers": 3,
        "head_dim": 8,
        "query_pre_attn_scalar": 6,
        "sliding_window": 5,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        "rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
        },
        "final_logit_softcapping": 2.0,
    },
    "gemma3_text, before": {
        **LLAMA,
        "model_type": "gemma3_text",
        "head_dim": 8,
        "sliding_window": 5,
        "sliding_window_pattern": 2,
        "rope_theta": 5000.0,
        "rope_local_base_freq": 100.0,
        "rope_scaling": {"rope_type": "linear", "factor": 4.0},
    },
    "gpt2": {
        "model_type": "gpt2",
        "n_embd": 16,
        "n_head": 4,
        "n_layer": 2,
        "n_positions": 32,
        "vocab_size": VOCABULARY,
    },
    "gpt_neox": {
        **LLAMA,
        "model_type": "gpt_neox",
        "num_attention_heads": 2,
        "rotary_pct": 0.5,
    },
    "granite": {
        **LLAMA,
        "model_type": "granite",
        "attention_bias": True,
        "mlp_bias": True,
        "attention_multiplier": 0.4,
        "embedding_multiplier": 3.0,
        "logits_scaling": 1.7,
        "residual_multiplier": 0.6,
        "tie_word_embeddings": True,
    },
    "llama": {**LLAMA, "model_type": "llama"},
    "mistral": {**LLAMA, "model_type": "mistral", "sliding_window": 5},
    "olmo2": {**LLAMA, "model_type": "olmo2", "rope_theta": 500.0},
    "opt": {
        "model_type": "opt",
        "hidden_size": 16,
        "ffn_dim": 24,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "max_position_embeddings": 32,
        "vocab_size": VOCABULARY,
    },
    "phi": {**LLAMA, "model_type": "phi"},
    "phi3": {
        **LLAMA,
        "model_type": "phi3",
        "pad_token_id": 0,
        "partial_rotary_factor": 0.5,
        "sliding_window": 5,
    },
    "phi3, longrope": {
        **LLAMA,
        "model_type": "phi3",
        "pad_token_id": 0,
        "original_max_position_embeddings": 8,
        "rope_scaling": LONGROPE,
    },
    "qwen2": {**LLAMA, "model_type": "qwen2"},
    "qwen3": {**LLAMA, "model_type": "qwen3", "head_dim": 8},
    "seed_oss": {**LLAMA, "model_type": "seed_oss", "head_dim": 8},
    "seed_oss, other biases": {
        **LLAMA,
        "model_type": "seed_oss",
        "head_dim": 8,
        "attention_bias": False,
        "attention_out_bias": True,
        "mlp_bias": True,
    },
    "smollm3": {
        **LLAMA,
        "model_type": "smollm3",
        "pad_token_id": 0,
        "no_rope_layer_interval": 2,
        "rope_parameters": {**YARN, "rope_theta": 5000.0},
    },
    "smollm3, windows": {
        **LLAMA,
        "model_type": "smollm3",
        "pad_token_id": 0,
        "no_rope_layers": [0, 1],
        "use_sliding_window": True,
        "sliding_window": 5,
    },
    "stablelm": {
        **LLAMA,
        "model_type": "stablelm",
        "partial_rotary_factor": 0.5,
        "use_qkv_bias": True,
    },
    "stablelm, parallel": {
        **LLAMA,
        "model_type": "stablelm",
        "partial_rotary_factor": 0.5,
        "use_parallel_residual": True,
    },
    "starcoder2": {**LLAMA, "model_type": "starcoder2", "sliding_window": 5},
}

# Texts this long are read; where positions depend on the length, a shorter one too.
LENGTHS = {"falcon, dynamic": [6, 20], "phi3, longrope": [8, 20]}


def values(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Weights by the name of their tensor: as `formulaWeights` of architecture_models.ts."""
    state = 2166136261
    for byte in name.encode():
        state = (state ^ byte) * 16777619 % 2**32
    middle = 1 if len(shape) == 1 and name.endswith("weight") else 0
    spread = 0.3 if len(shape) == 1 else math.sqrt(6 / (shape[0] + shape[1]))
    numbers = []
    for _ in range(math.prod(shape)):
        state = (state * 1664525 + 1013904223) % 2**32
        numbers.append(middle + spread * ((state >> 8) / 2**23 - 1))
    return torch.tensor(numbers, dtype=torch.float32).reshape(shape)


def record(name: str, config: dict) -> dict:
    named = config.get("architectures", ["CausalLM"])[0]
    kinds = {
        "MaskedLM": AutoModelForMaskedLM,
        "SequenceClassification": AutoModelForSequenceClassification,
        "CausalLM": AutoModelForCausalLM,
    }
    kind = next(kind for suffix, kind in kinds.items() if named.endswith(suffix))
    # Saved and loaded again: names in memory may differ from those in checkpoints.
    with TemporaryDirectory() as folder:
        fresh = kind.from_config(AutoConfig.for_model(**json.loads(json.dumps(config))))
        fresh.save_pretrained(folder)
        file = f"{folder}/model.safetensors"
        weights = {key: values(key, tuple(old.shape)) for key, old in load_file(file).items()}
        save_file(weights, file, {"format": "pt"})
        model = kind.from_pretrained(folder, attn_implementation="eager").eval().float()
    logits = []
    with torch.no_grad():
        for length in LENGTHS.get(name, [len(IDS)]):
            found = model(torch.tensor([IDS[:length]])).logits.float().contiguous()
            text = base64.b64encode(found.numpy().tobytes()).decode()
            logits.append({"length": length, "f32": text})
    return {"name": name, "config": config, "logits": logits}


def main() -> None:
    wanted = sys.argv[1:] or list(CASES)
    for name in wanted:
        if name not in CASES:
            sys.exit(f"{name}: is no case; add it to CASES, which has {'; '.join(CASES)}")
    known = json.loads(TARGET.read_text())["cases"] if sys.argv[1:] else []
    cases = {case["name"]: case for case in known}
    for name in wanted:
        cases[name] = record(name, CASES[name])
    TARGET.write_text(
        json.dumps(
            {
                "source": f"transformers {transformers.__version__}, torch {torch.__version__}",
                "ids": IDS,
                "cases": [cases[name] for name in CASES],
            },
            indent=2,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
