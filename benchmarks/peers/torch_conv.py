"""Times single convolutions in PyTorch: layers in, seconds out, both as JSON.

Channels-last tensors; each direction alone, as the backward pass of a layer asks for it.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch


def median_seconds(call: Callable[[], object], budget: float) -> float:
    call()
    times: list[float] = []
    deadline = time.perf_counter() + budget
    while len(times) < 5 or time.perf_counter() < deadline:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def measure(layer: dict[str, Any], budget: float) -> list[float]:
    size, kernel, groups = layer["size"], layer["kernel"], layer["groups"]
    pad, stride = kernel // 2, layer["stride"]
    x = torch.randn(layer["batch"], layer["channels"], size, size)
    w = torch.randn(layer["filters"], layer["channels"] // groups, kernel, kernel)
    dtype = getattr(torch, layer["dtype"])
    x, w = (t.to(dtype, memory_format=torch.channels_last) for t in (x, w))
    y = torch.nn.functional.conv2d(x, w, stride=stride, padding=pad, groups=groups)

    def backward(by_input: bool) -> object:
        return torch.ops.aten.convolution_backward(
            y, x, w, None, [stride] * 2, [pad] * 2, [1, 1], False, [0, 0], groups,
            [by_input, not by_input, False],
        )  # fmt: skip

    with torch.no_grad():
        return [
            median_seconds(lambda: torch.conv2d(x, w, None, stride, pad, 1, groups), budget),
            median_seconds(lambda: backward(True), budget),
            median_seconds(lambda: backward(False), budget),
        ]


asked = json.load(sys.stdin)
print(json.dumps([measure(layer, asked["seconds"]) for layer in asked["layers"]]))
