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

import argparse
import datetime
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
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
QUIET = 0.03  # of the processors, in a round that nobody disturbed
MIB = 2**20


class Side:
    """A process that answers each line with a line of JSON."""

    def __init__(self, name, command, env):
        self.name, self.command, self.env = name, command, env
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.works = self.ask("list")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name} ended at `{line}` with exit code {self.process.wait()}")
        return json.loads(answer)

    def again(self):
        """The same in a fresh process."""
        return Side(self.name, self.command, self.env)

    def cpu(self):
        """Seconds of CPU time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(name, sides, warm_ups, repeats, patience):
    """Repetitions by side and variant, and the largest share of the processors that others had."""
    runners = [(side, variant) for side in sides if name in side.works for variant in side.works[name]["variants"]]
    first = {}
    for side, variant in runners:
        times = [side.ask(f"measure {name}:{variant}")["wall"] for _ in range(warm_ups)]
        first[side, variant] = min(times)
    if sides[0].works[name]["unit"] != "FLOP":  # of products, every variant is wanted
        runners = [min(((s, v) for s, v in runners if s is side), key=first.get)
                   for side in sides if name in side.works]  # fmt: skip
    # A round is one repetition of each. Rounds go on until enough were undisturbed, or patience
    # ends; the least disturbed count.
    rounds, begun = [], time.monotonic()
    while len(rounds) < repeats or (
        sum(share <= QUIET for share, _ in rounds) < repeats and time.monotonic() - begun < patience
    ):
        meter = Meter(sides)
        order = runners if len(rounds) % 2 == 0 else reversed(runners)
        answers = {(side, variant): side.ask(f"measure {name}:{variant}") for side, variant in order}
        rounds.append((meter.others(), answers))
    rounds = sorted(rounds, key=lambda entry: entry[0])[:repeats]
    results = {(side.name, variant): [answers[side, variant] for _, answers in rounds] for side, variant in runners}
    return results, rounds[-1][0]


class Meter:
    """What other processes use of the processors, from now on."""

    def __init__(self, sides):
        self.sides, self.begun = sides, self.read(sides)

    @staticmethod
    def read(sides):
        """Seconds that the sides used, that all were busy or stolen, and that there were."""
        ticks = [int(n) for n in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        hertz = os.sysconf("SC_CLK_TCK")
        return sum(side.cpu() for side in sides), (sum(ticks) - ticks[3] - ticks[4]) / hertz, sum(ticks) / hertz

    def others(self):
        used, busy, all_ = (now - then for now, then in zip(self.read(self.sides), self.begun, strict=True))
        return max(0.0, busy - used) / max(all_, 1e-2)


def best(times):
    return min(t["wall"] for t in times)


def middle(times):
    return statistics.median(t["wall"] for t in times)


def least_cpu(times):
    return min(t["cpu"] for t in times)


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
    """The largest ratio allowed: the stated one, or 1.05 × what the best crate's rate dictates
    where that is below PyTorch's."""
    if name not in GATES:
        return "–"
    product, allowed = GATES[name]
    share = crate_share(products, product) if product in products else 1.0
    return f"{allowed:.2f}" if not share < 1.0 else f"{max(allowed, 1.05 / share):.2f} (by rate)"


def time_table(times, products):
    lines = ["| work | PyTorch, ms | variant | Sixfold, ms | ratio | of medians | of CPU time | gate |",
             "|---|---:|---|---:|---:|---:|---:|---:|"]  # fmt: skip
    for name, results in times.items():
        (variant, theirs), (_, ours) = pick(results, THEIRS), pick(results, OURS)
        if ours is None:
            cells = "– | – | – | –"
        else:
            ratios = (best(ours) / best(theirs), middle(ours) / middle(theirs), least_cpu(ours) / least_cpu(theirs))
            cells = " | ".join([milliseconds(ours), *(f"{ratio:.2f}" for ratio in ratios)])
        lines.append(f"| {name} | {milliseconds(theirs)} | {variant} | {cells} | {gate(name, products)} |")
    return lines


def memory_table(names, sides, chosen):
    lines = ["| work, twice in a fresh process | PyTorch: prepared, peak, growth | Sixfold | growth, ratio |",
             "|---|---:|---:|---:|"]  # fmt: skip
    for name in names:
        growth, cells = {}, {}
        for side in sides:
            if name not in side.works:
                continue
            fresh = side.again()
            answer = fresh.ask(f"memory {name}:{chosen.get((name, side.name), side.works[name]['variants'][0])}")
            fresh.close()
            growth[side.name] = answer["peak"] - answer["before"]
            parts = (answer["before"], answer["peak"], growth[side.name])
            cells[side.name] = ", ".join(f"{part / MIB:.0f}" for part in parts)
        ratio = f"{growth[OURS] / growth[THEIRS]:.2f}" if OURS in growth else "–"
        lines.append(f"| {name} | {cells.get(THEIRS, '–')} | {cells.get(OURS, '–')} | {ratio} |")
    return lines


def machine():
    info = Path("/proc/cpuinfo").read_text()
    field = {line.split(":")[0].strip(): line.split(":")[1].strip() for line in info.splitlines() if ":" in line}
    flags = [flag for flag in ("avx2", "fma", "avx512f") if flag in field.get("flags", "").split()]
    where = f"family {field.get('cpu family')}, model {field.get('model')}"
    return f"{field.get('model name')} ({where}; {', '.join(flags)}), {os.cpu_count()} cores, {platform.platform()}"


def output(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser(description="Sixfold beside PyTorch, in one table.")
    parser.add_argument("--ours", type=Path, required=True, help="the binary `peer`, release build")
    parser.add_argument("--python", default=sys.executable, help="the Python that has requirements.txt")
    parser.add_argument("--data", type=Path, default=os.environ.get("SIXFOLD_DATA"), help="evaluation data")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--warm-ups", type=int, default=2)
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for undisturbed rounds, each work")
    parser.add_argument("--only", nargs="*", default=[], help="names, or beginnings of names")
    parser.add_argument("--out", type=Path, help="the table's file; else it is printed")
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
        results, disturbed[name] = compare(name, [theirs, ours], a.warm_ups, a.repeats, a.patience)
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

    dirty = " with changes" if output("git", "status", "--porcelain", "--untracked-files=no") else ""
    lines = [
        "# The model crate beside PyTorch, on the CPU",
        "",
        f"- machine: {machine()}",
        f"- date: {datetime.date.today()}, commit {output('git', 'rev-parse', '--short', 'HEAD')}{dirty}",
        f"- {', '.join(f'{key} {value}' for key, value in versions.items() if key != 'threads')}",
        f"- {output('rustc', '--version')}, release build",
        f"- {a.threads} threads each, f32, wall time, minimum of {a.repeats} after {a.warm_ups} warm-ups, in turns",
        f"- other processes had at most {max(disturbed.values()):.0%} of the processors in a round that counts",
        f"- command: `python {shlex.join(sys.argv)}`",
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
        *time_table(times, products),
        "",
        "## Peak memory, MiB",
        "",
        "Resident memory once model and inputs are there, the highest while the work runs twice, and the difference.",
        "",
        *memory_table([n for n in MEMORY if n in wanted], [theirs, ours], chosen),
        "",
    ]
    text = "\n".join(lines)
    if a.out is None:
        print(text)
        return
    a.out.parent.mkdir(parents=True, exist_ok=True)
    a.out.write_text(text)


if __name__ == "__main__":
    main()
