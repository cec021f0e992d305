"""Measures the machine's limits with limits.cpp: what no kernel can be faster than."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """What ``threads`` threads reach together."""

    threads: int
    gflops: float
    bf16_gflops: float | None  # None without instructions for bfloat16 products
    read_gbs: dict[int, float]  # by the bytes that each thread reads again and again

    def bandwidth(self, moved: int) -> float:
        """GB/s at which all threads together read so many bytes from the cache that holds them."""
        fitting = [size for size in sorted(self.read_gbs) if size * self.threads >= moved]
        return self.read_gbs[fitting[0] if fitting else max(self.read_gbs)]

    def seconds(self, flops: float, moved: int, dtype: str = "float32") -> float:
        """The least time for so many operations on so many bytes."""
        narrow = self.bf16_gflops if dtype == "bfloat16" else None
        return max(flops / ((narrow or self.gflops) * 1e9), moved / (self.bandwidth(moved) * 1e9))


def measure(threads: int) -> Limits:
    """Compiles and runs limits.cpp."""
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
    values = {name: float(value) for name, value in map(str.split, output.splitlines())}
    reads = {int(n.rpartition("_")[2]) << 10: v for n, v in values.items() if "read" in n}
    return Limits(threads, values["fma_gflops"], values.get("bf16_gflops"), reads)
