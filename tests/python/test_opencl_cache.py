"""Compiled programs that OpenCL's device keeps on disk, in folders good and bad."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_opencl import DEVICE, missing

pytestmark = pytest.mark.skipif(bool(reason := missing()), reason=f"NO OPENCL DEVICE: {reason}")

# Arguments are files that there is no room for: each is written beside itself first, under the
# process's number.
COMPUTE = f"""
import os, sys
for name in sys.argv[1:]:
    os.symlink("/dev/full", f"{{name}}.{{os.getpid()}}")
import addax as ax
with ax.device({DEVICE!r}):
    assert (ax.tensor([1.0, 2.0]) * 3).tolist() == [3.0, 6.0]
    assert ax.ops.sum(ax.tensor([1.0, 2.0])).tolist() == 3.0
"""


def compilations(caches: Path, *full: Path, **settings: str) -> int:
    """How many programs a process compiles that has these caches."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(caches), "ADDAX_LOG": "kernels", **settings}
    run = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", COMPUTE, *map(str, full)],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stderr.count("opencl: compiles a program")


def entries_of(caches: Path) -> list[Path]:
    return sorted((caches / "addax" / "opencl").iterdir())


def test_compiled_programs_are_kept_on_disk(tmp_path: Path) -> None:
    first = compilations(tmp_path)
    assert first > 1
    assert compilations(tmp_path) == 0
    entries = entries_of(tmp_path)
    assert len(entries) == first
    for entry in entries:
        entry.write_bytes(entry.read_bytes()[:-100])
    assert compilations(tmp_path) == first, "a damaged entry is made anew"
    assert compilations(tmp_path) == 0


def test_the_cache_can_be_switched_off(tmp_path: Path) -> None:
    assert compilations(tmp_path, ADDAX_CACHE="0") == compilations(tmp_path, ADDAX_CACHE="0") > 0
    assert not (tmp_path / "addax").exists()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "addax").write_text("not a folder")
    assert compilations(tmp_path) == compilations(tmp_path) > 0


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    first = compilations(tmp_path)
    names = entries_of(tmp_path)
    kept = names[0].read_bytes()
    for entry in names[1:]:
        entry.unlink()
    assert compilations(tmp_path, *names[1:]) == first - 1
    assert entries_of(tmp_path) == names[:1] and names[0].read_bytes() == kept
    assert compilations(tmp_path) == first - 1
    assert compilations(tmp_path) == 0
