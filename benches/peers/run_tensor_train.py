#!/usr/bin/env python3
"""Sixfold's tensor trains beside the paper's layer and better ones in PyTorch: both sides in turns, one record.

    cargo build --release -p sixfold-benches --bin tensor_train_peer
    cargo build --release -p sixfold-tensor-train --no-default-features --example compress_speed
    python run_tensor_train.py --ours target/release --out benches/record/tensor-train.md

One thread each, CPU seconds of the process, the minimum of several rounds; two threads by wall time in a part of
their own. Only the standard library is needed here; `--python` has requirements.txt.
"""

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from sides import ROOT, Ratios, Side, best, compare, heading, least_cpu, needs, options, write  # noqa: E402

NEEDS = needs(
    "requirements.txt",
    [
        "--package sixfold-benches --bin tensor_train_peer",
        "--package sixfold-tensor-train --no-default-features --example compress_speed",
    ],
    "",
)

FORWARD, BACKWARD = "forward", "forward and backward"
# Gate, table and rank, ids, pass, and how many times less than the reference's user time it must take: the ratios of
# research/tensor-train.md, §7.2.
LOOKUPS = (
    ("S1", "25k_r16", 8192, FORWARD, 14),
    ("S2", "25k_r16", 65536, FORWARD, 25 / 9.5),
    ("S3", "25k_r16", 8192, BACKWARD, 35 / 4),
    ("S3", "25k_r16", 65536, BACKWARD, 64 / 23),
    ("S4", "100k_r16", 8192, FORWARD, 118 / 4),
    ("S4", "100k_r16", 65536, FORWARD, 114 / 24),
    ("S5", "100k_r16", 8192, BACKWARD, 223 / 11),
    ("S5", "100k_r16", 65536, BACKWARD, 224 / 56),
    ("S6", "100k_r64", 8192, FORWARD, 160 / 26),
    ("S6", "100k_r64", 65536, FORWARD, 188 / 70),
    ("S7", "100k_r64", 8192, BACKWARD, 376 / 75),
    ("S7", "100k_r64", 65536, BACKWARD, 457 / 190),
)
# S2: dense row copies that the lookup may take.
COPIES = 1.6
# S8: microseconds of a row.
ALONE = {"row_25k_r16": 0.4, "row_100k_r16": None, "row_100k_r64": 12}
ROWS_ALONE = 10_000
# S11: of the dense product's time, at rank 8 and at any.
HEAD, HEAD_ANY = 45 / 93, 1.1
RANKS = (4, 8, 16, 32, 64)
HIDDEN, V, D, LAST, PREFIX_COLUMNS = 64, 100_000, 512, (50, 8), 64
# S9: speed-up by two threads.
TWO = 1.6
# S12: of the time that the same takes in PyTorch (0.72 s where the gate was set), and of the table's size.
SVD, SVD_MEMORY = 1.5 / 0.72, 2.2
# S13: seconds, and shares of padding up to three cores and above.
PLAN, PADDING = 5e-3, (0.005, 0.02)
# S10: of the time of PyTorch with shared prefixes.
OPS = 2.0
PARITY = 1e-5
PARTS = ("lookups", "rows", "head", "threads", "compress", "planner")


def mark(good):
    return "yes" if good else "**no**"


def name_of(table, n, pass_):
    return f"{'forward' if pass_ == FORWARD else 'backward'}_{table}_{n}"


def user(times):
    """The user part of the least CPU time, by its middle share: Linux only samples it, and single rounds mislead."""
    return least_cpu(times) * statistics.median(t["user"] / t["cpu"] for t in times)


def ms(seconds, digits=2):
    return f"{seconds * 1e3:.{digits}f}"


class Run:
    """Both sides, and what was found so far."""

    def __init__(self, a):
        self.a, self.disturbed, self.ratios = a, {}, Ratios()
        libraries = ("RAYON", "OMP", "MKL", "OPENBLAS")
        self.env = os.environ | {f"{library}_NUM_THREADS": "1" for library in libraries}
        self.env["SIXFOLD_POINTS"] = str(a.points.resolve())
        # Ours first: it writes what both read.
        self.binary = [str((a.ours / "tensor_train_peer").resolve())]
        self.ours = Side("Sixfold", self.binary, self.env)
        # An allocator that gives nothing back: else the pages of new tables take up to five times what is done on them.
        kept = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**36), "MALLOC_TOP_PAD_": str(2**28)}
        script = str(ROOT / "benches/peers/tensor_train.py")
        self.theirs = Side("PyTorch", [a.python, script], self.env | kept)
        self.works = self.ours.works
        rate = [self.ours.ask("measure logits_100k_r4:gemm") for _ in range(a.repeats + 1)]
        self.rate = self.works["logits_100k_r4"]["work"] / least_cpu(rate)

    def compare(self, name, sides=None):
        """Repetitions by variant."""
        sides = sides or [self.theirs, self.ours]
        found, self.disturbed[name] = compare(name, sides, 2, self.a.repeats, self.a.patience, True)
        told = {" ".join(key): round(least_cpu(times) * 1e3, 3) for key, times in found.items()}
        print(name, told, f"others {self.disturbed[name]:.0%}", file=sys.stderr, flush=True)
        return found

    def about(self):
        return self.ours.ask("about")

    def close(self):
        self.theirs.close()
        self.ours.close()


def lookups(run):
    sizes = run.about()["sizes"]
    lines = [
        "| gate | table | ids (different, prefixes) | pass | reference, ms (user) | prefix, ms | dense rows, ms | "
        "Sixfold, ms | times less than the reference's user time | gate | reached | operations at gemm's rate, ms |",
        "|---|---|---|---|---:|---:|---:|---:|---:|---:|---|---:|",
    ]
    copies = ["| table | ids | row copy in Rust, ms | Sixfold / copy | gate | reached |",
              "|---|---:|---:|---:|---:|---|"]  # fmt: skip
    least = {}
    for gate, table, n, pass_, times in LOOKUPS:
        name = name_of(table, n, pass_)
        found = {variant: t for (_, variant), t in run.compare(name).items()}
        least[name] = {variant: least_cpu(t) for variant, t in found.items()}
        this, reference = least[name], user(found["reference"])
        ratio = reference / this["sixfold"]
        run.ratios.add(name, "CPU s", this["sixfold"], "reference, user", reference, 1 / times)
        run.ratios.add(name, "CPU s", this["sixfold"], "prefix", this["prefix"])
        size = sizes[f"{table}_{n}"]
        rows = ms(this["rows"]) if "rows" in this else "–"
        lines.append(
            f"| {gate} | {table} | {n:,} ({size['unique']:,}, {size['prefixes']:,}) | {pass_} | "
            f"{ms(this['reference'], 1)} ({ms(reference, 1)}) | {ms(this['prefix'])} | {rows} | "
            f"{ms(this['sixfold'])} | {ratio:.1f} | ≥ {times:.1f} | {mark(ratio >= times)} | "
            f"{ms(run.works[name]['work'] / run.rate)} |"
        )
        if "copy" in this:
            share = this["sixfold"] / this["copy"]
            run.ratios.add(name, "CPU s", this["sixfold"], "row copy", this["copy"], COPIES if gate == "S2" else None)
            judged = [f"≤ {COPIES}", mark(share <= COPIES)] if gate == "S2" else ["–", "–"]
            copies.append(f"| {table} | {n:,} | {ms(this['copy'])} | {share:.2f} | {' | '.join(judged)} |")
    return [
        "## Lookups (S1–S7)", "",
        "Ids by Zipf's law, frequent ones anywhere in the table; plan, lookup and gradient each time; rows into memory",
        "that is used again, on our side and in PyTorch but for the reference. `reference` builds the table and",
        "indexes it, as the paper's layer does. Ratios are to its user time alone (as the gates,",
        "`research/tensor-train.md` §7.2), while ours is all of ours: PyTorch's process runs with an allocator that",
        "gives no memory back, since the page faults of new tables would take it about twice its user time again, and",
        "its user part is the middle share of all rounds. `prefix` is ours in PyTorch: different ids, shared prefixes,",
        "`bmm`. Backward is everything from cores to the gradient of cores. The last column is what our operations",
        f"take at the rate of the `gemm` crate in a large product, {run.rate / 1e9:.0f} GFLOP/s here, one thread.", "",
        *lines, "",
        "The same lookups beside a loop that copies rows of a dense table, which the system must read and write:", "",
        *copies, "",
        *burn(run, least),
    ]  # fmt: skip


def burn(run, least):
    """S2b and S10, if this binary has them."""
    lines = ["## Through burn (S2b, S10)", ""]
    gates = (
        ("S2b", "module_25k_r16_65536", "forward_25k_r16_65536", "reference", 14 / 28.6, "TtEmbedding, flex"),
        ("S10", "ops_25k_r16_8192", "forward_25k_r16_8192", "prefix", OPS, "tensor operations of burn, flex"),
    )
    if not any(work in run.works for _, work, _, _, _, _ in gates):
        return [*lines,
                "Not in this run: this binary was built without burn. With the works `module_25k_r16_65536` and",
                "`ops_25k_r16_8192` in it they stand here, beside the CPU time of the reference and of `prefix`:", "",
                "    cargo build --release -p sixfold-benches --bin tensor_train_peer", ""]  # fmt: skip
    lines += ["| gate | what | ms | of | ratio | gate | reached |", "|---|---|---:|---|---:|---:|---|"]
    for gate, work, of, variant, most, what in gates:
        if work not in run.works:
            continue
        ours = least_cpu(run.compare(work, [run.ours])["Sixfold", "sixfold"])
        ratio = ours / least[of][variant]
        run.ratios.add(work, "CPU s", ours, variant, least[of][variant], most)
        lines.append(f"| {gate} | {what} | {ms(ours)} | {variant}, {ms(least[of][variant])} ms | {ratio:.2f} | "
                     f"≤ {most:.2f} | {mark(ratio <= most)} |")  # fmt: skip
    return [*lines, ""]


def rows(run):
    lines = ["| table | µs a row | operations at gemm's rate, µs | ratio | gate, µs | reached |",
             "|---|---:|---:|---:|---:|---|"]  # fmt: skip
    for name, most in ALONE.items():
        seconds = least_cpu(run.compare(name, [run.ours])["Sixfold", "sixfold"]) / ROWS_ALONE
        floor = run.works[name]["work"] / ROWS_ALONE / run.rate
        judged = ["–", "–"] if most is None else [f"≤ {most}", mark(seconds * 1e6 <= most)]
        lines.append(f"| {name[4:]} | {seconds * 1e6:.3f} | {floor * 1e6:.3f} | {seconds / floor:.2f} | "
                     f"{' | '.join(judged)} |")  # fmt: skip
    return ["## Single rows (S8)", "",
            "10,000 rows one after the other through `RowReader`, none with the prefix of the one before; cores in the",
            "cache as far as they fit.", "", *lines, ""]  # fmt: skip


def head(run):
    lines = [
        "| rank | dense, ms | gemm, ms | merged in PyTorch, ms | Sixfold, ms | merged, ms | tiled, ms | of dense "
        "| of gemm | gate | reached | operations of dense: merged | tiled |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|---:|",
    ]
    for rank in RANKS:
        found = run.compare(f"logits_100k_r{rank}")
        theirs = {variant: least_cpu(t) for (side, variant), t in found.items() if side == "PyTorch"}
        ours = {variant: least_cpu(t) for (side, variant), t in found.items() if side == "Sixfold"}
        last, last_columns = LAST
        prefixes = V // last * 2 * PREFIX_COLUMNS * rank * rank
        dense = 2 * HIDDEN * V * D
        merged = (2 * HIDDEN * rank * (D * V // last + V * last_columns) + prefixes) / dense
        tiled = 1 + (2 * V * D * rank + prefixes) / dense
        gate = HEAD if rank == 8 else HEAD_ANY
        ratios = [ours["sixfold"] / theirs["dense"], ours["sixfold"] / ours["gemm"]]
        reached = ratios[0] <= gate
        run.ratios.add(f"logits, rank {rank}", "CPU s", ours["sixfold"], "dense in PyTorch", theirs["dense"], gate)
        least = min(merged, tiled)
        told = mark(reached)
        if not reached and least > gate:
            told += f", the fewest operations are {least:.2f} of dense"
        times = (theirs["dense"], ours["gemm"], theirs["merged"], ours["sixfold"], ours["merged"], ours["tiled"])
        lines.append(f"| {rank} | {' | '.join(ms(t, 1) for t in times)} | {ratios[0]:.2f} | {ratios[1]:.2f} | "
                     f"≤ {gate:.2f} | {told} | {merged:.2f} | {tiled:.2f} |")  # fmt: skip
    return ["## Logits (S11)", "",
            f"{HIDDEN} hidden states with all rows of 100k × 512, into memory that is used again. Sixfold's planner",
            "chooses between merged (hidden states with prefixes, then with the last core) and tiled (blocks of the",
            f"table are built once and multiplied: dense and rank / {HIDDEN} of it, and prefixes). Dense is PyTorch's",
            "product, gemm that of the crate.", "", *lines, ""]  # fmt: skip


def threads(run):
    two = Side("two threads", run.binary, run.env | {"RAYON_NUM_THREADS": "2"})
    lines = ["| gate | work | one thread, ms | two threads, ms | speed-up | gate | reached |",
             "|---|---|---:|---:|---:|---:|---|"]  # fmt: skip
    for name in (name_of("25k_r16", 65536, FORWARD), name_of("100k_r16", 8192, BACKWARD),
                 name_of("100k_r16", 65536, BACKWARD)):  # fmt: skip
        found = run.compare(name, [run.ours, two])
        one, both = (best(found[side, "sixfold"]) for side in ("Sixfold", "two threads"))
        ratio = one / both
        run.ratios.add(name, "s", both, "own on one thread", one, 1 / TWO)
        lines.append(f"| S9 | {name} | {ms(one)} | {ms(both)} | {ratio:.2f} | ≥ {TWO} | {mark(ratio >= TWO)} |")
    two.close()
    return ["## Two threads (S9)", "",
            "Wall time; of S2 and S5. Plans are made on one thread.", "", *lines, ""]  # fmt: skip


def compress(run):
    name = "compress_100k_r64"
    theirs = run.compare(name, [run.theirs])["PyTorch", "gram"]
    example = run.a.ours / "examples/compress_speed"
    told = subprocess.run([str(example.resolve())], env=run.env, check=True, stdout=subprocess.PIPE, text=True).stdout
    ours = min(float(seconds) for seconds in re.findall(r"CPU +([\d.]+) s", told))
    peak, tables = re.search(r"peak (\d+) MiB, ([\d.]+) tables", told).groups()
    ratio = ours / least_cpu(theirs)
    run.ratios.add("TT-SVD", "CPU s", ours, "PyTorch", least_cpu(theirs), SVD)
    return ["## TT-SVD (S12)", "",
            "100k × 512 of uniform numbers to rank 64 by `examples/compress_speed.rs`, CPU seconds (to 0.01 s) and the",
            "process's peak, its table included. PyTorch: Gram matrices, the first from the left and the second from",
            "the right, `eigh` in f64 (0.72 s where the gate of 1.5 s was set).", "",
            "| PyTorch, s | Sixfold, s | ratio | gate | reached | peak, MiB | of the table | gate | reached |",
            "|---:|---:|---:|---:|---|---:|---:|---:|---|",
            f"| {least_cpu(theirs):.2f} | {ours:.2f} | {ratio:.2f} | ≤ {SVD:.2f} | {mark(ratio <= SVD)} | {peak} | "
            f"{tables} | ≤ {SVD_MEMORY} | {mark(float(tables) <= SVD_MEMORY)} |", ""]  # fmt: skip


def planner(run):
    for _ in range(run.a.repeats):
        run.ours.ask("measure planner")
    found = run.about()["planner"]
    lines = ["| cores | slowest search, ms | of | gate | reached | most padding | of | gate | reached |",
             "|---:|---:|---:|---:|---|---:|---:|---:|---|"]  # fmt: skip
    for row in found["by_cores"]:
        (seconds, slow), (padding, padded) = row["seconds"], row["padding"]
        most = PADDING[row["cores"] > 3]
        lines.append(f"| {row['cores']} | {ms(seconds, 3)} | {slow:,} | ≤ {PLAN * 1e3:.0f} | {mark(seconds <= PLAN)} | "
                     f"{padding:.3%} | {padded:,} | ≤ {most:.1%} | {mark(padding <= most)} |")  # fmt: skip
    return ["## Planner (S13)", "",
            f"Row factors of {found['searches']} vocabularies from 4,096 to 2²⁴; wall time, the least of three.", "",
            *lines, ""]  # fmt: skip


def parity(run):
    run.ours.ask("measure parity")
    run.theirs.ask("measure parity")
    found = run.theirs.ask("about")["results"]["parity"]
    told = ", ".join(f"{name} {value:.1e}" for name, value in found.items())
    return ["## Parity", "",
            "The largest difference from the reference (logits: of the whole table), as a share of the largest value,",
            f"at 25k × 256, rank 16, 8,192 ids, and for logits at 100k × 512, rank 8: {told}. Gate {PARITY:.0e}: "
            f"{mark(max(found.values()) <= PARITY)}.", ""]  # fmt: skip


def main():
    parser = options("Sixfold's tensor trains beside the paper's layer in PyTorch.", NEEDS, repeats=7)
    parser.add_argument("--points", type=Path, default="/var/tmp/tensor-train-points", help="where cores lie (60 MB)")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="parts")
    a = parser.parse_args()
    run = Run(a)
    sections = parity(run)
    for part in a.only:
        sections += globals()[part](run)
    versions = run.theirs.ask("about")["versions"]
    run.close()
    lines = [
        "# Tensor trains beside the paper's layer and PyTorch, on the CPU",
        "",
        *heading(versions, run.disturbed.values() or [0.0]),
        f"- one thread each, f32, CPU time of the process unless said otherwise, minimum of {a.repeats} rounds in "
        "turns",
        "",
        *sections,
    ]
    write(lines, a.out)
    run.ratios.write(a.json, versions, run.disturbed.values())


if __name__ == "__main__":
    main()
