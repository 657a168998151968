"""Five of pykan's tutorials over three seeds: what bench/kan_tutorials.ts is compared with.

    pip install pykan numpy scikit-learn matplotlib pandas tqdm pyyaml setuptools
    python bench/support/pykan_tutorials.py [problem or problem:seed ...]

One thread, float64, pykan's own settings. Writes errors (root mean square on other samples; for the
moons the share of wrong answers) and processor seconds of every seed to pykan_tutorials.json beside it.
"""

import contextlib
import importlib.metadata
import json
import os
import sys
import tempfile
import time

import numpy as np
import torch
from kan import KAN, LBFGS, create_dataset
from sklearn.datasets import make_moons

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
SEEDS = [0, 1, 2]


def root_mean_square(model, inputs, targets):
    with torch.no_grad():
        return float(torch.sqrt(torch.mean((model(inputs) - targets) ** 2)))


def hello(seed):
    """hellokan: sparse, pruned, refined, symbolic."""
    data = create_dataset(
        lambda x: torch.exp(torch.sin(torch.pi * x[:, [0]]) + x[:, [1]] ** 2), n_var=2, seed=seed
    )
    model = KAN(width=[2, 5, 1], grid=3, k=3, seed=seed)
    model.fit(data, opt="LBFGS", steps=50, lamb=0.001)
    model = model.prune()
    model.fit(data, opt="LBFGS", steps=50)
    model = model.refine(10)
    model.fit(data, opt="LBFGS", steps=50)
    library = ["x", "x^2", "x^3", "x^4", "exp", "log", "sqrt", "tanh", "sin", "abs"]
    model.auto_symbolic(lib=library, verbose=0)
    model.fit(data, opt="LBFGS", steps=50)
    return root_mean_square(model, data["test_input"], data["test_label"])


def refined(model, data, grids, steps, stop):
    for grid in grids:
        if grid != grids[0]:
            model = model.refine(grid)
        model.fit(data, opt="LBFGS", steps=steps, stop_grid_update_step=stop)
    return root_mean_square(model, data["test_input"], data["test_label"])


def function_fitting(seed):
    """Example 1: a [2, 1, 1] on finer and finer grids."""
    data = create_dataset(
        lambda x: torch.exp(torch.sin(torch.pi * x[:, [0]]) + x[:, [1]] ** 2), n_var=2, seed=seed
    )
    model = KAN(width=[2, 1, 1], grid=3, k=3, seed=seed)
    return refined(model, data, [3, 5, 10, 20], 50, 30)


def product(seed):
    """x y by one node that adds and one that multiplies: sparse, pruned, trained again."""
    data = create_dataset(lambda x: x[:, [0]] * x[:, [1]], n_var=2, seed=seed)
    model = KAN(width=[2, [1, 1], 1], grid=3, k=3, seed=seed)
    model.fit(data, opt="LBFGS", steps=50, lamb=0.01)
    model = model.prune()
    model.fit(data, opt="LBFGS", steps=50)
    return root_mean_square(model, data["test_input"], data["test_label"])


def classification(seed):
    """Example 3: two moons by a [2, 2] with cross entropy."""
    parts = {}
    for name, count, state in [("train", 1000, 2 * seed), ("test", 20000, 2 * seed + 1)]:
        x, y = make_moons(n_samples=count, shuffle=True, noise=0.1, random_state=state)
        parts[f"{name}_input"] = torch.from_numpy(x)
        parts[f"{name}_label"] = torch.from_numpy(y)
    model = KAN(width=[2, 2], grid=3, k=3, seed=seed)
    model.fit(parts, opt="LBFGS", steps=20, loss_fn=torch.nn.CrossEntropyLoss())
    with torch.no_grad():
        answers = torch.argmax(model(parts["test_input"]), dim=1)
    return float(torch.mean((answers != parts["test_label"]).to(torch.float64)))


def poisson(seed):
    """Example 6: u'' on a square by a [2, 2, 1], residuals through second derivatives."""
    axis = torch.linspace(-1, 1, 51)
    x, y = torch.meshgrid(axis, axis, indexing="ij")
    inside = torch.stack([x.reshape(-1), y.reshape(-1)]).permute(1, 0)
    edge = [torch.stack([x[at], y[at]], dim=1) for at in [0, -1]]
    edge += [torch.stack([x[:, at], y[:, at]], dim=1) for at in [0, -1]]
    boundary = torch.cat(edge)
    solution = lambda p: torch.sin(torch.pi * p[:, [0]]) * torch.sin(torch.pi * p[:, [1]])
    source = lambda p: -2 * torch.pi**2 * solution(p)
    model = KAN(width=[2, 2, 1], grid=5, k=3, seed=seed)
    optimizer = LBFGS(
        model.parameters(),
        lr=1,
        history_size=10,
        line_search_fn="strong_wolfe",
        tolerance_grad=1e-32,
        tolerance_change=1e-32,
        tolerance_ys=1e-32,
    )
    alpha = 0.01

    def closure():
        optimizer.zero_grad()
        points = inside.clone().requires_grad_(True)
        slopes = torch.autograd.grad(model(points).sum(), points, create_graph=True)[0]
        second = [
            torch.autograd.grad(slopes[:, d].sum(), points, create_graph=True)[0][:, [d]]
            for d in range(2)
        ]
        residual = torch.mean((second[0] + second[1] - source(inside)) ** 2)
        loss = alpha * residual + torch.mean((model(boundary) - solution(boundary)) ** 2)
        loss.backward()
        return loss

    for step in range(20):
        if step % 5 == 0:
            model.update_grid_from_samples(inside)
        optimizer.step(closure)
    return root_mean_square(model, inside, solution(inside))


PROBLEMS = [hello, function_fitting, product, classification, poisson]


def main():
    """Runs what is named, e.g. `hello` or `poisson:2` for one seed, or all; keeps other figures."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pykan_tutorials.json")
    record = json.load(open(path)) if os.path.exists(path) else {"problems": {}}
    names = ["pykan", "torch", "numpy"]
    record["versions"] = {name: importlib.metadata.version(name) for name in names}
    record["seeds"] = SEEDS
    problems = {each.__name__: each for each in PROBLEMS}
    scratch = tempfile.TemporaryDirectory()
    os.chdir(scratch.name)  # pykan writes checkpoints
    for chosen in sys.argv[1:] or problems:
        name, _, only = chosen.partition(":")
        figures = record["problems"].setdefault(
            name, {"errors": [None] * len(SEEDS), "seconds": [None] * len(SEEDS)}
        )
        for at, seed in enumerate(SEEDS):
            if only not in ("", str(seed)):
                continue
            start = time.process_time()
            with contextlib.redirect_stdout(sys.stderr):
                figures["errors"][at] = problems[name](seed)
            figures["seconds"][at] = round(time.process_time() - start, 2)
            print(name, seed, figures["errors"][at], figures["seconds"][at], file=sys.stderr)
            with open(path, "w") as file:
                json.dump(record, file, indent=2)
                file.write("\n")


if __name__ == "__main__":
    main()
