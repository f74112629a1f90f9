#!/usr/bin/env python3
"""The paper's tensor-train layer and better ones in PyTorch: one repetition for each line read; `protocol.py`
explains the lines.

Written from a description of the paper's code, not from the code:

- `reference` builds the whole table, a chain of products of the cores and a permutation, and indexes it; the gradient
  is autograd's.
- `prefix` computes each different id once, and each product of the first two cores once.
- `rows` are those of a dense table, with `index_select` into memory that is used again.
- `dense` logits are those of a dense table, into memory that is used again; `merged` contracts hidden states with the
  prefixes of all rows and then with the last core.

Ids and cores are what `benches/src/bin/tensor_train_peer.rs` wrote in `SIXFOLD_POINTS`.
"""

import os
import sys
from functools import cache
from pathlib import Path

import numpy as np
import torch

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from protocol import serve  # noqa: E402

POINTS = Path(os.environ["SIXFOLD_POINTS"])
ROWS = {25: (25, 30, 40), 100: (40, 50, 50)}
COLUMNS = {25: (4, 8, 8), 100: (8, 8, 8)}
HIDDEN = 64
RESULTS = {}


def load(name):
    return torch.from_numpy(np.load(POINTS / f"{name}.npy"))


class Cores:
    """Cores in the order in which they are stored, [I, r, J, r'], and as the paper's layer has them, [r, I, J, r']."""

    def __init__(self, table, rank, learn=False):
        self.rows, self.columns = ROWS[table], COLUMNS[table]
        ranks = (1, rank, rank, 1)
        sliced = [load(f"core_{table}k_r{rank}_{k}").reshape(i, ranks[k], j, ranks[k + 1])
                  for k, (i, j) in enumerate(zip(self.rows, self.columns, strict=True))]  # fmt: skip
        self.sliced = [core.requires_grad_(learn) for core in sliced]
        self.paper = [core.detach().transpose(0, 1).contiguous().requires_grad_(learn) for core in sliced]

    def full(self):
        """The table, [I·I·I, J·J·J]."""
        product = self.paper[0].flatten(0, 2)
        for core in self.paper[1:]:
            product = product.reshape(-1, core.shape[0]) @ core.flatten(1)
        pairs = [size for pair in zip(self.rows, self.columns, strict=True) for size in pair]
        order = (*range(0, len(pairs), 2), *range(1, len(pairs), 2))
        return product.reshape(pairs).permute(order).reshape(np.prod(self.rows), -1)

    def prefixes(self, which):
        """Products of the first two cores, [P, J·J, r]."""
        first, second, _ = self.sliced
        left = first[which // self.rows[1], 0]
        return torch.bmm(left, second[which % self.rows[1]].flatten(2)).reshape(len(which), -1, second.shape[3])

    def unique_rows(self, ids):
        """Rows of the different ids, and where each id's is."""
        # A bitmap of the table: faster than `torch.unique`, which sorts.
        there = torch.zeros(int(np.prod(self.rows)), dtype=torch.bool)
        there[ids] = True
        unique, places = there.nonzero()[:, 0], (there.cumsum(0) - 1)[ids]
        prefix, of = torch.unique_consecutive(unique // self.rows[2], return_inverse=True)
        last = self.sliced[2][unique % self.rows[2]].flatten(2)
        return torch.bmm(self.prefixes(prefix)[of], last).flatten(1), places


def grad_of(n, d):
    """The gradient of rows that both sides have."""
    return (torch.arange(n * d) % 7 - 3).float().reshape(n, d)


def hidden_of(d):
    """The hidden states that both sides have."""
    i, j = torch.meshgrid(torch.arange(HIDDEN), torch.arange(d), indexing="ij")
    return ((i * 7 + j) % 13 - 6).float()


@cache
def ids_of(table, n):
    return load(f"ids_{table}k_{n}")[:, 0].long()


@cache
def dense_table(table):
    return torch.ones(table * 1000, int(np.prod(COLUMNS[table])))


def forward(table, rank, n, variant):
    ids, cores = ids_of(table, n), Cores(table, rank)
    if variant == "reference":
        return lambda: cores.full()[ids]
    out = torch.empty(n, int(np.prod(cores.columns)))
    if variant == "rows":
        weights = dense_table(table)
        return lambda: torch.index_select(weights, 0, ids, out=out)

    def prefix():
        rows, places = cores.unique_rows(ids)
        torch.index_select(rows, 0, places, out=out)

    return prefix


def backward(table, rank, n, variant):
    ids, cores = ids_of(table, n), Cores(table, rank, learn=True)
    grad = grad_of(n, int(np.prod(cores.columns)))
    learnt = cores.paper if variant == "reference" else cores.sliced

    def run():
        with torch.enable_grad():
            if variant == "reference":
                rows = cores.full()[ids]
            else:
                rows, places = cores.unique_rows(ids)
                rows = rows[places]
            return torch.autograd.grad(rows, learnt, grad)

    return run


def logits(rank, variant):
    cores = Cores(100, rank)
    d, vocab = int(np.prod(cores.columns)), int(np.prod(cores.rows))
    hidden, out = hidden_of(d), torch.empty(HIDDEN, vocab)
    if variant == "dense":
        weights = dense_table(100)
        return lambda: torch.mm(hidden, weights.T, out=out)
    every = torch.arange(vocab // cores.rows[2])

    def merged():
        prefixes = cores.prefixes(every)  # [P, J, r]
        turned = hidden.reshape(HIDDEN, -1, cores.columns[2]).transpose(0, 1).flatten(1)  # [J, n·J_3]
        product = prefixes.transpose(1, 2).flatten(0, 1) @ turned  # [P·r, n·J_3]
        product = product.reshape(len(every), rank, HIDDEN, -1).transpose(1, 2).reshape(len(every) * HIDDEN, -1)
        found = product @ cores.sliced[2].flatten(1).T  # [P·n, I_3]
        out.view(HIDDEN, len(every), -1).copy_(found.view(len(every), HIDDEN, -1).transpose(0, 1))
        return out

    return merged


def compress(rank):
    """TT-SVD by Gram matrices: the first core from the left, the last one from the right."""
    table = torch.rand(100_000, 512, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def basis(gram):
        return torch.linalg.eigh(gram.double())[1][:, -rank:].float()

    def run():
        unfolded = table.view(*ROWS[100], *COLUMNS[100]).permute(0, 3, 1, 4, 2, 5).reshape(320, -1)
        first = basis(unfolded @ unfolded.T)
        carry = (first.T @ unfolded).view(-1, 400)
        last = basis(carry.T @ carry)
        return first, carry @ last, last

    return run


def parity():
    """How far ours, which must have run before, is from the reference, as a share of the largest value."""

    def relative(name, theirs):
        ours = load(f"parity_{name}").reshape(theirs.shape)
        return ((ours - theirs).abs().max() / theirs.abs().max()).item()

    def run():
        ids, cores = ids_of(25, 8192), Cores(25, 16)
        rows = cores.full()[ids]
        found = {"rows": relative("rows", rows)}
        shared, places = cores.unique_rows(ids)
        found["rows, prefix in PyTorch"] = relative("rows", shared[places])
        for variant, name in (("reference", "gradient"), ("prefix", "gradient, prefix in PyTorch")):
            grads = backward(25, 16, 8192, variant)()
            if variant == "reference":
                grads = [grad.transpose(0, 1) for grad in grads]
            found[name] = relative("gradient", torch.cat([grad.flatten() for grad in grads])[:, None])
        dense = hidden_of(512) @ Cores(100, 8).full().T
        for method in ("merged", "tiled"):
            found[f"logits, {method}"] = relative(method, dense)
        theirs = logits(8, "merged")()
        found["logits, merged in PyTorch"] = ((theirs - dense).abs().max() / dense.abs().max()).item()
        RESULTS["parity"] = found

    return run


WORK = {}
for table, rank in ((25, 16), (100, 16), (100, 64)):
    for n in (8192, 65536):
        for pass_, make, variants in (
            ("forward", forward, ("reference", "prefix", "rows")),
            ("backward", backward, ("reference", "prefix")),
        ):
            prepare = lambda variant, m=make, a=(table, rank, n): m(*a, variant)  # noqa: E731
            # As many executions in a repetition as on the other side.
            runs = 8 if table == 25 and n == 8192 else 2
            WORK[f"{pass_}_{table}k_r{rank}_{n}"] = (variants, prepare, runs, 0.0, "FLOP")
for rank in (4, 8, 16, 32, 64):
    WORK[f"logits_100k_r{rank}"] = (("dense", "merged"), lambda variant, r=rank: logits(r, variant), 1, 0.0, "FLOP")
WORK["compress_100k_r64"] = (("gram",), lambda _: compress(64), 1, 0.0, "FLOP")
WORK["parity"] = (("reference",), lambda _: parity(), 1, 0.0, "FLOP")


def about():
    return dict(versions={"torch": torch.__version__, "numpy": np.__version__}, results=RESULTS)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.set_grad_enabled(False)
    serve(WORK, about)
