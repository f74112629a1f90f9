#!/usr/bin/env python3
"""faiss, DADApy, scikit-dimension and numpy on the same points: one repetition for each line read.

`protocol.py` explains the lines. The points are written on start, as `.npy` files in `SIXFOLD_POINTS`
that `benches/src/bin/geometry_peer` reads too: a Gaussian of 10 dimensions in a random orthonormal
frame of D, and one of full rank whose standard deviations fall as 1/√j.
"""

import os
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import faiss
import numpy as np
import skdim
from dadapy import Data

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from protocol import serve  # noqa: E402

POINTS = Path(os.environ["SIXFOLD_POINTS"])
DIMENSION = 10
RESULTS = {}


def gaussian(n, d):
    random = np.random.default_rng(0)
    frame, _ = np.linalg.qr(random.standard_normal((d, DIMENSION)))
    return random.standard_normal((n, DIMENSION)) @ frame.T


def spectrum(n, d):
    scales = np.arange(1, d + 1) ** -0.5
    return np.random.default_rng(0).standard_normal((n, d), dtype=np.float32) * scales + 0.5


def points(data, shape):
    """The points, written if this is the first time."""
    path = POINTS / f"{data.__name__}_{'x'.join(map(str, shape))}.npy"
    if not path.exists():
        partial = path.with_suffix(".partial.npy")
        np.save(partial, data(*shape).astype(np.float32))
        partial.rename(path)
    return path


# --- the work -------------------------------------------------------------------------


def faiss_two_nn(x):
    index = faiss.IndexFlatL2(x.shape[1])
    index.add(x)
    squares, _ = index.search(x, 3)  # the first is the point itself
    return (len(x) - 1) / (0.5 * np.log(squares[:, 2] / squares[:, 1])).sum()


def dadapy_two_nn(x):
    return Data(coordinates=x, maxk=3, n_jobs=1).compute_id_2NN()[0]


def dadapy_gride(x):
    return Data(coordinates=x, n_jobs=1).return_id_scaling_gride(range_max=64)[0]


def dadapy_gride_of_table(x):
    """The same from a table of neighbours that is made before."""
    data = Data(coordinates=x, maxk=65, n_jobs=1)
    data.compute_distances()
    return data.return_id_scaling_gride(range_max=64)[0]


def centred(x):
    return x - x.mean(0)


def numpy_svd(x):
    squares = np.linalg.svd(centred(x), compute_uv=False) ** 2
    return squares[0] / squares.sum()


def numpy_gram(x):
    x = centred(x)
    values = np.linalg.eigvalsh((x.T @ x).astype(np.float64))
    return values[-1] / values.sum()


TWO_NN = {"faiss": faiss_two_nn, "dadapy": dadapy_two_nn, "skdim": lambda x: skdim.id.TwoNN().fit(x).dimension_}
GRIDE = {
    "dadapy": dadapy_gride,
    "dadapy_table": dadapy_gride_of_table,
    "skdim": lambda x: skdim.id.GRIDE(multiscale=True, range_max=64).fit(x).dimension_scales_,
}
ANISOTROPY = {"numpy_gram": numpy_gram, "numpy_svd": numpy_svd}


def prepare(name, path, function):
    x = np.load(path)

    def run():
        RESULTS[name] = np.atleast_1d(function(x)).tolist()

    return run


WORK = {}
for kind, data, functions, shape in (
    ("two_nn", gaussian, TWO_NN, (10_000, 768)),
    ("two_nn", gaussian, TWO_NN, (4096, 4096)),
    ("gride", gaussian, GRIDE, (10_000, 768)),
    ("anisotropy", spectrum, ANISOTROPY, (20_000, 768)),
    ("two_nn", gaussian, TWO_NN, (50_000, 768)),
):
    name = f"{kind}_{shape[0]}x{shape[1]}"
    POINTS.mkdir(parents=True, exist_ok=True)
    path = points(data, shape)
    flop = float(shape[0] * shape[1] * (shape[1] if kind == "anisotropy" else shape[0]))
    WORK[name] = (
        tuple(functions),
        lambda variant, n=name, p=path, f=functions: prepare(f"{n}:{variant}", p, f[variant]),
        1,
        flop,
        "FLOP",
    )


def about():
    names = ("faiss-cpu", "dadapy", "scikit-dimension", "scikit-learn", "scipy", "numpy")
    return dict(versions={name: version(name) for name in names}, results=RESULTS)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    faiss.omp_set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    serve(WORK, about)
