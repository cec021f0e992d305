"""Devices of odd limits, as `plugins/opencl_stand_in.c` lets the one that is there look and holds
it to: every family of kernels agrees with the CPU, and what does not fit is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_opencl import DEVICE, assert_agrees, missing

import addax as ax
from addax import _core
from addax.conformance.cases import CASES
from addax.conformance.cases.case import Arg, Sample

pytestmark = pytest.mark.skipif(bool(reason := missing()), reason=f"NO OPENCL DEVICE: {reason}")

# The questions of clGetDeviceInfo, and of clGetKernelWorkGroupInfo.
TYPE, UNITS, WORK_GROUP, ALLOCATION = "1000", "1002", "1004", "1010"
AXES, ARGUMENTS, LOCAL, DOUBLE, VECTOR = "1005", "1017", "1023", "1032", "103a"
KERNEL_GROUP, KERNEL_LOCAL = "11b0", "11b2"

Limits = dict[str, int | str]
GPU: Limits = {TYPE: 4, LOCAL: 1 << 15, UNITS: 8}

DEVICES: dict[str, Limits] = {
    "no local memory": {**GPU, LOCAL: 0},
    "groups of one item": {**GPU, WORK_GROUP: 1},
    "groups of 16, little local memory, few arguments": {
        **GPU, WORK_GROUP: 16, LOCAL: 1024, ARGUMENTS: 1024
    },
    "groups of 64, no float64, one unit": {**GPU, WORK_GROUP: 64, DOUBLE: 0, UNITS: 1},
    "groups of no power of two, many units": {**GPU, WORK_GROUP: 100, UNITS: 200, VECTOR: 1},
    "a processor without vectors": {VECTOR: 1},
    "a processor of wide vectors and groups of one item": {VECTOR: 16, WORK_GROUP: 1},
    "groups of one item along two axes": {**GPU, AXES: "256,1,1"},
    "kernels of one item": {**GPU, KERNEL_GROUP: 1},
    "kernels of 16 items": {**GPU, KERNEL_GROUP: 16},
    "kernels of 32 items": {**GPU, KERNEL_GROUP: 32},
    "kernels of no power of two, some of 8 and of 64": {
        **GPU, f"{KERNEL_GROUP}/contract_local": 8, f"{KERNEL_GROUP}/reduce": 8,
        f"{KERNEL_GROUP}/sort_blocks": 64, KERNEL_GROUP: 100,
    },
    "kernels of more local memory than their source says": {
        **GPU, LOCAL: 2048, KERNEL_LOCAL: 512
    },
}  # fmt: skip

# Of each family of kernels.
OPS = [
    "add", "transpose", "sum", "batch_norm_train", "argmax", "matmul_epilogue", "matmul", "conv2d",
    "conv2d_filter_grad", "conv2d_input_grad", "softmax", "sparse_softmax_cross_entropy", "argsort",
    "take", "scatter_add", "max_pool2d", "max_pool2d_grad", "sgd", "adam", "random_uniform",
]  # fmt: skip

InChild = Callable[..., Any]


def claiming(limits: Limits, library: Path) -> dict[str, str]:
    """The environment in which the device has these limits."""
    claims = " ".join(f"{question}={answer}" for question, answer in limits.items())
    return {"ADDAX_OPENCL_LIBRARY": str(library), "OPENCL_CLAIMS": claims, "ADDAX_CACHE": "0"}


@contextmanager
def on(limits: Limits, library: Path, **settings: str) -> Iterator[InChild]:
    """Calls functions in a process whose device has these limits."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**claiming(limits, library), **settings}.items():
            patch.setenv(name, value)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield lambda *call: pool.submit(*call).result()


# ---- In the child.


def child_details() -> str:
    (described,) = (device.details for device in ax.devices() if device.name == DEVICE)
    return described


def child_agree(op: str) -> None:
    """The largest sample of the op's."""
    sample = max(CASES[op].samples, key=lambda s: sum(int(np.prod(a.shape)) for a in s.args))
    assert_agrees(CASES[op], sample, "float32")


def child_multiply(transpose_b: bool) -> None:
    """Half a gigaflop of operands of 2 MiB."""
    shape = (256, 4096) if transpose_b else (4096, 256)
    turns = {"transpose_a": False, "transpose_b": transpose_b}
    sample = Sample((Arg((256, 4096)), Arg(shape)), turns)
    assert_agrees(CASES["matmul"], sample, "float16")


def child_without_float64() -> None:
    with ax.device(DEVICE):
        state = _core.tensor(np.array([7, 3], np.int64))
        attrs = dict(CASES["random_normal"].samples[0].attrs)
        with pytest.warns(UserWarning, match="random_normal"):
            there = _core.apply("random_normal", [state], attrs)
    with ax.device("cpu"):
        here = _core.apply("random_normal", [_core.tensor(np.array([7, 3], np.int64))], attrs)
    for expected, got in zip(here, there, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(expected))


def child_softmax() -> None:
    with ax.device(DEVICE):
        np.asarray(ax.ops.softmax(_core.tensor(np.zeros((2, 300), np.float32))))


def child_too_large() -> None:
    with ax.device(DEVICE), pytest.raises(ax.errors.OutOfMemoryError, match="allocation is 3"):
        np.asarray(_core.tensor(np.zeros(1 << 20, np.float32)) + 1)


# ---- The tests.


@pytest.mark.parametrize("limits", DEVICES.values(), ids=list(DEVICES))
def test_every_family_agrees_with_the_cpu(limits: Limits, opencl_stand_in: Path) -> None:
    with on(limits, opencl_stand_in, ADDAX_STRICT="1") as in_child:
        if LOCAL in limits:
            assert f"local={limits[LOCAL]}" in in_child(child_details)
        for op in OPS:
            in_child(child_agree, op)


def test_what_takes_float64_runs_on_the_cpu_where_there_is_none(opencl_stand_in: Path) -> None:
    with on({**GPU, DOUBLE: 0}, opencl_stand_in) as in_child:
        in_child(child_without_float64)


def test_memory_beside_the_tensors_fits_into_small_allocations(opencl_stand_in: Path) -> None:
    """A matrix product on a GPU is split less far; a processor's, which packs b, is refused."""
    small = {ALLOCATION: 3 << 20}
    with on({**GPU, **small, UNITS: 200}, opencl_stand_in, ADDAX_STRICT="1") as in_child:
        in_child(child_multiply, False)
        in_child(child_too_large)
    refused = pytest.raises(ax.errors.UnsupportedError, match="matmul")
    with on(small, opencl_stand_in, ADDAX_STRICT="1") as in_child, refused:
        in_child(child_multiply, True)


def test_a_kernel_that_runs_not_even_one_item_is_told_of(opencl_stand_in: Path) -> None:
    limits = {**GPU, f"{KERNEL_GROUP}/softmax": 0}
    told = r"\[softmax\] its kernel softmax runs in no .* admits 0 items .*float32\(2, 300\)"
    with on(limits, opencl_stand_in) as in_child:
        with pytest.raises(ax.errors.UnsupportedError, match=told):
            in_child(child_softmax)
        in_child(child_agree, "add")


@pytest.mark.parametrize("items", [16, 64])
def test_tiles_of_larger_groups_than_the_kernel_admits_are_not_measured(
    items: int, opencl_stand_in: Path, tmp_path: Path
) -> None:
    limits = {**GPU, f"{KERNEL_GROUP}/contract_local": items}
    settings = {"ADDAX_OPENCL_TUNE": "1", "ADDAX_CACHE": "1", "XDG_CACHE_HOME": str(tmp_path)}
    with on(limits, opencl_stand_in, ADDAX_STRICT="1", **settings) as in_child:
        in_child(child_agree, "matmul")
    kept = json.loads((tmp_path / "addax" / "opencl" / "tuning.json").read_text())
    assert kept
    for text in kept.values():
        tile = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", text)}
        assert tile["m"] // tile["rows"] * (tile["n"] // tile["columns"]) <= items, text
