"""Measures the machine's limits with limits.cpp: what no kernel can be faster than."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path


def measure(threads: int) -> dict[str, float]:
    """Peak float32 GFLOP/s, memory GB/s and second-level cache GB/s of ``threads`` threads."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        raise RuntimeError("a C++ compiler is needed to measure the machine's limits")
    source = Path(__file__).with_suffix(".cpp")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "limits"
        flags = ["-std=c++20", "-O3", "-march=native", "-pthread"]
        subprocess.run([compiler, *flags, source, "-o", program], check=True)
        output = subprocess.run(
            [program, str(threads)], check=True, capture_output=True, text=True
        ).stdout
    return {name: float(value) for name, value in map(str.split, output.splitlines())}
