#!/usr/bin/env python3
"""Sixfold beside the reference of Riemannian SGNS and beside gensim: all sides in turns, one record.

    cargo build --release -p sixfold-benches --no-default-features --bin sgns_peer --bin sgns_quality
    python run_sgns.py --ours target/release --data ../shared/data --out benches/record/sgns.md

One thread each, CPU seconds of the process, the minimum of several rounds. gensim takes three minutes;
`--gensim FILE.bin` takes vectors and CPU seconds (FILE.json beside it) of a run that was kept. Only the standard
library is needed here; `--python` has sgns-requirements.txt.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from sides import MIB, ROOT, Ratios, Side, compare, heading, least_cpu, needs, options, write  # noqa: E402

NEEDS = needs(
    "sgns-requirements.txt",
    ["--package sixfold-benches --no-default-features --bin sgns_peer --bin sgns_quality"],
    "",
    data=True,
)

SIZES = (2000, 5000, 10_000)
# How many times less CPU time than the reference an iteration must take.
GATES = {2000: 18, 5000: 22, 10_000: 33}
D = 100


def mark(good):
    return "yes" if good else "**no**"


def speed(a, theirs, ours, disturbed, ratios):
    sizes = ours.ask("about")["sizes"]
    lines = [
        "| n | reference, s | Sixfold, s | times less | gate | reached | reference, MiB | Sixfold, MiB | bound, MiB |",
        "|---:|---:|---:|---:|---:|---|---:|---:|---:|",
    ]
    for n in SIZES:
        name = f"iteration_{n}"
        most = {"reference": a.slow_repeats} if n == SIZES[-1] else None
        results, disturbed[name] = compare(name, [theirs, ours], 1 if most is None else 0, a.repeats, a.patience,
                                           True, most)  # fmt: skip
        least = [least_cpu(found) for found in results.values()]
        ratio = least[0] / least[1]
        ratios.add(name, "CPU s", least[1], "reference", least[0], 1 / GATES[n])
        peaks = [side.memory(name)[1] / MIB for side in (theirs, ours)]
        bound = (6 * n * D * 4 + 12 * sizes[str(n)]["non_zeros"]) / MIB + 64
        lines.append(f"| {n} | {least[0]:.3f} | {least[1]:.4f} | {ratio:.1f} | ≥ {GATES[n]} | "
                     f"{mark(ratio >= GATES[n])} | {peaks[0]:.0f} | {peaks[1]:.0f} | {bound:.0f} |")  # fmt: skip
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def sweeps(a, ours, disturbed, ratios):
    lines = [
        "| n | G·R with F, s | G·R, s | Gᵀ·L, s | gemm, s | share of gemm's rate | ≥ 85 % | F costs | ≤ 8 % |",
        "|---:|---:|---:|---:|---:|---:|---|---:|---|",
    ]
    for n in SIZES[1:]:
        name = f"sweep_{n}"
        results, disturbed[name] = compare(name, [ours], 1, 2 * a.repeats, a.patience, True)
        least = {variant: least_cpu(found) for (_, variant), found in results.items()}
        share = least["gemm"] / least["rows"]
        cost = least["rows"] / least["alone"] - 1
        ratios.add(name, "CPU s", least["rows"], "gemm", least["gemm"], 1 / 0.85)
        told = [f"{least[variant]:.4f}" for variant in ("rows", "alone", "columns", "gemm")]
        lines.append(f"| {n} | {' | '.join(told)} | {share:.1%} | "
                     f"{mark(share >= 0.85)} | {cost:.1%} | {mark(cost <= 0.08)} |")  # fmt: skip
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def parity(theirs, ours):
    ours.ask("measure parity_2000")
    theirs.ask("measure parity_2000")
    found = theirs.ask("about")["results"]["parity"]
    return (f"After five iterations at n = 2,000 the matrices differ by at most {found['largest']:.1e} (gate 1e-5: "
            f"{mark(found['largest'] <= 1e-5)}), {found['relative']:.1e} of the norm; they had moved by up to "
            f"{found['moved']:.2g}.")  # fmt: skip


def run(command, env):
    return json.loads(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout)


def quality(a, env, versions, ratios):
    corpus, vectors = a.data / "wiki_en/train_AB.tsv.gz", a.gensim
    if vectors is None:
        vectors = a.points / "gensim_AB.bin"
        script = ROOT / "benches/peers/sgns_gensim.py"
        told = run([a.python, "-B", str(script), str(corpus), "--out", str(vectors)], env)
        vectors.with_suffix(".json").write_text(json.dumps(told))
    gensim = json.loads(vectors.with_suffix(".json").read_text())
    command = [str(a.ours / "sgns_quality"), str(corpus), str(a.data / "wordsim"), str(vectors)]
    ours = run(command + ["sgd"] * a.sgd, env)
    versions |= gensim["versions"]
    cpu = ours["cpu"]
    total = sum(cpu[stage] for stage in ("counting", "start", "iterations"))
    ratios.add("vectors of train_AB", "CPU s", total, "gensim", gensim["cpu"], 0.25)
    stages = [f"{stage} {seconds:.1f}" for stage, seconds in cpu.items()]
    lines = [
        f"gensim{', a run that was kept' if a.gensim else ''}: {gensim['cpu']:.1f} CPU s for {gensim['epochs']} epochs of "
        f"{gensim['tokens']:,} tokens, {gensim['words']:,} words. Sixfold: {total:.1f} CPU s, "
        f"{total / gensim['cpu']:.1%} of it (gate ≤ 25 %: {mark(total <= gensim['cpu'] / 4)}); {', '.join(stages)}. The "
        f"machine's load was {os.getloadavg()[1]:.1f} in the last five minutes. "
        f"{ours['words']:,} words, {ours['non_zeros']:,} pairs; F {ours['objective']:.5e}, gap ratio "
        f"{ours['gap']:.3f}.",
        "",
        f"| questions | asked | {' | '.join(ours['systems'])} |",
        f"|---|---:|{'---|' * len(ours['systems'])}",
    ]
    for table in ours["tables"]:
        first, *others = table["rows"]
        told = [f"{row['score']:.3f} ({row['gain']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}])" for row in others]
        lines.append(f"| {table['name']} | {table['asked']} | {first['score']:.3f} | {' | '.join(told)} |")
    return lines


def main():
    parser = options("Sixfold's word vectors beside the reference and gensim.", NEEDS, repeats=7)
    parser.add_argument("--data", type=Path, required=True, help="the folder of wiki_en and wordsim")
    parser.add_argument("--points", type=Path, default="/var/tmp/sgns-points", help="where counts lie (80 MB)")
    parser.add_argument("--gensim", type=Path, help="vectors of gensim that were kept, FILE.bin beside FILE.json")
    parser.add_argument("--sgd", action="store_true", help="trains Sixfold's own stochastic baseline too")
    parser.add_argument("--slow-repeats", type=int, default=2, help="rounds of the reference at n = 10,000 (7 GB)")
    parser.add_argument("--only", choices=("speed", "sweeps", "quality"), help="a part")
    a = parser.parse_args()
    libraries = ("RAYON", "OMP", "MKL", "OPENBLAS")
    env = os.environ | {f"{library}_NUM_THREADS": "1" for library in libraries}
    env["SIXFOLD_POINTS"] = str(a.points.resolve())
    env["SIXFOLD_CORPUS"] = str((a.data / "wiki_en/train_AB.tsv.gz").resolve())
    disturbed, sections, versions, ratios = {}, [], {}, Ratios()
    if a.only != "quality":
        # Ours first: it writes what both read.
        ours = Side("Sixfold", [str((a.ours / "sgns_peer").resolve())], env)
        theirs = Side("reference", [a.python, str(ROOT / "benches/peers/sgns.py")], env)
        table, told = [], []
        if a.only != "sweeps":
            table, told = speed(a, theirs, ours, disturbed, ratios), [parity(theirs, ours)]
        rates = sweeps(a, ours, disturbed, ratios)
        versions |= theirs.ask("about")["versions"]
        theirs.close()
        ours.close()
        sections += [
            "## An iteration of the paper's method",
            "",
            f"Euclidean metric, d = {D}, k = 5, the n most frequent words of train_AB, fixed window 2, no sub-sampling,",
            "other words keep their places. CPU seconds; memory is the process's peak while it iterates, and the bound",
            "is 6·n·d·4 B + 12 B for each pair + 64 MB. The reference is a port to Python 3 (`sgns.py`), in f64.",
            "",
            *table,
            "",
            *told,
            "",
            "## A sweep",
            "",
            "`gemm` is the crate of that name, with AVX-512 where the machine has it, doing both products of the tile's",
            "shape, (96×100)·(100×384) and (96×384)·(384×100), as often as there are tiles.",
            "",
            *rates,
            "",
        ]
    if a.only not in ("speed", "sweeps"):
        sections += [
            "## Beside gensim",
            "",
            "train_AB, min count 50, window 5 dynamic, sub-sampling 1e-3, smoothing 0.75, five negatives, d = 100.",
            "Sixfold reads the packed text itself; gensim reads lines of words, which are written before its clock starts.",
            "In parentheses the difference to gensim with its 95 % interval (paired bootstrap, 2,000 draws).",
            "",
            *quality(a, env, versions, ratios),
            "",
        ]
    about = heading(versions, disturbed.values() or [0.0])
    if not disturbed:  # no rounds that could tell
        about = [line for line in about if not line.startswith("- other processes")]
    lines = [
        "# Riemannian SGNS beside its reference and beside gensim, on the CPU",
        "",
        *about,
        f"- one thread each, CPU seconds of the process, minimum of {a.repeats} rounds in turns",
        "",
        *sections,
    ]
    write(lines, a.out)
    ratios.write(a.json, versions, disturbed.values())


if __name__ == "__main__":
    main()
