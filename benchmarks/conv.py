"""Time the convolutions of ResNet-50, or those in groups of ResNeXt-50: in all three directions.

    python benchmarks/conv.py [--network resnext50] [--image 32 224] [--batch 64 16]
        [--dtype bfloat16] [--torch /venvs/torch/bin/python]

Equal layers are timed once. The share is that of the dtype's products that all cores together
reach, or of what the layer's bytes allow where those bind. With --torch the same layers run through
PyTorch (channels-last, oneDNN) in the same run. With --results the tables go to RESULTS.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import limits
import machine
import numpy as np

import addax as ax
from addax import _core

HERE = Path(__file__).parent
DIRECTIONS = ("forward", "by input", "by filter")


@dataclass(frozen=True)
class Convolution:
    """``size`` is the height and width of the input; ``kernel`` those of the filter."""

    batch: int
    size: int
    channels: int
    filters: int
    kernel: int
    stride: int
    groups: int = 1
    dtype: str = "float32"

    @property
    def pad(self) -> int:
        return self.kernel // 2

    @property
    def output(self) -> int:
        return (self.size + 2 * self.pad - self.kernel) // self.stride + 1

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {
            "x": (self.batch, self.size, self.size, self.channels),
            "w": (self.kernel, self.kernel, self.channels // self.groups, self.filters),
            "y": (self.batch, self.output, self.output, self.filters),
        }

    @property
    def flops(self) -> float:
        """Of one direction, taps that fall on padding left out."""
        steps = np.arange(self.output)[:, None] * self.stride + np.arange(self.kernel) - self.pad
        taps = int(((steps >= 0) & (steps < self.size)).sum()) ** 2
        return 2.0 * self.batch * taps * self.channels * self.filters / self.groups

    @property
    def bytes(self) -> int:
        size = 2 if self.dtype == "bfloat16" else 4
        return size * sum(int(np.prod(shape)) for shape in self.shapes.values())


def resnet50(image: int, batch: int) -> dict[Convolution, int]:
    """The convolutions of Keras's ResNet-50 and how often each occurs."""
    found: dict[Convolution, int] = {}

    def add(size: int, channels: int, filters: int, kernel: int, stride: int = 1) -> None:
        layer = Convolution(batch, size, channels, filters, kernel, stride)
        found[layer] = found.get(layer, 0) + 1

    add(image, 3, 64, 7, 2)
    size, channels = -(-image // 4), 64
    for filters, blocks, first_stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            if block == 0:
                add(size, channels, 4 * filters, 1, stride)
            add(size, channels, filters, 1, stride)
            size = -(-size // stride)
            add(size, filters, filters, 3)
            add(size, filters, 4 * filters, 1)
            channels = 4 * filters
    return found


def resnext50(image: int, batch: int) -> dict[Convolution, int]:
    """Its convolutions in 32 groups of 4 to 32 channels; the others are those of ResNet-50."""
    found: dict[Convolution, int] = {}
    size = -(-image // 4)
    for channels, blocks in ((128, 3), (256, 4), (512, 6), (1024, 3)):
        if channels > 128:
            found[Convolution(batch, size, channels, channels, 3, 2, 32)] = 1
            size = -(-size // 2)
        same = Convolution(batch, size, channels, channels, 3, 1, 32)
        found[same] = blocks - (channels > 128)
    return found


NETWORKS = {"resnet50": resnet50, "resnext50": resnext50}


def median_seconds(call: Callable[[], object], budget: float) -> float:
    call()
    times: list[float] = []
    deadline = time.perf_counter() + budget
    while len(times) < 5 or time.perf_counter() < deadline:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def measure(layer: Convolution, budget: float) -> list[float]:
    rng = np.random.default_rng(0)
    x, w, y = (
        _core.tensor(rng.standard_normal(shape, dtype=np.float32), dtype=layer.dtype)
        for shape in layer.shapes.values()
    )
    attrs = {
        "strides": (layer.stride,) * 2,
        "padding": (layer.pad,) * 4,
        "groups": layer.groups,
    }
    calls = (
        ("conv2d", [x, w], attrs),
        ("conv2d_input_grad", [y, w], {"input_shape": layer.shapes["x"], **attrs}),
        ("conv2d_filter_grad", [x, y], {"filter_shape": layer.shapes["w"], "wide": True, **attrs}),
    )
    return [median_seconds(lambda call=call: _core.apply(*call), budget) for call in calls]


def measure_torch(python: str, layers: list[Convolution], budget: float) -> list[list[float]]:
    asked = {"seconds": budget, "layers": [dataclasses.asdict(layer) for layer in layers]}
    run = subprocess.run(
        [python, HERE / "peers" / "torch_conv.py"],
        input=json.dumps(asked), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode != 0:
        raise RuntimeError(f"torch_conv.py failed:\n{run.stderr[-2000:]}")
    times: list[list[float]] = json.loads(run.stdout.splitlines()[-1])
    return times


def table(
    layers: dict[Convolution, int],
    own: list[list[float]],
    other: list[list[float]] | None,
    top: limits.Limits,
) -> list[str]:
    peer = " (PyTorch)" if other else ""
    lines = [
        "| input | filters | times | "
        + " | ".join(f"{name}: GFLOP/s{peer} | of the limit" for name in DIRECTIONS)
        + " |",
        "|---" * (3 + 2 * len(DIRECTIONS)) + "|",
    ]
    for number, (layer, count) in enumerate(layers.items()):
        stride = f"/{layer.stride}" if layer.stride > 1 else ""
        groups = f" in {layer.groups}" if layer.groups > 1 else ""
        cells = [
            f"{layer.size}x{layer.size}x{layer.channels}",
            f"{layer.kernel}x{layer.kernel}x{layer.filters}{stride}{groups}",
            str(count),
        ]
        for direction in range(len(DIRECTIONS)):
            seconds = own[number][direction]
            rate = f"{layer.flops / seconds * 1e-9:,.0f}"
            if other:
                rate += f" ({layer.flops / other[number][direction] * 1e-9:,.0f})"
            cells += [rate, f"{top.seconds(layer.flops, layer.bytes, layer.dtype) / seconds:.0%}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def total_ms(layers: dict[Convolution, int], times: list[list[float]]) -> str:
    sums = [
        sum(count * row[direction] for count, row in zip(layers.values(), times, strict=True))
        for direction in range(len(DIRECTIONS))
    ]
    return ", ".join(f"{1e3 * s:.1f} {n}" for s, n in zip(sums, DIRECTIONS, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", choices=NETWORKS, default="resnet50")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--image", type=int, nargs="+", default=[32, 224])
    parser.add_argument("--batch", type=int, nargs="+", default=[64, 16], help="one for each image")
    parser.add_argument("--seconds", type=float, default=0.2, help="time spent on each number")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--torch", metavar="PYTHON", help="interpreter that has PyTorch")
    parser.add_argument("--results", action="store_true", help="append to RESULTS.md")
    arguments = parser.parse_args()
    if len(arguments.image) != len(arguments.batch):
        sys.exit("--image and --batch: give as many batch sizes as image sizes")
    ax.set_num_threads(arguments.threads)
    top = limits.measure(arguments.threads)
    peak = top.bf16_gflops if arguments.dtype == "bfloat16" else top.gflops
    if peak is None:
        sys.exit("bfloat16: skipped, this processor has no instructions for its products")
    lines = [
        f"## {datetime.date.today()}: {machine.describe()}",
        f"Convolutions of {arguments.network} in {arguments.dtype}, {arguments.threads} threads, "
        f"medians; peak {peak:.0f} GFLOP/s, measured in the same run.",
    ]
    for image, batch in zip(arguments.image, arguments.batch, strict=True):
        layers = {
            dataclasses.replace(layer, dtype=arguments.dtype): count
            for layer, count in NETWORKS[arguments.network](image, batch).items()
        }
        own = [measure(layer, arguments.seconds) for layer in layers]
        other = None
        if arguments.torch:
            other = measure_torch(arguments.torch, list(layers), arguments.seconds)
        summary = (
            f"Images of {image}x{image}, batch {batch}. All layers, ms: {total_ms(layers, own)}"
        )
        if other:
            summary += f"; PyTorch: {total_ms(layers, other)}"
        lines += ["", summary + ".", "", *table(layers, own, other, top)]
    print("\n".join(lines))
    if arguments.results:
        with (HERE / "RESULTS.md").open("a") as results:
            results.write("\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
