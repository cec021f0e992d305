"""Other drivers: another way of PoCL's to form work-groups, Oclgrind, and one that is gone.

Oclgrind interprets the kernels and finds reads and writes outside of buffers, races between items
of a work-group, and wrong calls of OpenCL. The plug-in `exact_buffers.c` in front of ours sees to
it that a buffer ends where its tensor does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_opencl import DEVICE, missing
from test_opencl_limits import GPU, UNITS, VECTOR, Limits, claiming

import addax as ax
from addax import _core

TABLE, CUTS = (str(Path(__file__).with_name(f"test_opencl{part}.py")) for part in ("", "_cuts"))
KERNELS = Path(__file__).parents[2] / "kernels" / "opencl"
OCLGRIND = shutil.which("oclgrind")

# Every sample in float32, or in the dtype that its op has.
INTEGER_SAMPLES = ("[iota-int32]", "[one_hot-int32]", "[check_range-int32]", "batch_indices")
ALL_ONCE = f"agree and (float32 or cuts or -bool or {' or '.join(INTEGER_SAMPLES)})"
# Elements of other sizes, where kernels load and store them in ways of their own.
SIZES = "(float16 or float64 or uint8) and (matmul- or transpose or take or pool or softmax-)"
# Functions that are others for integers.
INTEGERS = "int64 and (abs or negative or mod or divide or power or matmul)"
CONTRACTIONS = "agree and (float32 or cuts) and (matmul or conv2d)"
# An op of each kernel.
FAMILIES = [
    "add", "transpose", "pad", "take", "scatter_add", "argmax", "argsort", "fused",
    "batch_norm_train", "matmul", "matmul_epilogue", "conv2d", "conv2d_epilogue",
    "conv2d_input_grad", "conv2d_filter_grad", "softmax", "sparse_softmax_cross_entropy",
    "sparse_softmax_cross_entropy_grad", "max_pool2d", "max_pool2d_grad", "max_pool2d_argmax",
    "max_pool2d_argmax_grad", "avg_pool2d", "avg_pool2d_grad", "sgd", "adam", "random_uniform",
    "random_normal",
]  # fmt: skip


def agree_with_the_cpu(chosen: str, environment: dict[str, str]) -> str:
    """Compare these samples with the CPU's in a process with that environment; what it prints."""
    options = ["-q", "-s", "-p", "no:cacheprovider", "-k", chosen]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, TABLE, CUTS],
        env={**os.environ, "ADDAX_CACHE": "0", "ADDAX_LOG": "kernels", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    assert run.returncode == 0 and "skipped" not in run.stdout, run.stdout
    return run.stdout


def in_sources(pattern: str) -> set[str]:
    """What the plug-in's sources have of it."""
    sources = [path for kind in ("cl", "cpp") for path in KERNELS.rglob(f"*.{kind}")]
    return set(re.findall(pattern, "".join(source.read_text() for source in sources)))


def assert_every_kernel_ran(output: str) -> None:
    log = re.findall(r"opencl: \w+[^:\n]*: (.+)", output)
    kernels = {launch.split()[0] for launches in log for launch in launches.split(", ")}
    assert kernels == in_sources(r"__kernel void (\w+)\(")


def assert_every_op_ran(output: str) -> None:
    # Constants come with the program, and what is reshaped stays where it is.
    no_launches = {"constant", "reshape"}
    ops = set(re.findall(r"opencl: (\w+)[^:\n]*: ", output))
    assert ops == in_sources(r'{"(\w+)", lower_') - no_launches


def our_plugin() -> str:
    named = [path for path in os.environ.get("ADDAX_PLUGINS", "").split(":") if "opencl" in path]
    return named[0] if named else str(Path(_core.__file__).parent / "plugins" / "addax_opencl.so")


def is_pocl() -> bool:
    described = [device for device in ax.devices() if device.name == DEVICE]
    return bool(described) and "pocl" in described[0].details.lower()


@pytest.mark.skipif(not is_pocl(), reason=f"the device is not PoCL's: {missing() or 'a GPU'}")
def test_kernels_hold_for_loops_over_work_items(opencl_stand_in: Path, tmp_path: Path) -> None:
    """PoCL's other way than its vectorized loops; a third, replication, compiles for minutes.

    The op table's reductions are left out, their kernel is not: of a work-group of two items that
    take single elements of one row, PoCL 3.1 drops the end of the second item's loop. Programs are
    kept apart: PoCL's own cache does not tell by which way they were made.
    """
    loops = {"POCL_WORK_GROUP_METHOD": "workitemloops", "POCL_CACHE_DIR": str(tmp_path)}
    chosen = " or ".join(["cuts", *(f"[{op}-float32]" for op in FAMILIES), *INTEGER_SAMPLES])
    output = agree_with_the_cpu(chosen, loops)
    tiles = "[conv2d-float32] or cuts and (matmul or conv2d)"
    output += agree_with_the_cpu(tiles, {**loops, **claiming(GPU, opencl_stand_in)})
    assert_every_kernel_ran(output)


@pytest.mark.skipif(OCLGRIND is None, reason="NO OCLGRIND, RACES ARE NOT LOOKED FOR: install it")
def test_oclgrind_finds_nothing(opencl_stand_in: Path, exact_buffers: Path, tmp_path: Path) -> None:
    """In every kernel, with the tiles of a processor and those of a GPU."""
    assert OCLGRIND is not None
    library = Path(OCLGRIND).resolve().parent.parent / "lib/oclgrind/liboclgrind-rt-icd.so"
    (tmp_path / "oclgrind.icd").write_text(str(library))
    log = tmp_path / "oclgrind.log"
    environment = {
        "OCL_ICD_VENDORS": str(tmp_path),
        "ADDAX_PLUGINS": str(exact_buffers),
        "EXACT_BUFFERS_OF": our_plugin(),
        "OCLGRIND_CHECK_API": "1",
        "OCLGRIND_DATA_RACES": "1",
        "OCLGRIND_LOG": str(log),
    }
    processor: Limits = {UNITS: 8, VECTOR: 16}
    output = ""
    for limits, chosen in (
        (processor, f"{ALL_ONCE} or {SIZES} or {INTEGERS}"),
        (GPU, CONTRACTIONS),
    ):
        claims = claiming(limits, opencl_stand_in)
        output += agree_with_the_cpu(chosen, {**environment, **claims})
        assert log.read_text().strip() == ""  # it is there, so that Oclgrind was
        log.unlink()
    assert "Oclgrind - OpenCL runtime error" not in output, output
    assert_every_kernel_ran(output)
    assert_every_op_ran(output)


@pytest.mark.skipif(bool(reason := missing()), reason=f"NO OPENCL DEVICE: {reason}")
def test_nothing_calls_a_driver_that_is_gone(opencl_stand_in: Path) -> None:
    """The process exits with programs in its cache."""
    code = f"import addax as ax\nwith ax.device({DEVICE!r}): ax.tensor([1.0]) * 3"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ADDAX_OPENCL_LIBRARY": str(opencl_stand_in)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
