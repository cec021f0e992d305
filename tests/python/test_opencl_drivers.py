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
OPS_OF_INTEGERS = "iota-int32 or one_hot-int32 or check_range-int32 or batch_indices or -bool"
ALL_ONCE = f"agree and (float32 or cuts or {OPS_OF_INTEGERS})"
# Elements of other sizes, where kernels load and store them in ways of their own.
SIZES = "(float16 or float64 or uint8) and (matmul- or transpose or take or pool or softmax-)"
# Functions that are others for integers.
INTEGERS = "int64 and (abs or negative or mod or divide or power or matmul)"
CONTRACTIONS = "agree and (float32 or cuts) and (matmul or conv2d)"


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
    )
    assert run.returncode == 0 and "skipped" not in run.stdout, run.stdout
    return run.stdout


def assert_everything_ran(output: str) -> None:
    """Every kernel of the plug-in's sources, and every op that it has kernels for."""
    log = re.findall(r"opencl: (\w+)[^:\n]*: (.+)", output)
    sources = [path for kind in ("cl", "cpp") for path in KERNELS.rglob(f"*.{kind}")]
    text = "".join(source.read_text() for source in sources)
    kernels = {launch.split()[0] for _, launches in log for launch in launches.split(", ")}
    assert kernels == set(re.findall(r"__kernel void (\w+)\(", text))
    # Constants come with the program, and what is reshaped stays where it is.
    no_launches = {"constant", "reshape"}
    assert {op for op, _ in log} == set(re.findall(r'{"(\w+)", lower_', text)) - no_launches


def our_plugin() -> str:
    named = [path for path in os.environ.get("ADDAX_PLUGINS", "").split(":") if "opencl" in path]
    return named[0] if named else str(Path(_core.__file__).parent / "plugins" / "addax_opencl.so")


def is_pocl() -> bool:
    described = [device for device in ax.devices() if device.name == DEVICE]
    return bool(described) and "pocl" in described[0].details.lower()


@pytest.mark.skipif(not is_pocl(), reason=f"the device is not PoCL's: {missing() or 'a GPU'}")
def test_kernels_hold_for_loops_over_work_items(tmp_path: Path) -> None:
    """PoCL's other way than its vectorized loops; a third, replication, compiles for minutes.

    So do sums and contractions by this way, whose unrolled loops it multiplies. Programs are kept
    apart: PoCL's own cache does not tell by which way they were made.
    """
    chosen = " or ".join(f"agrees and {op}-float32" for op in ("softmax", "argsort", "scatter_add"))
    loops = {"POCL_WORK_GROUP_METHOD": "workitemloops", "POCL_CACHE_DIR": str(tmp_path)}
    agree_with_the_cpu(chosen, loops)


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
        assert not log.exists() or log.read_text().strip() == ""
    assert "Oclgrind - OpenCL runtime error" not in output, output
    assert_everything_ran(output)


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
