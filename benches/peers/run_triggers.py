#!/usr/bin/env python3
"""Sixfold's search for triggers beside the published one in PyTorch: both sides in turns, one table.

    cargo build --release -p sixfold-benches --bin triggers_peer
    python run_triggers.py --ours target/release/triggers_peer --out benches/record/triggers.md

One thread each, CPU seconds of the process, the minimum of several rounds. Costs are in forwards: each side's own time
of the same examples through the whole model, without a tape.
"""

import os
import sys

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from sides import ROOT, Ratios, Side, compare, heading, least_cpu, needs, options, write  # noqa: E402

NEEDS = needs("requirements.txt", ["--package sixfold-benches --bin triggers_peer"], "triggers_peer")


def main():
    a = options("Sixfold's search for triggers beside the published one.", NEEDS).parse_args()
    env = os.environ | {f"{library}_NUM_THREADS": "1" for library in ("RAYON", "OMP", "MKL", "OPENBLAS")}
    theirs = Side("PyTorch", [a.python, str(ROOT / "benches/peers/triggers.py")], env)
    ours = Side("Sixfold", [str(a.ours.resolve())], env)
    sides, times, disturbed = (theirs, ours), {}, {}
    for name in dict.fromkeys((*ours.works, *theirs.works)):
        found, disturbed[name] = compare(name, [s for s in sides if name in s.works], 1, a.repeats, a.patience)
        times[name] = {side: least_cpu(t) for (side, _), t in found.items()}
        print(name, times[name], f"others {disturbed[name]:.0%}", file=sys.stderr, flush=True)
    versions = theirs.ask("about")["versions"] | ours.ask("about")["versions"]
    us, them = ({name: t[side] for name, t in times.items() if side in t} for side in ("Sixfold", "PyTorch"))
    # A forward of all rows through all blocks, as PyTorch's is; the search's own leaves most of the last block out.
    w, f, g = us["wide"], us["forward"], them["forward"]
    update = (us["updates_3"] - us["updates_1"]) / 2
    rate = them["product"] / us["product"]  # how much faster our products are
    ended = them["update"] / update
    rows = [
        ("B1 gradient of LUAT, last layer, in forwards", us["luat"] / w, "≤ 3.2", us["luat"] / w <= 3.2, them["luat"] / g),
        ("B1 gradient of UAT, in forwards", us["uat"] / w, "≤ 2.1", us["uat"] / w <= 2.1, them["uat"] / g),
        ("B2 model alone / verification", us["bare"] / us["verify"], "≥ .90", us["bare"] / us["verify"] >= 0.9, None),
        ("B2 padded / by length", us["padded"] / us["verify"], "≥ 1.5", us["padded"] / us["verify"] >= 1.5, None),
        ("B2 whole last block / at the first token (6 layers)", us["wide"] / f, "–", None, None),
        ("B3 an update, in forwards of one example", update / w * 128, "≤ 2500", update / w * 128 <= 2500,
         them["update"] / g * 128),
        ("B3 PyTorch / Sixfold, an update", ended, "", None, None),
        ("product of PyTorch / `gemm`", rate, "", None, None),
        ("B3 PyTorch / Sixfold at the same rate of products", ended / rate, "≥ 2", ended / rate >= 2, None),
    ]  # fmt: skip
    ratios, own = Ratios(), "own forward"
    ratios.add("gradient of LUAT", "CPU s", us["luat"], own, w, 3.2)
    ratios.add("gradient of UAT", "CPU s", us["uat"], own, w, 2.1)
    ratios.add("verification", "CPU s", us["verify"], "own model alone", us["bare"], 1 / 0.9)
    ratios.add("verification", "CPU s", us["verify"], "own, padded", us["padded"], 1 / 1.5)
    ratios.add("an update", "forwards", update / w * 128, "PyTorch", them["update"] / g * 128)
    ratios.add("an update", "CPU s", update, "PyTorch", them["update"])
    ratios.add("an update at the same rate of products", "CPU s", update, "PyTorch", them["update"] / rate, 0.5)
    told = {True: "yes", False: "**no**", None: ""}
    lines = [
        "# The search for triggers beside the published one, on the CPU",
        "",
        *heading(versions, disturbed.values()),
        f"- one thread each, f32, CPU seconds of the process, minimum of {a.repeats} rounds in turns",
        "- a classifier of MiniLM's shape (6 layers of 384), random weights; 128 texts of 6 to 45 tokens and a trigger of 3,",
        "  10 candidates for each place; PyTorch's update ends with all 872 texts, as the published one does",
        "",
        "| what | Sixfold | gate | reached | PyTorch |",
        "|---|---:|---:|---|---:|",
        *(f"| {what} | {value:.2f} | {gate} | {told[ok]} | {'' if other is None else f'{other:.2f}'} |"
          for what, value, gate, ok, other in rows),
        "",
        "CPU seconds:",
        "",
        "| work | Sixfold | PyTorch |",
        "|---|---:|---:|",
        *(f"| {name} | {t.get('Sixfold', float('nan')):.4f} | {t.get('PyTorch', float('nan')):.4f} |".replace("nan", "–")
          for name, t in times.items()),
        "",
    ]  # fmt: skip
    write(lines, a.out)
    ratios.write(a.json, versions, disturbed.values())


if __name__ == "__main__":
    main()
