"""Time the large shapes of the op table: GFLOP/s or GB/s, and the share of the machine's limit.

    python benchmarks/ops.py [--device cpu] [--op matmul conv2d] [--seconds 0.3] [--results]

A call's limit is the larger of its flops over the peak and its bytes (inputs read once, outputs
written once) over the rate at which as many bytes can be read again and again on this machine.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import limits
import machine
import numpy as np

import addax as ax
from addax import _core
from addax.conformance.cases import CASES, Arg, OpCase, Sample

MIN_CALLS = 5


def make(arg: Arg, dtype: str, rng: np.random.Generator) -> np.ndarray:
    kind = arg.dtype or dtype
    if arg.value is not None:
        return np.asarray(arg.value).astype(kind)
    values = rng.uniform(arg.low, arg.high, arg.shape)
    return values > 0 if kind == "bool" else values.astype(kind)


def call_seconds(call: Callable[[], object], budget: float) -> list[float]:
    call()
    times: list[float] = []
    deadline = time.perf_counter() + budget
    while len(times) < MIN_CALLS or time.perf_counter() < deadline:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return times


def measure(case: OpCase, sample: Sample, device: str, budget: float, top: limits.Limits) -> str:
    rng = np.random.default_rng(0)
    dtype = "float32" if "float32" in case.dtypes else case.dtypes[-1]
    arrays = [make(arg, dtype, rng) for arg in sample.args]
    with ax.device(device):
        inputs = [_core.tensor(array) for array in arrays]
        attrs = dict(sample.attrs)
        results = _core.apply(case.name, inputs, attrs)
        times = call_seconds(lambda: _core.apply(case.name, inputs, attrs), budget)
    outputs = list(results) if isinstance(results, (list, tuple)) else [results]
    moved = sum(np.asarray(t).nbytes for t in outputs)
    if case.name == "take":  # only the rows that are taken
        moved *= 2
    else:
        moved += sum(array.nbytes for array in arrays)
    flops = _core.op_flops(case.name, inputs, attrs)
    limit = top.seconds(flops, moved)
    middle = statistics.median(times)
    shapes = " ".join("x".join(map(str, a.shape)) or "scalar" for a in arrays[:3])
    return (
        f"| {case.name} | {shapes} | {1e6 * middle:,.0f} ({1e6 * min(times):,.0f} to "
        f"{1e6 * max(times):,.0f}) | {flops / middle * 1e-9:,.1f} | {moved / middle * 1e-9:,.1f} "
        f"| {limit / middle:.0%} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--op", nargs="+", help="only these ops")
    parser.add_argument("--seconds", type=float, default=0.3, help="time spent on each op")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--results", action="store_true", help="append to RESULTS.md")
    arguments = parser.parse_args()
    ax.set_num_threads(arguments.threads)
    top = limits.measure(arguments.threads)
    reads = ", ".join(f"{v:.0f} of {k >> 10:,} KiB" for k, v in top.read_gbs.items())
    lines = [
        f"## {datetime.date.today()}: {machine.describe()}",
        f"Ops on {arguments.device}, {arguments.threads} threads. Limits measured in the same run: "
        f"{top.gflops:.0f} GFLOP/s; reading a thread's {reads} in GB/s, all threads together. "
        "Time: median (minimum to maximum).\n",
        "| op | shapes | microseconds | GFLOP/s | GB/s | of the limit |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for case in CASES.values():
        if case.large is not None and (not arguments.op or case.name in arguments.op):
            lines.append(measure(case, case.large, arguments.device, arguments.seconds, top))
            print(lines[-1], flush=True)
    if arguments.results:
        with (Path(__file__).parent / "RESULTS.md").open("a") as results:
            results.write("\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
