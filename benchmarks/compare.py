"""Train the same workloads on Addax and its peers, in turn, and print medians, spread and ratios.

    python benchmarks/compare.py --work mlp cnn --rounds 5 \\
        --peer jax=/venvs/jax/bin/python --peer keras-tensorflow=/venvs/tf/bin/python

Each run is a process of its own; round after round visits every peer, so that a drift of the
machine's speed meets all of them. A peer whose interpreter is not given is left out and named.
With --results the table is appended to benchmarks/RESULTS.md. With --batches the table shows what
an image takes at each batch size instead:

    python benchmarks/compare.py --work cnn resnet50 --batches 1 2 4 8 16 32 64 128 256 512
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

import addax as ax

HERE = Path(__file__).parent
FIGURES = ("ms_per_step", "first_step_ms", "import_ms", "peak_mb")

Runs = dict[str, list[dict[str, float]]]


@dataclass(frozen=True)
class Peer:
    script: str
    environment: dict[str, str]
    works: tuple[str, ...] = ("mlp", "cnn", "resnet50", "resnet50_bfloat16")


PEERS = {
    "addax": Peer("addax_fit.py", {}),
    "jax": Peer("jax_scan.py", {}, ("mlp", "cnn")),
    "torch": Peer("torch_loop.py", {}),
    "keras-tensorflow": Peer("keras_fit.py", {"KERAS_BACKEND": "tensorflow"}),
    "keras-jax": Peer("keras_fit.py", {"KERAS_BACKEND": "jax"}),
    "keras-torch": Peer("keras_fit.py", {"KERAS_BACKEND": "torch"}),
}


def measure(name: str, python: str, work: str, batch: int | None = None) -> dict[str, float]:
    peer = PEERS[name]
    run = subprocess.run(
        [python, HERE / "peers" / peer.script, work, *([] if batch is None else [str(batch)])],
        env={**os.environ, **peer.environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode != 0:
        raise RuntimeError(f"{name} failed on {work}:\n{run.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return figures


def rounds(count: int, pythons: dict[str, str], work: str, batch: int | None = None) -> Runs:
    taking_part = [name for name in pythons if work in PEERS[name].works]
    runs: Runs = {name: [] for name in taking_part}
    for _ in range(count):
        for name in taking_part:
            runs[name].append(measure(name, pythons[name], work, batch))
    return runs


def table(work: str, runs: Runs) -> str:
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


def batch_table(work: str, by_batch: dict[int, Runs]) -> str:
    """A Markdown table: microseconds an image takes, median (minimum to maximum), by batch size."""
    names = list(next(iter(by_batch.values())))
    header = [f"{name}, microseconds an image" for name in names]
    lines = [f"| {work}: batch | {' | '.join(header)} |", "|---" * (1 + len(names)) + "|"]
    for batch, runs in by_batch.items():
        cells = []
        for name in names:
            values = [1e3 * r["ms_per_step"] / batch for r in runs[name]]
            cells.append(
                f"{statistics.median(values):,.1f} ({min(values):,.1f} to {max(values):,.1f})"
            )
        lines.append(f"| {batch} | {' | '.join(cells)} |")
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", nargs="+", default=["mlp"], choices=PEERS["addax"].works)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="+", default=[], metavar="SIZE")
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
        if work.endswith("bfloat16") and "bfloat16" not in ax.devices()[0].fast_dtypes:
            sections.append(f"{work}: skipped, this processor has no bfloat16 products.")
            continue
        if arguments.batches:
            by_batch = {b: rounds(arguments.rounds, pythons, work, b) for b in arguments.batches}
            sections.append(batch_table(work, by_batch))
        else:
            sections.append(table(work, rounds(arguments.rounds, pythons, work)))
        print(sections[-1], flush=True)
    if arguments.results:
        with (HERE / "RESULTS.md").open("a") as results:
            results.write("\n" + "\n\n".join(sections) + "\n")


if __name__ == "__main__":
    main()
