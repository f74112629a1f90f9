#!/usr/bin/env python3
"""Sixfold beside the paper's own code in PyTorch: both sides in turns, one table.

    cargo build --release -p sixfold-benches --no-default-features --bin linearity_peer
    python run_linearity.py --ours target/release/linearity_peer --out benches/record/linearity.md

One thread each, CPU seconds of the process, the minimum of several rounds; the gates are ratios of that to the
`gemm` crate's own time for the products that both scores need, 3·N·D² operations. Only the standard library is
needed here; `linearity.py` needs requirements.txt.
"""

import sys

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from sides import MIB, Ratios, compare_all, heading, least_cpu, needs, on_matrices, on_one_thread, write  # noqa: E402

NEEDS = needs(
    "requirements.txt", ["--package sixfold-benches --no-default-features --bin linearity_peer"], "linearity_peer"
)

BIG = "linearity_20000x4096"
# How much of the gemm crate's CPU time ours may be.
GATES = {"linearity_20000x768": 2.0, BIG: 1.6}


def time_table(times, ratios):
    lines = [
        "| work | Sixfold, both scores | gemm 3·N·D² | ratio | gate | reached | official, both scores | Gram in PyTorch |",
        "|---|---:|---:|---:|---:|---|---:|---:|",
    ]
    for name, results in times.items():
        least = {variant: least_cpu(found) for (_, variant), found in results.items()}
        ratio, gate = least["sixfold"] / least["gemm"], GATES[name]
        ratios.add(name, "CPU s", least["sixfold"], "gemm", least["gemm"], gate)
        for peer, variant in (("official", "official"), ("Gram in PyTorch", "gram")):
            ratios.add(name, "CPU s", least["sixfold"], peer, least[variant])
        told = [f"{least[v]:.2f} ({least[v] / least['sixfold']:.1f} ×)" for v in ("official", "gram")]
        lines.append(f"| {name} | {least['sixfold']:.3f} | {least['gemm']:.3f} | {ratio:.2f} | ≤ {gate:.1f} | "
                     f"{'yes' if ratio <= gate else '**no**'} | {' | '.join(told)} |")  # fmt: skip
    return lines


def memory_table(names, sides):
    lines = ["| work | Sixfold | official | Gram in PyTorch |", "|---|---:|---:|---:|"]
    for name in names:
        row = []
        for side, variant in ((sides[1], "sixfold"), (sides[0], "official"), (sides[0], "gram")):
            if name == BIG and variant == "official":
                row.append("–")
                continue
            before, peak = side.memory(f"{name}:{variant}")
            row.append(f"{(peak - before) / MIB:.0f}")
        lines.append(f"| {name} | {' | '.join(row)} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def value_table(names, theirs, ours):
    lines = ["| work | by | L | L without residual | rank | L adjusted |", "|---|---|---:|---:|---:|---:|"]
    for name in names:
        found = {"sixfold": ours[name]} | {key.split(":")[1]: v for key, v in theirs.items() if key.startswith(name)}
        for variant, values in found.items():
            shown = [f"{values[0]:.6f}", f"{values[1]:.6f}", *(f"{v:.6g}" for v in values[2:])]
            lines.append(f"| {name} | {variant} | {' | '.join(shown + ['–'] * (4 - len(shown)))} |")
    return lines


def main():
    a = on_matrices(
        "Sixfold's linearity beside the paper's code, in one table.",
        NEEDS,
        ("/var/tmp/linearity-points", "780 MB"),
        "PyTorch at width 4096",
    )
    theirs, ours = on_one_thread(a, "PyTorch", "linearity.py")
    times, disturbed = compare_all([theirs, ours], a, BIG)
    about, results = theirs.ask("about"), ours.ask("about")["results"]
    ratios = Ratios()
    table = time_table(times, ratios)
    memory = memory_table(list(times), [theirs, ours])
    theirs.close()
    ours.close()
    lines = [
        "# Linearity beside the paper's own code, on the CPU",
        "",
        *heading(about["versions"], disturbed.values()),
        f"- one thread each, f32, CPU seconds of the process, minimum of {a.repeats} rounds in turns after "
        f"{a.warm_ups} warm-up; PyTorch at width 4096 {a.slow_repeats} without one",
        "",
        "## CPU seconds",
        "",
        "From raw states to L, L without the residual stream, rank and adjusted L. `gemm` is the crate of that name,",
        "with AVX-512, on one thread: the products XᵀX and YᵀY (half of each) and XᵀY. The official code runs its SVD",
        "once for each score; the time is that of both.",
        "",
        *table,
        "",
        "## Memory, MiB",
        "",
        "Growth of the resident memory, once the states are there, while the work runs twice in a fresh process.",
        "",
        *memory,
        "",
        "## What they found",
        "",
        "X is N(½, 1/j) along coordinate j, Y = X + ½·tanh(3·XP) + noise with a permutation P.",
        "",
        *value_table(list(times), about["results"], results),
        "",
    ]
    write(lines, a.out)
    ratios.write(a.json, about["versions"], disturbed.values())


if __name__ == "__main__":
    main()
