"""Trains pykan's networks on the problems that it is given on standard input as JSON, one a line:
widths, seeds, steps, train and test data. Prints one line of test errors (root mean square) for each."""
import json
import sys
import tempfile
import time

import torch

torch.set_num_threads(1)
from kan import KAN  # noqa: E402

for line in sys.stdin:
    problem = json.loads(line)
    tensor = lambda rows: torch.tensor(rows, dtype=torch.float32)
    data = {
        "train_input": tensor(problem["train"]["inputs"]),
        "train_label": tensor(problem["train"]["targets"]),
        "test_input": tensor(problem["test"]["inputs"]),
        "test_label": tensor(problem["test"]["targets"]),
    }
    errors, seconds = [], []
    for seed in problem["seeds"]:
        with tempfile.TemporaryDirectory() as folder:
            model = KAN(width=problem["widths"], grid=5, k=3, seed=seed, auto_save=False, ckpt_path=folder)
            model.speed()
            start = time.time()
            model.fit(data, opt="LBFGS", steps=problem["steps"], log=10**9)
            seconds.append(time.time() - start)
            error = torch.sqrt(torch.mean((model(data["test_input"]) - data["test_label"]) ** 2)).item()
        errors.append(error)
    print(json.dumps({"errors": errors, "seconds": seconds}), flush=True)
