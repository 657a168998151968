"""Records layers as AutoGPTQ and AutoAWQ pack them, and the weights that these make of them.

usage: pip install torch numpy transformers
       pip install --no-deps auto-gptq==0.7.1 autoawq==0.2.9
       python record_layers.py        (writes layers.json beside itself)

Only the packing and the arithmetic of the two packages are used, from their files: the packages
themselves need a GPU and older versions of transformers.
"""

import base64
import importlib.util
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
torch.manual_seed(15)


def load(package: str, module: str):
    """A module of a package, without the package itself."""
    spec = importlib.util.find_spec(package)
    file = Path(spec.submodule_search_locations[0]) / module
    loaded = importlib.util.spec_from_file_location(module.replace("/", "_"), file)
    found = importlib.util.module_from_spec(loaded)
    loaded.loader.exec_module(found)
    return found


def text(tensor: torch.Tensor) -> dict:
    array = np.ascontiguousarray(tensor.detach().numpy())
    names = {"int32": "I32", "float16": "F16", "float32": "F32"}
    return {
        "dtype": names[str(array.dtype)],
        "shape": list(array.shape),
        "bytes": base64.b64encode(array.tobytes()).decode(),
    }


def scales_and_zeros(weight: torch.Tensor, group_of: torch.Tensor, bits: int):
    groups = int(group_of.max()) + 1
    scales, zeros = torch.zeros(weight.shape[0], groups), torch.zeros(weight.shape[0], groups)
    for group in range(groups):
        part = weight[:, group_of == group]
        least, most = part.min(1).values.clamp(max=0), part.max(1).values.clamp(min=0)
        scales[:, group] = ((most - least) / (2**bits - 1)).half().float()
        zeros[:, group] = torch.round(-least / scales[:, group]).clamp(1, 2**bits - 1)
    return scales, zeros


def gptq_layer(bits: int, ordered: bool) -> dict:
    sys.modules.setdefault("autogptq_cuda_64", types.ModuleType("autogptq_cuda_64"))
    sys.modules.setdefault("autogptq_cuda_256", types.ModuleType("autogptq_cuda_256"))
    quant_linear = load("auto_gptq", "nn_modules/qlinear/qlinear_cuda.py").QuantLinear
    inputs, outputs, group = 64, 32, 32
    linear = nn.Linear(inputs, outputs, bias=False)
    group_of = torch.arange(inputs) // group
    if ordered:
        group_of = group_of[torch.randperm(inputs)]
    group_of = group_of.to(torch.int32)
    scales, zeros = scales_and_zeros(linear.weight.data, group_of, bits)
    layer = quant_linear(bits, group, inputs, outputs, False, weight_dtype=torch.float16)
    linear.weight.data = linear.weight.data.half()
    layer.pack(linear, scales.half(), zeros.clone(), group_of)
    stored = {name: text(getattr(layer, name)) for name in ("qweight", "qzeros", "scales", "g_idx")}
    # What an identity is mapped to is the weight, in float32 as the scales then are.
    layer.scales = layer.scales.float()
    weight = layer(torch.eye(inputs)).T.contiguous()
    return {"name": f"GPTQ, {bits} bits{', ordered by activations' if ordered else ''}",
            "bits": bits, "tensors": stored, "weight": text(weight)}  # fmt: skip


def awq_layer() -> dict:
    packing = load("awq", "utils/packing_utils.py")
    inputs, outputs, group = 64, 32, 32
    weight = torch.randn(outputs, inputs)
    scales, zeros = scales_and_zeros(weight, torch.arange(inputs) // group, 4)
    scales, zeros = scales.T.contiguous(), zeros.T.contiguous().to(torch.int32)
    integers = (weight.T / scales.repeat_interleave(group, 0)).round().to(torch.int32)
    integers = (integers + zeros.repeat_interleave(group, 0)).clamp(0, 15)

    def packed(values: torch.Tensor) -> torch.Tensor:
        words = torch.zeros(values.shape[0], values.shape[1] // 8, dtype=torch.int32)
        for place, output in enumerate(packing.AWQ_ORDER):
            words |= values[:, output::8] << 4 * place
        return words

    tensors = {"qweight": packed(integers), "qzeros": packed(zeros), "scales": scales.half()}
    found = packing.dequantize_gemm(
        tensors["qweight"], tensors["qzeros"], tensors["scales"].float(), 4, group
    )
    return {"name": "AWQ", "bits": 4, "tensors": {name: text(value) for name, value in tensors.items()},
            "weight": text(found.T.contiguous())}  # fmt: skip


def main() -> None:
    layers = [gptq_layer(bits, False) for bits in (2, 3, 4, 8)] + [gptq_layer(4, True), awq_layer()]
    (HERE / "layers.json").write_text(json.dumps(layers, indent=1) + "\n")


if __name__ == "__main__":
    main()
