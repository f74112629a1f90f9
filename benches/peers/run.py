#!/usr/bin/env python3
"""Sixfold beside PyTorch: starts both sides, lets them take turns, writes one table.

    cargo build --release -p sixfold-benches --bins
    RUNNER=target/release/peer
    python run.py --ours $RUNNER --data ../shared/data --out benches/record/model-cpu.md

Both sides get the same number of threads. After the warm-ups, in which the fastest variant of
each side is found, the sides alternate; the table has the minimum of each. The ratio of CPU time
is less disturbed by other processes, but counts threads that wait spinning as work. Peak memory is taken
in fresh processes. Only the standard library is needed here; `model.py` needs requirements.txt.
"""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from sides import MIB, ROOT, Ratios, Side, best, compare, heading, least_cpu, middle, needs, options, write  # noqa: E402

NEEDS = needs("requirements.txt", ["--package sixfold-benches --bin peer"], "peer", data=True)

THEIRS, OURS = "PyTorch", "Sixfold"
# The product whose rate decides a model, and the most that its time may be of PyTorch's.
GATES = {
    "minilm_forward": ("gemm_2048x384x1536", 1.0),
    "minilm_forward_backward": ("gemm_2048x384x1536", 1.15),
    "bert_base_forward": ("gemm_1024x768x3072", 1.0),
    "bert_base_forward_backward": ("gemm_1024x768x3072", 1.15),
    "minilm_train_step": ("gemm_2048x384x1536", 1.15),
}
CRATES = ("gemm", "faer")  # whose rate excuses a slower model where both are behind PyTorch's
MEMORY = ("minilm_forward_backward", "bert_base_forward_backward", "minilm_train_step")


def pick(results, side):
    """Variant and repetitions of a side that has only one."""
    return next(((v, t) for (s, v), t in results.items() if s == side), (None, None))


def milliseconds(times):
    return f"{best(times) * 1e3:.1f}"


def product_table(products):
    """Rates of all variants, GFLOP/s, and each crate's share of PyTorch's."""
    columns = list(dict.fromkeys(key for results in products.values() for key in results[1]))
    titles = [f"{v} ({s})" if s == THEIRS else v for s, v in columns]
    lines = ["| product, rows × inner × columns | " + " | ".join(titles) + " | best crate / PyTorch |",
             "|---|" + "---:|" * (len(columns) + 1)]  # fmt: skip
    for name, (work, results) in products.items():
        rates = {key: work / best(results[key]) * 1e-9 for key in columns}
        cells = " | ".join(f"{rates[key]:.0f}" for key in columns)
        shape = name.removeprefix("gemm_").replace("x", " × ")
        lines.append(f"| {shape} | {cells} | {crate_share(products, name):.2f} |")
    return lines


def crate_share(products, name):
    """The best crate's rate over PyTorch's, in that product."""
    results = products[name][1]
    theirs = min(best(t) for (side, _), t in results.items() if side == THEIRS)
    return theirs / min((best(t) for (_, v), t in results.items() if v in CRATES), default=float("nan"))


def gate(name, products):
    """The largest ratio allowed, and whether that is not the stated one, but 1.05 × what the best crate's rate
    dictates where that is below PyTorch's."""
    if name not in GATES:
        return None, False
    product, allowed = GATES[name]
    share = crate_share(products, product) if product in products else 1.0
    return (allowed, False) if not share < 1.0 else (max(allowed, 1.05 / share), True)


def time_table(times, products, kept):
    lines = ["| work | PyTorch, ms | variant | Sixfold, ms | ratio | of medians | of CPU time | gate |",
             "|---|---:|---|---:|---:|---:|---:|---:|"]  # fmt: skip
    for name, results in times.items():
        (variant, theirs), (_, ours) = pick(results, THEIRS), pick(results, OURS)
        if ours is None:
            cells = "– | – | – | –"
        else:
            ratios = (best(ours) / best(theirs), middle(ours) / middle(theirs), least_cpu(ours) / least_cpu(theirs))
            cells = " | ".join([milliseconds(ours), *(f"{ratio:.2f}" for ratio in ratios)])
        most, by_rate = gate(name, products)
        if ours is not None:
            kept.add(name, "s", best(ours), THEIRS, best(theirs), most)
        told = "–" if most is None else f"{most:.2f}{' (by rate)' * by_rate}"
        lines.append(f"| {name} | {milliseconds(theirs)} | {variant} | {cells} | {told} |")
    return lines


def memory_table(names, sides, chosen, kept):
    lines = ["| work, twice in a fresh process | PyTorch: prepared, peak, growth | Sixfold | growth, ratio |",
             "|---|---:|---:|---:|"]  # fmt: skip
    for name in names:
        growth, cells = {}, {}
        for side in sides:
            if name not in side.works:
                continue
            variant = chosen.get((name, side.name), side.works[name]["variants"][0])
            before, peak = side.memory(f"{name}:{variant}")
            growth[side.name] = peak - before
            parts = (before, peak, growth[side.name])
            cells[side.name] = ", ".join(f"{part / MIB:.0f}" for part in parts)
        ratio = f"{growth[OURS] / growth[THEIRS]:.2f}" if OURS in growth else "–"
        if OURS in growth:
            kept.add(f"{name}, growth", "MiB", growth[OURS] / MIB, THEIRS, growth[THEIRS] / MIB)
        lines.append(f"| {name} | {cells.get(THEIRS, '–')} | {cells.get(OURS, '–')} | {ratio} |")
    return lines


def main():
    parser = options("Sixfold beside PyTorch, in one table.", NEEDS, repeats=7)
    parser.add_argument("--data", type=Path, default=os.environ.get("SIXFOLD_DATA"), help="evaluation data")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warm-ups", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[], help="names, or beginnings of names")
    a = parser.parse_args()
    if a.data is None:
        parser.error("--data or SIXFOLD_DATA is needed")
    threads = {key: str(a.threads) for key in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    env = os.environ | threads | {"SIXFOLD_DATA": str(a.data.resolve()), "TOKENIZERS_PARALLELISM": "true"}
    theirs = Side(THEIRS, [a.python, str(ROOT / "benches/peers/model.py")], env)
    ours = Side(OURS, [str(a.ours.resolve())], env)

    wanted = [n for n in theirs.works if not a.only or any(n.startswith(only) for only in a.only)]
    products, times, chosen, disturbed = {}, {}, {}, {}
    for name in wanted:
        every = theirs.works[name]["unit"] == "FLOP"  # of products, every variant is wanted
        results, disturbed[name] = compare(name, [theirs, ours], a.warm_ups, a.repeats, a.patience, every)
        print(name, {f"{s} {v}": round(best(t), 4) for (s, v), t in results.items()}, 
              f"others {disturbed[name]:.0%}", file=sys.stderr, flush=True)  # fmt: skip
        if theirs.works[name]["unit"] == "FLOP":
            products[name] = (theirs.works[name]["work"], results)
        else:
            times[name] = results
            chosen |= {(name, side): variant for side, variant in results}
    versions = theirs.ask("about")
    theirs.close()
    ours.close()

    kept = Ratios()
    lines = [
        "# The model crate beside PyTorch, on the CPU",
        "",
        *heading({key: value for key, value in versions.items() if key != "threads"}, disturbed.values()),
        f"- {a.threads} threads each, f32, wall time, minimum of {a.repeats} after {a.warm_ups} warm-ups, in turns",
        "",
        "## Products, GFLOP/s",
        "",
        "`backend` is a burn matmul on flex, `projection` the path of the model's linear layers; both make a new",
        "result each time, the others write into one that is there.",
        "",
        *product_table(products),
        "",
        "## Times",
        "",
        "MiniLM (6 × 384) on 32 × 64 tokens, BERT-base's shape (12 × 768) on 8 × 128, full masks, no dropout.",
        "A train step is forward, backward, clipping and AdamW of a classifier on 16 × 128.",
        "",
        *time_table(times, products, kept),
        "",
        "## Peak memory, MiB",
        "",
        "Resident memory once model and inputs are there, the highest while the work runs twice, and the difference.",
        "",
        *memory_table([n for n in MEMORY if n in wanted], [theirs, ours], chosen, kept),
        "",
    ]
    write(lines, a.out)
    kept.write(a.json, versions, disturbed.values())


if __name__ == "__main__":
    main()
