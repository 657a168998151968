"""Writes the checkpoints of this folder, and what their models answer.

    pip install pykan safetensors numpy scikit-learn matplotlib pandas tqdm pyyaml setuptools
    git clone https://github.com/Blealtan/efficient-kan
    PYTHONPATH=efficient-kan/src python kan/interchange/testdata/make_checkpoints.py
"""

import json
import os
import tempfile
from pathlib import Path

import torch
from efficient_kan import KAN as EfficientKan
from kan import KAN, create_dataset
from safetensors.torch import save_file

FOLDER = Path(__file__).resolve().parent
# Inside and outside the grids.
POINTS = [[0.1, -0.3, 0.5], [-0.72, 0.4, 0.9], [0.98, -0.95, -0.2], [1.3, 0.2, -1.6], [-2.5, 3, 2.2]]


def record(name, model, points):
    with torch.no_grad():
        outputs = model(torch.tensor(points, dtype=torch.get_default_dtype())).tolist()
    (FOLDER / f"{name}.json").write_text(json.dumps({"inputs": points, "outputs": outputs}) + "\n")


def make_pykan():
    torch.set_default_dtype(torch.float64)
    data = create_dataset(
        lambda x: x[:, [0]] * torch.sin(2 * x[:, [2]]) + x[:, [0]] ** 2, n_var=3, train_num=200
    )
    model = KAN(
        width=[3, [2, 2], 1],
        mult_arity=[[], [2, 3], []],
        grid=4,
        k=3,
        seed=0,
        affine_trainable=True,
        auto_save=True,
    )
    model.fit(data, opt="LBFGS", steps=4, lamb=1e-3)
    model = model.prune_input(active_inputs=[0, 2])
    model.get_act(data["train_input"])
    model.fix_symbolic(0, 0, 1, "sin", verbose=False)
    model.fix_symbolic(0, 1, 2, "arctan", fit_params_bool=False)
    model.remove_edge(0, 0, 3)
    model.fit(data, opt="LBFGS", steps=3, update_grid=False)
    with torch.no_grad():  # biases stay where they are exact outside the grids too
        model.node_bias[0][[0, 2, 3]] = 0
        model.subnode_bias[0][[0, 4, 5, 6]] = 0
        model.node_bias[1][:] = 0
        model.subnode_bias[1][:] = 0
    base = model.base_fun_name
    config = {
        "width": model.width,
        "mult_arity": model.mult_arity,
        "base_fun": base if isinstance(base, str) else type(base).__name__.lower(),
        "symbolic": [layer.funs_name for layer in model.symbolic_fun],
        "input_id": model.input_id.tolist(),
    }
    tensors = {
        name: value.detach().clone().contiguous() for name, value in model.state_dict().items()
    }
    path = FOLDER / "pykan.safetensors"
    save_file(tensors, path, metadata={"pykan": json.dumps(config, default=int)})
    record("pykan", model, POINTS)
    print(config, {name: list(value.shape) for name, value in tensors.items()})


def make_efficient_kan():
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(0)
    model = EfficientKan([2, 3, 2], grid_size=4)
    points = 2 * torch.rand(200, 2) - 1
    targets = torch.cat([points[:, :1] * points[:, 1:], torch.sin(3 * points[:, :1])], dim=1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for step in range(60):
        optimizer.zero_grad()
        torch.mean((model(points, update_grid=step == 20) - targets) ** 2).backward()
        optimizer.step()
    tensors = {
        name: value.detach().clone().contiguous() for name, value in model.state_dict().items()
    }
    save_file(tensors, FOLDER / "efficient_kan.safetensors")
    record("efficient_kan", model, [point[:2] for point in POINTS])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)  # pykan writes checkpoints
        make_pykan()
        make_efficient_kan()
