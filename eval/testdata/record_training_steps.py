"""Records what PyTorch makes of a training step of small models.

    pip install torch transformers
    python eval/testdata/record_training_steps.py

writes training_steps.json beside this file, which eval/training/recorded_steps_test.ts reads. The original
has the weights of record_architectures.py; the trained model's follow from them, and its gains and
vectors from their places, by formulas that the test repeats.
"""

import base64
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import transformers
from record_architectures import CASES, IDS, values
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

TARGET = Path(__file__).with_name("training_steps.json")
NAMES = ["gpt2", "llama", "gemma2", "qwen3", "phi3", "falcon, grouped"]
LENGTH = 8


def wave(count: int, size: float, phase: int) -> torch.Tensor:
    return 1 + size * torch.sin(torch.arange(count, dtype=torch.float64) + phase)


def encode(gradient: torch.Tensor) -> str:
    return base64.b64encode(gradient.to(torch.float32).numpy().tobytes()).decode()


def record(name: str) -> dict:
    with TemporaryDirectory() as folder:
        config = AutoConfig.for_model(**json.loads(json.dumps(CASES[name])))
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
        file = f"{folder}/model.safetensors"
        weights = {key: values(key, tuple(old.shape)) for key, old in load_file(file).items()}
        save_file(weights, file, {"format": "pt"})
        model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    model = model.eval().double()
    ids = torch.tensor(IDS[: 2 * LENGTH]).reshape(2, LENGTH)
    leaves, trained = {}, {}
    for key, weight in weights.items():
        base = weight.double()
        if base.dim() == 1:
            leaves[key] = [base * wave(len(base), 0.1, 3)]
            trained[key] = leaves[key][0].requires_grad_()
            continue
        rows, columns = base.shape
        base = base * wave(rows * columns, 0.3, 0).reshape(rows, columns)
        leaves[key] = [wave(rows, 0.1, 1).requires_grad_(), wave(columns, 0.1, 2).requires_grad_()]
        trained[key] = leaves[key][0][:, None] * base * leaves[key][1][None, :]
    assert set(trained) <= set(model.state_dict()), set(trained) - set(model.state_dict())
    with torch.no_grad():
        original = torch.log_softmax(model(ids).logits, -1)
    found = torch.func.functional_call(model, trained, (ids,)).logits
    apart = original - torch.log_softmax(found, -1)
    loss = (original.exp() * apart).sum(-1).mean()
    loss.backward()
    gradients = {key: [encode(leaf.grad) for leaf in own] for key, own in leaves.items()}
    return {"name": name, "loss": loss.item(), "gradients": gradients}


source = f"transformers {transformers.__version__}, torch {torch.__version__}"
cases = [record(name) for name in NAMES]
recorded = {"source": source, "length": LENGTH, "cases": cases}
TARGET.write_text(json.dumps(recorded, indent=2) + "\n")
