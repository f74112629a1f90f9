#!/usr/bin/env python3
"""Sixfold beside faiss, DADApy, scikit-dimension and numpy: both sides in turns, one table.

    cargo build --release -p sixfold-benches --no-default-features --bin geometry_peer
    python run_geometry.py --ours target/release/geometry_peer --out benches/record/geometry.md

One thread each, CPU seconds of the process, the minimum of several rounds; the gates are ratios of that to
the `gemm` crate's own time for the same operations, or to DADApy's. Where the others need minutes they run
less often. Only the standard library is needed here; `geometry.py` needs geometry-requirements.txt.
"""

import sys

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from sides import MIB, Ratios, compare_all, heading, least_cpu, needs, on_matrices, on_one_thread, write  # noqa: E402

NEEDS = needs(
    "geometry-requirements.txt",
    ["--package sixfold-benches --no-default-features --bin geometry_peer"],
    "geometry_peer",
)

BIG = "two_nn_50000x768"
# Whose CPU time is the measure, and how much of it ours may be.
GATES = {
    "two_nn_10000x768": ("gemm", 1.45),
    BIG: ("gemm", 1.35),
    "two_nn_4096x4096": ("gemm", 2.5),
    "gride_10000x768": ("dadapy", 0.25),
    "anisotropy_20000x768": ("gemm", 1.5),
}
NEIGHBOURS = {"two_nn": 2, "gride": 64}
ALONE = ("sixfold", "gemm")  # ours; the rest are others


def seconds(time):
    return f"{time:.3f}" if time < 10 else f"{time:.1f}"


def judged(ratio, gate):
    return f"{ratio:.2f} | ≤ {gate:.2f} | {'yes' if ratio <= gate else '**no**'}"


def time_table(times, ratios):
    lines = [
        "| work | Sixfold | measure | ratio | gate | reached | others | nearest of them / Sixfold |",
        "|---|---:|---:|---:|---:|---|---|---:|",
    ]
    for name, results in times.items():
        least = {variant: least_cpu(found) for (_, variant), found in results.items()}
        measure, gate = GATES[name]
        base = least[measure]
        others = {variant: time for variant, time in least.items() if variant not in ALONE}
        told = ", ".join(f"{variant} {seconds(time)}" for variant, time in others.items())
        ours = least["sixfold"]
        ratios.add(name, "CPU s", ours, measure, base, gate)
        for variant, time in others.items():
            if variant != measure:
                ratios.add(name, "CPU s", ours, variant, time)
        lines.append(f"| {name} | {seconds(ours)} | {measure} {seconds(base)} | {judged(ours / base, gate)} | {told} | "
                     f"{min(others.values()) / ours:.1f} × |")  # fmt: skip
    return lines


def memory_table(names, sides):
    lines = ["| work | Sixfold | allowed | reached | others |", "|---|---:|---:|---|---|"]
    ours, theirs = sides[1], sides[0]
    for name in names:
        kind, shape = name.rsplit("_", 1)
        before, peak = ours.memory(f"{name}:sixfold")
        growth = (peak - before) / MIB
        n = int(shape.split("x")[0])
        limit = 32 + 16 * n * NEIGHBOURS[kind] / MIB if kind in NEIGHBOURS else None
        told = []
        for variant in theirs.works[name]["variants"] if name != BIG else ():
            before, peak = theirs.memory(f"{name}:{variant}")
            told.append(f"{variant} {(peak - before) / MIB:.0f}")
        allowed = f"{limit:.1f} | {'yes' if growth <= limit else '**no**'}" if limit else "– | –"
        lines.append(f"| {name} | {growth:.1f} | {allowed} | {', '.join(told) or '–'} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def value_table(names, theirs, ours):
    lines = ["| work | by | values |", "|---|---|---|"]
    for name in names:
        found = {"sixfold": ours[name]} | {key.split(":")[1]: v for key, v in theirs.items() if key.startswith(name)}
        for variant, values in found.items():
            lines.append(f"| {name} | {variant} | {', '.join(f'{value:.5g}' for value in values)} |")
    return lines


def main():
    a = on_matrices(
        "Sixfold's geometry beside others, in one table.",
        NEEDS,
        ("/var/tmp/geometry-points", "360 MB"),
        "the others at 50,000 points",
    )
    theirs, ours = on_one_thread(a, "others", "geometry.py")
    times, disturbed = compare_all([theirs, ours], a, BIG)
    about, results = theirs.ask("about"), ours.ask("about")["results"]
    ratios = Ratios()
    table = time_table(times, ratios)
    memory = memory_table(list(times), [theirs, ours])
    theirs.close()
    ours.close()

    lines = [
        "# Geometry beside other libraries, on the CPU",
        "",
        *heading(about["versions"], disturbed.values()),
        f"- one thread each, f32, CPU seconds of the process, minimum of {a.repeats} rounds in turns after "
        f"{a.warm_ups} warm-up; the others at 50,000 points {a.slow_repeats} without one",
        "",
        "## CPU seconds",
        "",
        "TwoNN and GRIDE (64 neighbours) of a Gaussian of 10 dimensions in a random frame of D, in f32, neighbours",
        "included. `gemm` is the crate of that name, with AVX-512, on one thread, at tiles of 1024 × 1024: N²·D",
        "operations for neighbours, N·D² for the anisotropy. `dadapy` is GRIDE's scan as one calls it, `dadapy_table` the",
        "same after a table of 65 neighbours was computed.",
        "",
        *table,
        "",
        "## Memory, MiB",
        "",
        "Growth of the resident memory, once the points are there, while the work runs twice in a fresh process.",
        "Allowed are 32 MiB + 16·N·k bytes.",
        "",
        *memory,
        "",
        "## What they found",
        "",
        "faiss' distances are made a TwoNN by maximum likelihood, as ours; DADApy and scikit-dimension fit a line to",
        "90 % of the ratios. Anisotropy is of N(½, 1/j) along coordinate j.",
        "",
        *value_table(list(times), about["results"], results),
        "",
    ]
    write(lines, a.out)
    ratios.write(a.json, about["versions"], disturbed.values())


if __name__ == "__main__":
    main()
