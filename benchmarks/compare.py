"""Train the same workloads on Addax and its peers, in turn, and print medians, spread and ratios.

    python benchmarks/compare.py --work mlp cnn --rounds 5 \\
        --peer jax=/venvs/jax/bin/python --peer keras-tensorflow=/venvs/tf/bin/python

Each run is a process of its own; round after round visits every peer, so that a drift of the
machine's speed meets all of them. A peer whose interpreter is not given is left out and named.
With --results the table is appended to benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import machine

HERE = Path(__file__).parent
FIGURES = ("ms_per_step", "first_step_ms", "import_ms", "peak_mb")


@dataclass(frozen=True)
class Peer:
    script: str
    environment: dict[str, str]
    works: tuple[str, ...] = ("mlp", "cnn", "resnet50")


PEERS = {
    "addax": Peer("addax_fit.py", {}),
    "jax": Peer("jax_scan.py", {}, ("mlp", "cnn")),
    "torch": Peer("torch_loop.py", {}),
    "keras-tensorflow": Peer("keras_fit.py", {"KERAS_BACKEND": "tensorflow"}),
    "keras-jax": Peer("keras_fit.py", {"KERAS_BACKEND": "jax"}),
    "keras-torch": Peer("keras_fit.py", {"KERAS_BACKEND": "torch"}),
}


def measure(name: str, python: str, work: str) -> dict[str, float]:
    peer = PEERS[name]
    run = subprocess.run(
        [python, HERE / "peers" / peer.script, work],
        env={**os.environ, **peer.environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode != 0:
        raise RuntimeError(f"{name} failed on {work}:\n{run.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return figures


def table(work: str, runs: dict[str, list[dict[str, float]]]) -> str:
    """A Markdown table: median (minimum to maximum) of each figure, and the ratio to Addax."""
    medians = {
        name: statistics.median(r["ms_per_step"] for r in measured)
        for name, measured in runs.items()
    }
    lines = [
        f"| {work} | ms a step | times Addax | first step, ms | import, ms | peak, MB |",
        "|---|---|---|---|---|---|",
    ]
    for name, measured in sorted(runs.items(), key=lambda item: medians[item[0]]):
        cells = []
        for figure in FIGURES:
            values = [r[figure] for r in measured]
            digits = 4 if figure == "ms_per_step" else 0
            low, middle, high = (
                f"{v:.{digits}f}" for v in (min(values), statistics.median(values), max(values))
            )
            cells.append(f"{middle} ({low} to {high})")
        ratio = f"{medians[name] / medians['addax']:.2f}" if "addax" in medians else "?"
        lines.append(f"| {name} | {cells[0]} | {ratio} | {' | '.join(cells[1:])} |")
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", nargs="+", default=["mlp"], choices=PEERS["addax"].works)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=PYTHON",
        help=f"interpreter with that peer installed; names: {', '.join(PEERS)}",
    )  # fmt: skip
    parser.add_argument("--results", action="store_true", help="append to RESULTS.md")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    pythons = {"addax": sys.executable}
    for text in arguments.peer:
        name, _, python = text.partition("=")
        if name not in PEERS or not python:
            sys.exit(f"--peer {text}: write NAME=PYTHON with a name of {', '.join(PEERS)}")
        pythons[name] = python
    if missing := [name for name in PEERS if name not in pythons]:
        print(f"left out, no interpreter given: {', '.join(missing)}")
    sections = [f"## {datetime.date.today()}: {machine.describe()}"]
    sections.append(f"{arguments.rounds} rounds in turn; median (minimum to maximum).")
    for work in arguments.work:
        taking_part = [name for name in pythons if work in PEERS[name].works]
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in taking_part}
        for _ in range(arguments.rounds):
            for name in taking_part:
                runs[name].append(measure(name, pythons[name], work))
        sections.append(table(work, runs))
        print(sections[-1], flush=True)
    if arguments.results:
        with (HERE / "RESULTS.md").open("a") as results:
            results.write("\n" + "\n\n".join(sections) + "\n")


if __name__ == "__main__":
    main()
