"""What users name as a plug-in and is none, and what processes do with one that is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from test_plugins import COMPILER, HEADERS, HERE, build, pytestmark, python, script

__all__ = ["pytestmark"]

EXAMPLE = HERE.parents[1] / "examples" / "custom_device"
CXX_COMPILER = shutil.which("c++") or shutil.which("g++")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_text(path: Path) -> None:
    path.write_text("Not a library, and long enough for a header of one. " * 20)


def nothing(path: Path) -> None:
    path.touch()


def half_a_library(path: Path) -> None:
    whole = build(path.parent, "NONE").read_bytes()
    path.write_bytes(whole[: len(whole) // 4])


def a_library_of_32_bits(path: Path) -> None:
    whole = bytearray(build(path.parent, "NONE").read_bytes())
    whole[4] = 1
    path.write_bytes(whole)


FILES: dict[Callable[[Path], None], str] = {
    a_folder: "this is a folder; name the plug-in's file in it",
    a_pipe: "this is no plain file",
    a_text: "it is not a loadable library: ",
    nothing: "it is not a loadable library: ",
    half_a_library: "the file is shorter than the library in it; copy or build it anew",
    a_library_of_32_bits: "it is not a loadable library: ",
}


@pytest.mark.parametrize("make", FILES)
def test_load_device_tells_what_a_file_is_instead(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    file = tmp_path / "made.so"
    make(file)
    code = f"""
        try:
            result = ax.load_device({str(file)!r})
        except ax.errors.AddaxError as error:
            result = str(error)
    """
    assert f"[{file}] {FILES[make]}" in str(script(code, []))


@pytest.mark.parametrize(
    ("path", "error"), [("3", "TypeError"), ("None", "TypeError"), ("'a\\0.so'", "ValueError")]
)
def test_load_device_takes_paths_alone(path: str, error: str) -> None:
    code = f"""
        try:
            result = ax.load_device({path})
        except {error} as error:
            result = "raised"
    """
    assert script(code, []) == "raised"


def test_one_file_by_several_paths_is_one_plug_in(tmp_path: Path) -> None:
    library = build(tmp_path, "NONE")
    (tmp_path / "link.so").symlink_to(library)
    around = tmp_path / ".." / tmp_path.name / library.name
    paths = [str(library), str(tmp_path / "link.so"), str(around)]
    code = f"result = [ax.load_device(path) for path in {paths!r}]"
    assert script(code, []) == [["none:0"]] * len(paths)


def test_plugins_may_be_named_in_odd_ways(tmp_path: Path) -> None:
    library = build(tmp_path, "NONE")
    (tmp_path / "empty").mkdir()
    odd = tmp_path / os.fsdecode(b"caf\xe9.so")
    code = "result = [[d.name for d in ax.devices()], ax.placement.failures()]"
    plugins = [Path(""), tmp_path / "empty", odd, library, Path("")]
    names, failures = script(code, plugins)
    assert "none:0" in names
    reasons = dict(failures)
    assert "the folder has no readable *.so file" in reasons[str(tmp_path / "empty")]
    assert "there is no such plug-in file" in reasons[f"{tmp_path}/caf\N{REPLACEMENT CHARACTER}.so"]


@pytest.mark.skipif(CXX_COMPILER is None, reason="no C++ compiler")
@pytest.mark.parametrize(
    ("thrown", "told"), [('std::runtime_error("oops")', "oops"), ("42", "of an unknown type")]
)
def test_an_exception_of_a_plug_in_is_a_reason(thrown: str, told: str, tmp_path: Path) -> None:
    throwing = tmp_path / "throwing.so"
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", str(HEADERS)]
    source = str(HERE / "plugins" / "throwing.cpp")
    command = [CXX_COMPILER, *flags, f"-DTHROWN={thrown}", source, "-o", str(throwing)]
    subprocess.run([part for part in command if part], check=True)
    report = python("-m", "addax", "doctor", plugins=[throwing, build(tmp_path, "NONE")])
    reason = f"it lets a C++ exception out; catch it and fill in the status: {told}"
    assert f"  missing: {throwing}: [{throwing}] {reason}\n" in report
    assert "  none:0 (" in report


def build_threaded(folder: Path) -> Path:
    """An asynchronous device, with a thread for each queue."""
    library = folder / "threaded.so"
    options = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O1", "-shared", "-fPIC"]
    includes = ["-I", HEADERS, "-I", EXAMPLE]
    source = HERE / "plugins" / "threaded.c"
    command = [COMPILER, *options, *includes, source, "-o", library, "-lm", "-lpthread"]
    subprocess.run(command, check=True)
    return library


def test_a_forked_process_is_told_that_an_asynchronous_device_stays_behind(tmp_path: Path) -> None:
    code = """
        import os
        with ax.device("threaded"):
            x = ax.tensor([1.0]) + 1.0
        reader, writer = os.pipe()
        if os.fork() == 0:
            told = [(ax.tensor([1.0]) + 1.0).numpy().tolist()]
            for use in (x.numpy, lambda: ax.tensor([1.0], device="threaded"), lambda: -x):
                try:
                    use()
                    told.append("works")
                except ax.errors.DeviceError as error:
                    told.append(str(error))
            os.write(writer, json.dumps(told).encode())
            os._exit(0)
        os.close(writer)
        result = [json.loads(os.fdopen(reader).read()), x.numpy().tolist()]
    """
    told, after = script(code, [build_threaded(tmp_path)])
    assert told[0] == after == [2.0]
    for text in told[1:]:
        assert text.startswith("[threaded:0] the device works in the process that loaded it")
        assert "start workers by spawn" in text


def test_many_threads_may_load_one_plug_in(tmp_path: Path) -> None:
    code = f"""
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(8) as pool:
            result = list(pool.map(ax.load_device, [{str(build_threaded(tmp_path))!r}] * 16))
    """
    assert script(code, []) == [["threaded:0"]] * 16


def test_a_process_ends_with_work_under_way(tmp_path: Path) -> None:
    """Devices are never ended: their threads, buffers and programs are there until the last."""
    code = """
        import threading
        import numpy as np
        def work():
            while True:
                (x @ x).numpy()
        with ax.device("threaded"):
            x = ax.tensor(np.ones((200, 200), np.float32))
        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        result = float((x @ x).numpy()[0, 0])
    """
    assert script(code, [build_threaded(tmp_path)]) == 200.0
