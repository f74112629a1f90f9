#!/usr/bin/env python3
"""The paper's own score in PyTorch: one repetition for each line read; `protocol.py` explains the lines.

`procrustes_similarity` follows what LLM-Microscope does (centre, divide by the Frobenius norm, thin SVD of X,
A = V·S⁻¹·Uᵀ·Y without a cut, 1 − ‖XA − Y‖²), in f32 as it runs there, with the products in the cheaper order; the score without the residual stream is
the same on Y − X. `gram` is the better way that PyTorch offers: f32 products of centred states, Cholesky in f64.

The states are written on start, as `.npy` files in `SIXFOLD_POINTS` that `benches/src/bin/linearity_peer.rs`
reads too: X is N(½, 1/j) along coordinate j, and Y = X + ½·tanh(3·XP) + noise with a permutation P.
"""

import os
import sys
from pathlib import Path

import numpy as np
import torch

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from protocol import serve  # noqa: E402

POINTS = Path(os.environ["SIXFOLD_POINTS"])
SHAPES = [(20_000, 768), (20_000, 4096)]
RESULTS = {}


def states(n, d):
    random = np.random.default_rng(0)
    scales = np.arange(1, d + 1) ** -0.5
    x = (random.standard_normal((n, d), dtype=np.float32) * scales + 0.5).astype(np.float32)
    noise = 0.1 * random.standard_normal((n, d), dtype=np.float32) * scales
    return x, (x + 0.5 * np.tanh(3 * x[:, random.permutation(d)]) + noise).astype(np.float32)


def files(n, d):
    """The files of the states, written if this is the first time."""
    paths = [POINTS / f"{side}_{n}x{d}.npy" for side in ("before", "after")]
    if not all(path.exists() for path in paths):
        POINTS.mkdir(parents=True, exist_ok=True)
        for path, matrix in zip(paths, states(n, d), strict=True):
            partial = path.with_suffix(".partial.npy")
            np.save(partial, matrix)
            partial.rename(path)
    return paths


def procrustes_similarity(x, y):
    def unit(a):
        a = a - a.mean(0, keepdim=True)
        return a / a.norm()

    x, y = unit(x), unit(y)
    u, s, vt = torch.linalg.svd(x, full_matrices=False)
    a = vt.T @ ((u.T @ y) / s[:, None])
    return (1 - ((x @ a - y) ** 2).sum()).item()


def official(x, y):
    return [procrustes_similarity(x, y), procrustes_similarity(x, y - x)]


def gram(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    g, c = (x.T @ x).double(), (x.T @ y).double()
    total = (y.double() ** 2).sum()
    lower = torch.linalg.cholesky(g)
    explained = (torch.linalg.solve_triangular(lower, c, upper=False) ** 2).sum()
    score = (explained / total).item()
    step = (total - 2 * c.trace() + g.trace()).item()
    return [score, 1 - (1 - score) * total.item() / step]


METHODS = {"official": official, "gram": gram}


def prepare(name, paths, method):
    x, y = (torch.from_numpy(np.load(path)) for path in paths)

    def run():
        RESULTS[name] = method(x, y)

    return run


WORK = {
    f"linearity_{n}x{d}": (
        tuple(METHODS),
        lambda variant, n=n, d=d: prepare(f"linearity_{n}x{d}:{variant}", files(n, d), METHODS[variant]),
        1,
        3.0 * n * d * d,
        "FLOP",
    )
    for n, d in SHAPES
}


def about():
    return dict(versions={"torch": torch.__version__, "numpy": np.__version__}, results=RESULTS)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    for shape in SHAPES:
        files(*shape)
    serve(WORK, about)
