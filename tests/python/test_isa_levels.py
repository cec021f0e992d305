"""The op table again at each instruction-set level below the processor's best."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import addax as ax

LEVELS = ("portable", "avx2", "avx512", "avx512_bf16", "amx")


def best_level() -> str:
    details = next(d.details for d in ax.devices() if d.kind == "cpu")
    found = re.search(r"isa=(\w+)", details)
    assert found, details
    return found.group(1)


def python(code_or_arguments: list[str], level: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ADDAX_ISA": level}
    return subprocess.run(
        [sys.executable, *code_or_arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
def test_op_table_agrees_with_numpy_at_level(level: str) -> None:
    if "ADDAX_ISA" in os.environ:
        pytest.skip("ADDAX_ISA is set: this run tests that level alone")
    if LEVELS.index(level) > LEVELS.index(best_level()):
        pytest.skip(f"this processor has no {level}")
    if level == best_level():
        pytest.skip(f"{level} is what the other tests run at")
    tests = Path(__file__).with_name("test_ops.py")
    run = python(["-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)], level)
    assert run.returncode == 0, run.stdout[-4000:]


def test_isa_is_capped_by_the_environment() -> None:
    run = python(["-c", "import addax as ax; print(ax.devices()[0].details)"], "portable")
    assert "isa=portable" in run.stdout


def test_unknown_level_is_an_error_that_lists_the_levels() -> None:
    run = python(["-c", "import addax as ax; ax.tensor([1.0]) + 1"], "sse9")
    assert run.returncode != 0
    assert "sse9" in run.stderr and all(level in run.stderr for level in LEVELS)
