"""What an installed Addax brings along: libraries with licences, header, stubs, plug-ins."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import addax as ax
from addax import _core

NATIVE = Path(_core.__file__).parent
BUNDLED = ("libtbb.so.12", "libscipy_openblas.so")

pytestmark = pytest.mark.skipif(
    not (NATIVE / ".libs").is_dir(), reason="built against the system's libraries"
)


def loaded_libraries() -> set[Path]:
    """Which files a fresh process has mapped after `import addax`."""
    script = "import addax; print(open('/proc/self/maps').read())"
    maps = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return {Path(line.split()[-1]) for line in maps.stdout.splitlines() if ".so" in line}


@pytest.mark.parametrize("name", BUNDLED)
def test_the_bundled_library_is_the_one_that_loads(name: str) -> None:
    assert {path.parent for path in loaded_libraries() if path.name == name} == {NATIVE / ".libs"}


@pytest.mark.parametrize("name", ["TBB", "OpenBLAS"])
def test_licences_lie_beside_the_libraries(name: str) -> None:
    assert "icense" in (NATIVE / ".libs" / "licences" / name / "LICENSE.txt").read_text()


def test_version_is_the_distribution_s() -> None:
    assert ax.__version__ == importlib.metadata.version("addax")


def test_package_is_typed() -> None:
    package = Path(ax.__file__).parent
    assert (package / "py.typed").exists()
    assert list(package.glob("_core*.pyi")) or list((package / "_core").glob("*.pyi"))


@pytest.mark.parametrize("name", ["null", "opencl"])
def test_our_devices_are_among_the_plug_ins(name: str) -> None:
    assert (NATIVE / "plugins" / f"addax_{name}.so").exists()


@pytest.mark.parametrize(
    ("compilers", "standard", "header"),
    [(("cc", "gcc"), "c11", "device.h"), (("c++", "g++"), "c++20", "device.hpp")],
)
def test_device_headers_need_nothing_else(
    compilers: tuple[str, ...], standard: str, header: str, tmp_path: Path
) -> None:
    compiler = next(filter(None, map(shutil.which, compilers)), None)
    if compiler is None:
        pytest.skip(f"no compiler among {compilers}")
    source = tmp_path / ("source.c" if standard == "c11" else "source.cpp")
    source.write_text(f"#include <addax/{header}>\n")
    flags = [f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    subprocess.run([compiler, *flags, "-I", ax.get_include(), source], check=True)


def test_import_starts_no_thread_and_leaves_the_environment() -> None:
    script = (
        "import os, numpy; before = len(os.listdir('/proc/self/task')), dict(os.environ);"
        "import addax; assert (len(os.listdir('/proc/self/task')), dict(os.environ)) == before"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
