"""What the drivers here share: processes that are asked in turns, and the machine they run on."""

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

    def memory(self, task):
        """Bytes resident once `task` is prepared, and at most while it runs twice, in a fresh process."""
        fresh = self.again()
        answer = fresh.ask(f"memory {task}")
        fresh.close()
        return answer["before"], answer["peak"]

    def cpu(self):
        """Seconds of CPU time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(name, sides, warm_ups, repeats, patience, every=False, most=None):
    """Repetitions by side and variant, and the largest share of the processors that others had.

    Of each side the fastest variant runs on, or every one. `most` bounds the rounds of a variant.
    """
    most = most or {}
    runners = [(side, variant) for side in sides if name in side.works for variant in side.works[name]["variants"]]
    first = {}
    for side, variant in runners:
        rounds = 0 if variant in most else warm_ups
        times = [side.ask(f"measure {name}:{variant}")["wall"] for _ in range(rounds)]
        first[side, variant] = min(times, default=0.0)
    if not every:
        runners = [min(((s, v) for s, v in runners if s is side), key=first.get)
                   for side in sides if name in side.works]  # fmt: skip
    # A round is one repetition of each. Rounds go on until enough were undisturbed, or patience
    # ends; the least disturbed count.
    rounds, begun = [], time.monotonic()
    while len(rounds) < repeats or (
        sum(share <= QUIET for share, _ in rounds) < repeats and time.monotonic() - begun < patience
    ):
        meter = Meter(sides)
        now = [(side, v) for side, v in runners if len(rounds) < most.get(v, len(rounds) + 1)]
        order = now if len(rounds) % 2 == 0 else reversed(now)
        answers = {(side, variant): side.ask(f"measure {name}:{variant}") for side, variant in order}
        rounds.append((meter.others(), answers))
    # A variant that ran less often counts wherever it ran.
    kept = sorted(rounds, key=lambda entry: entry[0])[:repeats]
    results = {
        (side.name, variant): [
            answers[side, variant] for _, answers in (rounds if variant in most else kept) if (side, variant) in answers
        ]
        for side, variant in runners
    }
    return results, kept[-1][0]


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


def machine():
    info = Path("/proc/cpuinfo").read_text()
    field = {line.split(":")[0].strip(): line.split(":")[1].strip() for line in info.splitlines() if ":" in line}
    flags = [flag for flag in ("avx2", "fma", "avx512f") if flag in field.get("flags", "").split()]
    where = f"family {field.get('cpu family')}, model {field.get('model')}"
    return f"{field.get('model name')} ({where}; {', '.join(flags)}), {os.cpu_count()} cores, {platform.platform()}"


def output(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()


def changes():
    """Of tracked files, against the commit."""
    return bool(output("git", "status", "--porcelain", "--untracked-files=no"))


def heading(versions, disturbed):
    """What a record says first: machine, code, versions, disturbance, command."""
    dirty = " with changes" if changes() else ""
    return [
        f"- machine: {machine()}",
        f"- date: {datetime.date.today()}, commit {output('git', 'rev-parse', '--short', 'HEAD')}{dirty}",
        f"- {', '.join(f'{key} {value}' for key, value in versions.items())}",
        f"- {output('rustc', '--version')}, release build",
        f"- other processes had at most {max(disturbed):.0%} of the processors in a round that counts",
        f"- command: `python {shlex.join(sys.argv)}`",
    ]


def write(lines, path):
    """A record's file, or the standard output."""
    text = "\n".join(lines)
    if path is None:
        print(text)
        return
    put(path, text)


def put(path, text):
    """A file that is written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


class Ratios:
    """Ours over others', work by work: what `--json` gets, the same of every driver."""

    def __init__(self):
        self.rows = []

    def add(self, work, measure, ours, peer, theirs, gate=None):
        """Less is better of `measure` (a unit); `gate` is the most that ours / theirs may be."""
        ratio = ours / theirs
        reached = None if gate is None else ratio <= gate
        self.rows.append(dict(work=work, measure=measure, ours=ours, peer=peer, theirs=theirs, ratio=ratio, gate=gate,
                              reached=reached))  # fmt: skip

    def write(self, path, versions, disturbed):
        if path is None:
            return
        told = dict(schema=1, date=str(datetime.date.today()), commit=output("git", "rev-parse", "--short", "HEAD"),
                    dirty=changes(), machine=machine(), versions=versions, others=max(disturbed, default=None),
                    command=sys.argv, ratios=self.rows)  # fmt: skip
        put(path, json.dumps(told, indent=1) + "\n")


class Describe(argparse.Action):
    """`--describe`: what a driver needs, before anything else is asked for."""

    def __init__(self, *positional, needs, **named):
        super().__init__(*positional, nargs=0, **named)
        self.needs = needs

    def __call__(self, parser, *_):
        print(json.dumps(self.needs))
        parser.exit()


def needs(requirements, builds, ours, data=False):
    """What a driver needs: a requirement file, `cargo build --release` with each of `builds`, the path below
    target/release that `--ours` gets (empty: the folder itself), and whether it takes `--data`."""
    return dict(requirements=requirements, builds=[build.split() for build in builds], ours=ours, data=data)


def options(description, needed, repeats=5):
    """The options of every driver; `needed` is what `needs` gave."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--describe", action=Describe, needs=needed, help="prints as JSON what it needs, and ends")
    ours = f"the binary `{needed['ours']}`" if needed["ours"] else "the folder of the binaries"
    parser.add_argument("--ours", type=Path, required=True, help=f"{ours}, release build")
    parser.add_argument("--python", default=sys.executable, help=f"the Python that has {needed['requirements']}")
    parser.add_argument("--repeats", type=int, default=repeats)
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for undisturbed rounds, each work")
    parser.add_argument("--out", type=Path, help="the record's file; else it is printed")
    parser.add_argument("--json", type=Path, help="the ratios, for `cargo xtask peers`")
    return parser


def on_matrices(description, needed, points, slow):
    """The options of a comparison on matrices; `points` is where they lie, and how large they are."""
    parser = options(description, needed)
    parser.add_argument("--points", type=Path, default=points[0], help=f"where the matrices lie ({points[1]})")
    parser.add_argument("--slow-repeats", type=int, default=1, help=f"rounds of {slow}")
    parser.add_argument("--warm-ups", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], help="names, or beginnings of names")
    return parser.parse_args()


def on_one_thread(a, theirs, script):
    """The two sides of a comparison on matrices, which theirs writes on start."""
    libraries = ("RAYON", "OMP", "MKL", "OPENBLAS", "NUMBA")
    env = os.environ | {f"{library}_NUM_THREADS": "1" for library in libraries}
    env["SIXFOLD_POINTS"] = str(a.points.resolve())
    return [Side(theirs, [a.python, str(ROOT / "benches/peers" / script)], env),
            Side("Sixfold", [str(a.ours.resolve())], env)]  # fmt: skip


def compare_all(sides, a, big):
    """Times of every work that is wanted, and how disturbed they were; of `big` theirs runs less often."""
    wanted = [n for n in sides[0].works if not a.only or any(n.startswith(only) for only in a.only)]
    times, disturbed = {}, {}
    for name in wanted:
        most = dict.fromkeys(sides[0].works[name]["variants"], a.slow_repeats) if name == big else None
        times[name], disturbed[name] = compare(name, sides, a.warm_ups, a.repeats, a.patience, True, most)
        print(name, {variant: round(least_cpu(t), 4) for (_, variant), t in times[name].items()},
              f"others {disturbed[name]:.0%}", file=sys.stderr, flush=True)  # fmt: skip
    return times, disturbed
