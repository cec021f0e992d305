"""Train on the real CIFAR-10 in Addax and in Keras, several times each, and compare the curves.

    python benchmarks/curves.py --work cifar_cnn resnet50 --runs 3 \\
        --peer keras-tensorflow=/venvs/tf/bin/python --peer-runs 2

The images are those that addax.datasets.cifar10 finds; data, network, loss and Adam are the same,
initial weights and the order of samples each framework's own. Addax trains once in each --dtype, a
peer in float32. With --results the tables are appended to benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import machine
import numpy as np

import addax as ax

HERE = Path(__file__).parent
WORKS = ("cifar_cnn", "resnet50")
BACKENDS = ("tensorflow", "jax", "torch")
FIGURES = {
    "loss": "training loss",
    "accuracy": "training accuracy",
    "val_accuracy": "test accuracy",
}

History = dict[str, list[float]]


@dataclass(frozen=True)
class Learner:
    """One column group of a table: a framework, how it is started, how often it trains."""

    title: str
    framework: str
    python: str
    environment: dict[str, str]
    dtype: str
    runs: int

    def train(self, recipe: dict[str, object]) -> History:
        asked = {**recipe, "dtype": self.dtype}
        run = subprocess.run(
            [self.python, HERE / "peers" / "curve.py", self.framework],
            env={**os.environ, **self.environment}, input=json.dumps(asked),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if run.returncode != 0:
            raise RuntimeError(f"{self.title} failed on {recipe['work']}:\n{run.stderr[-2000:]}")
        history: History = json.loads(run.stdout.splitlines()[-1])
        return history


def curves(learner: Learner, recipe: dict[str, object]) -> list[History]:
    histories = []
    for run in range(learner.runs):
        begin = time.perf_counter()
        histories.append(learner.train(recipe))
        print(
            f"{recipe['work']}, {learner.title}, run {run + 1}: "
            f"{time.perf_counter() - begin:.0f} s, "
            f"test accuracy {histories[-1]['val_accuracy'][-1]:.3f}",
            flush=True,
        )
    return histories


def table(work: str, measured: dict[str, list[History]]) -> str:
    """A Markdown table with a row per epoch: mean (minimum to maximum) over a learner's runs."""
    columns = [(title, figure) for figure in FIGURES for title in measured]
    header = [f"{FIGURES[figure]}, {title}" for title, figure in columns]
    lines = [f"| {work}: epoch | {' | '.join(header)} |", "|---" * (1 + len(columns)) + "|"]
    epochs = len(next(iter(measured.values()))[0]["loss"])
    for epoch in range(epochs):
        cells = []
        for title, figure in columns:
            values = [history[figure][epoch] for history in measured[title]]
            cells.append(f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})")
        lines.append(f"| {epoch + 1} | {' | '.join(cells)} |")
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", nargs="+", default=["cifar_cnn"], choices=WORKS)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--runs", type=int, default=3, help="of Addax")
    parser.add_argument("--peer-runs", type=int, default=2)
    parser.add_argument(
        "--dtype", nargs="+", default=["float32"], choices=["float32", "mixed_bfloat16"]
    )
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=PYTHON",
        help=f"interpreter with that peer: keras-{', keras-'.join(BACKENDS)}",
    )  # fmt: skip
    parser.add_argument("--results", action="store_true", help="append to RESULTS.md")
    return parser.parse_args()


def learners(arguments: argparse.Namespace) -> list[Learner]:
    found = []
    for dtype in arguments.dtype:
        title = "addax" if dtype == "float32" else f"addax in {dtype}"
        found.append(Learner(title, "addax", sys.executable, {}, dtype, arguments.runs))
    for text in arguments.peer:
        name, _, python = text.partition("=")
        backend = name.removeprefix("keras-")
        if backend not in BACKENDS or not python:
            sys.exit(f"--peer {text}: write keras-BACKEND=PYTHON, one of {', '.join(BACKENDS)}")
        environment = {"KERAS_BACKEND": backend}
        found.append(Learner(name, "keras", python, environment, "float32", arguments.peer_runs))
    return found


def main() -> None:
    arguments = parse_arguments()
    taking_part = learners(arguments)
    (x, y), (x_test, y_test) = ax.datasets.cifar10.load_data()
    counts = ", ".join(f"{learner.runs} runs of {learner.title}" for learner in taking_part)
    sections = [f"## {datetime.date.today()}: {machine.describe()}"]
    sections.append(
        f"Learning curves on {len(x):,} images of CIFAR-10, tested on {len(x_test):,}: Adam "
        f"at {arguments.learning_rate:g}, batches of {arguments.batch}, {counts}; mean (minimum to "
        "maximum)."
    )
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "cifar10.npz"
        np.savez(data, x=x, y=y, x_test=x_test, y_test=y_test)
        for work in arguments.work:
            recipe = {
                "work": work,
                "data": str(data),
                "batch": arguments.batch,
                "epochs": arguments.epochs,
                "learning_rate": arguments.learning_rate,
            }
            measured = {learner.title: curves(learner, recipe) for learner in taking_part}
            sections.append(table(work, measured))
            print(sections[-1], flush=True)
    if arguments.results:
        with (HERE / "RESULTS.md").open("a") as results:
            results.write("\n" + "\n\n".join(sections) + "\n")


if __name__ == "__main__":
    main()
