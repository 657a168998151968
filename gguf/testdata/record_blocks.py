"""Records what PyPI's gguf makes of blocks of odd values: python record_blocks.py > quantized.json"""
import json

import gguf
import numpy as np

TYPES = ["Q8_0", "Q5_0", "Q4_0", "BF16"]


def values():
    random = np.random.default_rng(15)
    rows = [
        random.standard_normal(32),
        random.standard_normal(32) * 1e-6,
        random.standard_t(2, 32) * 30,
        np.zeros(32),
        -np.abs(random.standard_normal(32)),
        np.arange(-16, 16),
        np.arange(-16, 16) / 2 + 0.25,
        np.full(32, 3.0),
        np.where(np.arange(32) == 7, -5.0, 0.0),
        np.where(np.arange(32) % 2 == 0, 1.0, -1.0),
        random.standard_normal(32) * 1e-9,
        np.round(random.standard_normal(32) * 4) / 4,
    ]
    return np.concatenate([np.stack(rows), random.standard_normal((36, 32))]).astype(np.float32)


array = values()
with np.errstate(divide="ignore"):
    print(json.dumps({
        "library": f"gguf {__import__('importlib.metadata').metadata.version('gguf')}",
        "values": array.tobytes().hex(),
        "quantized": {
            name: gguf.quants.quantize(array, gguf.GGMLQuantizationType[name]).tobytes().hex()
            for name in TYPES
        },
    }))
