"""One line that says what a figure was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe() -> str:
    """Processor, cores that this process may use, widest vector extension, memory, system."""
    fields: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = fields.get("flags", "").split()
    widest = next(
        (f for f in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if f in flags),
        "none of AVX2, ...",
    )
    family = f"family {fields.get('cpu family')} model {fields.get('model')}"
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{fields.get('model name', platform.processor())} ({family}, {widest}), "
        f"{len(os.sched_getaffinity(0))} cores, {gib:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}"
    )
