"""Other drivers: another way of PoCL's to form work-groups, Oclgrind, and one that is gone.

Oclgrind interprets the kernels and finds reads and writes outside of buffers, races between items
of a work-group, and wrong calls of OpenCL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_opencl import DEVICE, missing

import addax as ax

TABLE = Path(__file__).parent / "test_opencl.py"
OCLGRIND = shutil.which("oclgrind")


def agree_with_the_cpu(ops: list[str], **environment: str) -> None:
    """Compare these ops with the CPU's in a process with that environment."""
    tests = [f"{TABLE}::test_agrees_with_the_cpu[{op}-float32]" for op in ops]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *tests],
        env={**os.environ, "ADDAX_CACHE": "0", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{len(ops)} passed" in run.stdout, run.stdout + run.stderr
    assert run.returncode == 0, run.stderr


def is_pocl() -> bool:
    described = [device for device in ax.devices() if device.name == DEVICE]
    return bool(described) and "pocl" in described[0].details.lower()


@pytest.mark.skipif(not is_pocl(), reason=f"the device is not PoCL's: {missing() or 'a GPU'}")
def test_kernels_hold_for_loops_over_work_items(tmp_path: Path) -> None:
    """PoCL's other way than its vectorized loops; a third, replication, compiles for minutes.

    So do sums and contractions by this way, whose unrolled loops it multiplies. Programs are kept
    apart: PoCL's own cache does not tell by which way they were made.
    """
    agree_with_the_cpu(
        ["softmax", "argsort", "scatter_add"],
        POCL_WORK_GROUP_METHOD="workitemloops",
        POCL_CACHE_DIR=str(tmp_path),
    )


@pytest.mark.skipif(OCLGRIND is None, reason="NO OCLGRIND, RACES ARE NOT LOOKED FOR: install it")
def test_oclgrind_finds_nothing(tmp_path: Path) -> None:
    assert OCLGRIND is not None
    library = Path(OCLGRIND).resolve().parent.parent / "lib/oclgrind/liboclgrind-rt.so"
    log = tmp_path / "oclgrind.log"
    agree_with_the_cpu(
        ["add", "sum", "softmax", "take", "transpose", "pad", "conv2d", "max_pool2d"],
        ADDAX_OPENCL_LIBRARY=str(library),
        OCLGRIND_CHECK_API="1",
        OCLGRIND_DATA_RACES="1",
        OCLGRIND_LOG=str(log),
    )
    assert not log.exists() or log.read_text().strip() == ""


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
