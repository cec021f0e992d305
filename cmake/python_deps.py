"""Tells CMake where the build requirements lie that came as Python wheels.

Prints one `KEY=path[;path...]` line for each; a missing wheel gives no line. Wheels put libraries
outside of site-packages (`<prefix>/lib`), and an isolated build has a prefix of its own, so only
the installed metadata knows.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path


def files(wheel: str) -> list[Path]:
    try:
        listed = importlib.metadata.files(wheel) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [path for path in (Path(str(f.locate())).resolve() for f in listed) if path.exists()]


def show(key: str, paths: list[Path]) -> None:
    if paths:
        print(f"{key}={';'.join(str(path) for path in paths)}")


def named(wheel: str, name: str) -> list[Path]:
    return [path for path in files(wheel) if path.name == name][:1]


def folder(wheel: str, name: str) -> list[Path]:
    return [path.parent for path in named(wheel, name)]


def notices(wheel: str) -> list[Path]:
    return [
        path for path in files(wheel) if path.name in ("LICENSE.txt", "third-party-programs.txt")
    ]


show("pybind11_DIR", folder("pybind11", "pybind11Config.cmake"))
show("TBB_DIR", folder("tbb-devel", "TBBConfig.cmake"))
show("TBB_LIBRARY", named("tbb", "libtbb.so.12"))
show("TBB_NOTICES", notices("tbb"))
show("OpenBLAS_DIR", folder("scipy-openblas32", "OpenBLASConfig.cmake"))
show("OpenBLAS_LIBRARY", named("scipy-openblas32", "libscipy_openblas.so"))
show("OpenBLAS_NOTICES", notices("scipy-openblas32"))
