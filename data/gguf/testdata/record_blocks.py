"""Records blocks of every quantized type that kanpress reads, and what PyPI's gguf makes of them.

usage: python record_blocks.py    (needs `pip install gguf numpy`; writes blocks.json beside itself)
"""

import base64
import json
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize

# Where the half-precision scales of a block are.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0],
}  # fmt: skip


def text(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()


def main() -> None:
    random = np.random.default_rng(15)
    recorded = {}
    for name, places in SCALES.items():
        kind = GGMLQuantizationType[name]
        length, size = GGML_QUANT_SIZES[kind]
        blocks = random.integers(0, 256, (512 // length // (8 if length == 32 else 1), size), dtype=np.uint8)
        for place in places:
            # Scales of all magnitudes and signs, subnormal ones included.
            scales = random.normal(size=len(blocks)) * 10.0 ** random.uniform(-7, 2, len(blocks))
            blocks[:, place : place + 2] = scales.astype(np.float16).view(np.uint8).reshape(-1, 2)
        recorded[name] = {"bytes": text(blocks), "values": text(dequantize(blocks, kind))}
    file = Path(__file__).with_name("blocks.json")
    file.write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main()
