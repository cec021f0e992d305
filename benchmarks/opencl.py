"""Time a training step on an OpenCL device beside the CPU's: its kernels, and what it takes more.

    python benchmarks/opencl.py [--work mlp cnn] [--device opencl:0] [--steps 100] [--results]

Kernel time is the device's own, by its events; a step is the mean of an epoch, with the copy of the
data to the device; both are those of the best of several epochs. What an epoch takes beyond its own
kernels, while their events are recorded, counts as overhead of their launches: the median of
several epochs. The driver's own part is measured by kernels that are launched again and again in
one run: what the smallest takes, and what lies between large ones.
"""

from __future__ import annotations

import argparse
import datetime
import statistics
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import machine
import numpy as np

import addax as ax
from addax import _core, tracing

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "peers"))

from keras_like import build  # noqa: E402
from workload import WORKLOADS, Workload, images_and_labels, seconds  # noqa: E402

FLOOR_STEPS = 20_000
GAP_STEPS = 500
GAP_ELEMENTS = 2_000_000
MOST_OPS = 8


@dataclass(frozen=True)
class Figures:
    step_ms: float
    kernel_ms: float
    launches: float
    overheads_us: list[float]  # of a launch, an epoch each
    shares: list[tuple[str, float]]

    @property
    def overhead(self) -> str:
        """The median and the range."""
        median = statistics.median(self.overheads_us)
        return f"{median:.1f} ({min(self.overheads_us):.1f} to {max(self.overheads_us):.1f})"


def adding(device: str, elements: int) -> _core.Executable:
    """A program of one kernel, which adds to so many numbers."""
    with ax.device(device), tracing.trace("adding") as trace:
        numbers = ax.Variable(np.zeros(elements, np.float32))
        numbers.assign_add(1.0)
        return trace.finish([], device=device)


def floor_us(device: str) -> float:
    """Microseconds a launch of the smallest kernel takes."""
    program = adding(device, 1)
    program.run_steps([], FLOOR_STEPS)
    times = [seconds(lambda: program.run_steps([], FLOOR_STEPS)) for _ in range(5)]
    return 1e6 * min(times) / FLOOR_STEPS


def gap(device: str) -> tuple[float, float]:
    """Microseconds of a large kernel, and of what lies between two of them."""
    program = adding(device, GAP_ELEMENTS)
    program.run_steps([], GAP_STEPS)
    runs = []
    for _ in range(5):
        with ax.profile() as profile:
            whole = seconds(lambda: program.run_steps([], GAP_STEPS))
        kernels = 1e-3 * time_by_op(profile).total()
        runs.append((kernels / GAP_STEPS, (1e6 * whole - kernels) / GAP_STEPS))
    return tuple(statistics.median(column) for column in zip(*runs, strict=True))


def time_by_op(profile: ax.profile) -> Counter[str]:
    """Nanoseconds."""
    times: Counter[str] = Counter()
    for span in profile.spans:
        times[span["op"]] += span["end_ns"] - span["begin_ns"]
    return times


def model_for(name: str, work: Workload, device: str) -> Any:
    model = build(ax, name, work.image)
    loss = ax.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], device=device)
    return model


def measure(name: str, steps: int, rounds: int, device: str) -> Figures:
    work = WORKLOADS[name]
    images, labels = images_and_labels(replace(work, count=steps * work.batch))
    model = model_for(name, work, device)

    def epoch() -> None:
        model.fit(images, labels, batch_size=work.batch, verbose=0)

    epoch()
    step_ms = min(1e3 * seconds(epoch) / steps for _ in range(rounds))
    epochs, overheads = [], []
    for _ in range(rounds):
        with ax.profile() as profile:
            whole = seconds(epoch)
        epochs.append(time_by_op(profile))
        launches = len(profile.spans)
        overheads.append((1e6 * whole - 1e-3 * epochs[-1].total()) / launches)
    by_op = min(epochs, key=Counter.total)
    total = by_op.total()
    shares = [(op, time / total) for op, time in by_op.most_common(MOST_OPS)]
    return Figures(step_ms, 1e-6 * total / steps, launches / steps, overheads, shares)


def table(works: list[str], figures: dict[tuple[str, str], Figures], device: str) -> str:
    lines = [
        f"| work | cpu, ms a step | {device}, ms a step | kernels, ms | launches | "
        "overhead of a launch, us |",
        "|---|---|---|---|---|---|",
    ]
    for work in works:
        cpu, other = figures[work, "cpu"], figures[work, device]
        lines.append(
            f"| {work} | {cpu.step_ms:.3f} | {other.step_ms:.3f} | {other.kernel_ms:.3f} | "
            f"{other.launches:.0f} | {other.overhead} |"
        )
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", nargs="+", default=["mlp", "cnn"], choices=list(WORKLOADS))
    parser.add_argument("--device", default="opencl:0")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", action="store_true", help="append to RESULTS.md")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    device = arguments.device
    figures = {
        (work, where): measure(work, arguments.steps, arguments.rounds, where)
        for work in arguments.work
        for where in ("cpu", device)
    }
    kernel, between = gap(device)
    described = next(entry for entry in ax.devices() if entry.name == device)
    sections = [
        f"## {datetime.date.today()}: {machine.describe()}",
        f"{described} beside the CPU's own kernels; the best of {arguments.rounds} epochs of "
        f"{arguments.steps} steps. The smallest kernel takes {floor_us(device):.1f} microseconds. "
        f"Between kernels of {kernel:.0f} microseconds, all of one program, lie {between:.1f}.",
        table(arguments.work, figures, device),
    ]
    for work in arguments.work:
        shares = ", ".join(f"{op} {100 * share:.0f}%" for op, share in figures[work, device].shares)
        sections.append(f"Where the time of {work} goes on {device}: {shares}.")
    text = "\n\n".join(sections)
    print(text)
    if arguments.results:
        with (HERE / "RESULTS.md").open("a") as results:
            results.write("\n" + text + "\n")


if __name__ == "__main__":
    main()
