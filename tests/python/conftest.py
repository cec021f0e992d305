"""What tests share: Ctrl-C, where data sets are looked for, what stands in front of OpenCL."""

from __future__ import annotations

import io
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest


def pytest_configure() -> None:
    # A shell has its background jobs ignore Ctrl-C, which Python then does as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folders of ADDAX_DATA_HOME and of Keras's data sets, both empty; there is no network."""
    data_home, keras_home = tmp_path / "data", tmp_path / "keras"
    monkeypatch.setenv("ADDAX_DATA_HOME", str(data_home))
    monkeypatch.setenv("KERAS_HOME", str(keras_home))

    def no_network(url: str, timeout: float) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    return data_home, keras_home / "datasets"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], list[str]]:
    """A function that answers every download with the given bytes, and lists the URLs asked for."""

    def start(content: bytes) -> list[str]:
        urls: list[str] = []

        def urlopen(url: str, timeout: float) -> io.BytesIO:
            urls.append(url)
            return io.BytesIO(content)

        monkeypatch.setattr(urllib.request, "urlopen", urlopen)
        return urls

    return start


@pytest.fixture(scope="session")
def opencl_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library made of `plugins/opencl_stand_in.c`."""
    return _compiled("opencl_stand_in", tmp_path_factory)


@pytest.fixture(scope="session")
def exact_buffers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plug-in made of `plugins/exact_buffers.c`."""
    return _compiled("exact_buffers", tmp_path_factory)


def _compiled(name: str, folders: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = folders.mktemp("opencl") / f"{name}.so"
    source = Path(__file__).parent / "plugins" / f"{name}.c"
    headers = Path(__file__).parents[2] / "cpp" / "device" / "include"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", headers]
    subprocess.run([compiler, *flags, source, "-o", library, "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def in_child(opencl_stand_in: Path) -> Iterator[Callable[..., Any]]:
    """Calls a function in a process of its own, whose OpenCL fails on demand."""
    from test_opencl_failures import LIBRARY, and_mend

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LIBRARY, str(opencl_stand_in))
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield lambda *call: pool.submit(and_mend, *call).result()
