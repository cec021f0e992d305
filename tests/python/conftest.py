"""What tests share: Ctrl-C, where data sets are looked for, OpenCL's stand-in."""

from __future__ import annotations

import io
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

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
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = tmp_path_factory.mktemp("opencl") / "opencl_stand_in.so"
    source = Path(__file__).parent / "plugins" / "opencl_stand_in.c"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, source, "-o", library, "-ldl"], check=True)
    return library
