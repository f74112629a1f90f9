#!/usr/bin/env python3
"""One iteration of the paper's reference code (AlexGrinch/ro_sgns), ported: one for each line read; `protocol.py`
explains the lines.

Written from a description of that code, which is Python 2 and does not run as it stands: dense n×n counts D and
expected counts B in float64; every iteration a truncated SVD of the whole X (`svds`), the gradient at the product
rebuilt from it, logistic functions with boolean masks, one for each sign, X + ηF formed anew for either product, and
two QR decompositions.

Counts and first factors are what `benches/src/bin/sgns_peer.rs` wrote in `SIXFOLD_POINTS`.
"""

import os
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy.sparse.linalg import svds

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from protocol import serve  # noqa: E402

POINTS = Path(os.environ["SIXFOLD_POINTS"])
D, NEGATIVES, STEP, PARITY = 100, 5, 900.0, 5
RECORD = [("word", "<u4"), ("context", "<u4"), ("count", "<f8")]
RESULTS = {}


def sigmoid(x):
    y = x.copy()
    y[x > 20] = 1 - 1e-6
    y[x < -20] = 1e-6
    middle = (x > -20) & (x < 20)
    y[middle] = 1 / (1 + np.exp(-x[middle]))
    return y


class Reference:
    def __init__(self, n):
        records = np.fromfile(POINTS / f"counts_{n}.raw", RECORD)
        self.d = np.zeros((n, n))
        self.d[records["word"], records["context"]] = records["count"]
        words, contexts = self.d.sum(1), self.d.sum(0)
        self.b = NEGATIVES * np.outer(words, contexts) / words.sum()
        self.step = STEP / words.sum()
        left, right = (np.load(POINTS / f"{side}_{n}x{D}.npy").astype(np.float64) for side in ("words", "contexts"))
        self.x = left @ right.T

    def gradient(self, x):
        return self.d * sigmoid(-x) - self.b * sigmoid(x)

    def iterate(self):
        u, s, vt = svds(self.x, D)
        c, w = u * np.sqrt(s), np.sqrt(s)[:, None] * vt
        f = self.gradient(c @ w)
        u, _ = np.linalg.qr((self.x + self.step * f) @ vt.T)
        v, st = np.linalg.qr((self.x + self.step * f).T @ u)
        self.x = u @ st.T @ v.T


def iteration(n):
    return Reference(n).iterate


def parity(n):
    """How far the matrix is from ours, which must have run before."""

    def run():
        reference = Reference(n)
        first = reference.x
        for _ in range(PARITY):
            reference.iterate()
        ours = [np.load(POINTS / f"{side}_after_{n}.npy").astype(np.float64) for side in ("words", "contexts")]
        x = ours[0] @ ours[1].T
        RESULTS["parity"] = dict(largest=np.abs(x - reference.x).max(), moved=np.abs(x - first).max(),
                                 relative=np.linalg.norm(x - reference.x) / np.linalg.norm(reference.x))  # fmt: skip

    return run


WORK = {
    f"iteration_{n}": (("reference",), lambda _, n=n: iteration(n), 1, 8.0 * n * n * D, "FLOP")
    for n in (2000, 5000, 10_000)
} | {"parity_2000": (("reference",), lambda _: parity(2000), 1, 0.0, "FLOP")}


def about():
    return dict(versions={"numpy": np.__version__, "scipy": scipy.__version__}, results=RESULTS)


if __name__ == "__main__":
    serve(WORK, about)
