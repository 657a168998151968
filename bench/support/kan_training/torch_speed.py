"""Processor time of a step, forward and backward, of the KANs for PyTorch that are installed, of those
named efficient_kan, fastkan and kan (pykan): one thread, the best of many runs. Reads shapes as JSON
from standard input, prints one object a shape: milliseconds by name."""
import contextlib
import io
import json
import sys
import tempfile
import time

import torch

torch.set_num_threads(1)


def efficient_kan(widths):
    from efficient_kan import KAN

    return KAN(widths, grid_size=5)


def fast_kan(widths):
    from fastkan import FastKAN

    return FastKAN(widths, num_grids=8)


def pykan(widths):
    from kan import KAN

    with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as folder:
        return KAN(width=widths, grid=5, auto_save=False, ckpt_path=folder).speed()


def best(network, x):
    least = float("inf")
    for _ in range(20):
        start = time.process_time()
        network(x).square().mean().backward()
        least = min(least, time.process_time() - start)
        network.zero_grad()
    return 1000 * least


for shape in json.load(sys.stdin):
    x = torch.rand(shape["rows"], shape["widths"][0]) * 2 - 1
    figures = {}
    for name, create in [("efficient-kan", efficient_kan), ("fast-kan", fast_kan), ("pykan", pykan)]:
        try:
            network = create(shape["widths"])
        except ImportError:
            continue
        figures[name] = best(network, x)
    print(json.dumps(figures), flush=True)
