"""What a side of the comparison answers, one line in, one line of JSON out.

`benches/src/peer` speaks the same in Rust:

- `list` → the names, each with its variants (the driver takes the fastest), the work of one
  execution and its unit;
- `about` → versions;
- `measure NAME` or `measure NAME:VARIANT` → `wall` and `cpu` seconds of one execution (a mean
  where one is too short to time); here also `user`, the part of `cpu` that was not the system's, which
  Linux only samples: a sum of many is worth something. The first of a name prepares it, untimed;
- `memory NAME` → bytes: `before` (resident once prepared), `peak` (highest while it ran twice).
  Meant for a process of its own.
"""

import json
import resource
import sys
import time
from functools import cache
from pathlib import Path


def status(key):
    """A line of Linux's account of this process, in bytes."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key + ":"))


def serve(works, about):
    """Answers until there are no more lines.

    `works`: name → (variants, prepare(variant), executions in a repetition, work of one, its unit).
    """

    @cache
    def prepared(name, variant):
        return works[name][1](variant)

    def split(argument):
        """Name and variant of `NAME[:VARIANT]`; the first variant if none is given."""
        name, _, variant = argument.partition(":")
        return name, variant or works[name][0][0]

    def measure(argument):
        name, variant = split(argument)
        run, runs = prepared(name, variant), works[name][2]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(runs):
            run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        user = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
        return dict(name=name, variant=variant, wall=wall / runs, cpu=cpu / runs, user=user / runs)

    def memory(argument):
        name, variant = split(argument)
        run = prepared(name, variant)
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of loading
        before = status("VmRSS")
        run()
        run()
        return dict(name=name, variant=variant, before=before, peak=status("VmHWM"))

    def listing():
        return {n: dict(variants=v, work=work, unit=unit) for n, (v, _, _, work, unit) in works.items()}

    commands = {"list": listing, "about": about, "measure": measure, "memory": memory}
    for line in sys.stdin:
        command, *arguments = line.split()
        print(json.dumps(commands[command](*arguments)), flush=True)
