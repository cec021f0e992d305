"""Plug-ins from elsewhere: how they are found, and that a broken one harms nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import addax as ax

HERE = Path(__file__).parent
HEADERS = Path(ax.get_include())
COMPILER = shutil.which("cc") or shutil.which("gcc")

pytestmark = [
    pytest.mark.skipif(not HEADERS.is_dir(), reason="addax is not installed: it has no headers"),
    pytest.mark.skipif(COMPILER is None, reason="no C compiler"),
]

# What doctor says of a plug-in with the fault, where it cannot be loaded.
WHILE_LOADED = {
    "VERSION": "made for version 2 of the device ABI; this is version 1",
    "ENTRY_ERROR": "no such hardware on this machine",
    "ENTRY_NOTHING": "returned no plug-in and no error",
    "ENTRY_IN_LATIN_1": "no caf\N{REPLACEMENT CHARACTER} on this machine",
    "SMALL_TABLE": "its function table says that it has 16 bytes",
    "HUGE_TABLE": "its function table says that it has 1073741824 bytes",
    "LACKS_RUN": "lacks the mandatory function 'run'",
    "BAD_NAME": "its name must consist of a-z, 0-9, '_' and '-', 1 to 63 of them, got 'Not A Name'",
    "NAME_RESERVED": "its name must not be 'gpu', which stands for a device that is chosen",
    "NAME_TOO_LONG": "its name must consist of",
    "NAME_TAKEN": "a plug-in named 'cpu' is loaded already, from built-in",
    "NO_DEVICES": "found no device on this machine",
    "TOO_MANY_DEVICES": "says that it has 1048576 devices; there are 1 to 1024",
    "NULL_DEVICE": "null_device:0 is null",
    "SOME_EVENTS": "has 1 of the 6 functions for events",
    "PROPERTIES_ERROR": "[properties_error:0] the driver is asleep",
    "PROPERTIES_TOO_LONG": "wrote properties past the struct_size",
    "ODD_ALIGNMENT": "alignment must be a power of two",
    "ENDLESS_TEXT": "a text in the device's properties does not end",
    "ALLOC_NOTHING": "'alloc' gave neither a result nor an error",
    "ALLOC_ERROR": "[alloc_error:0] the memory is on strike",
    "MAP_NOTHING": "'map' gave neither a result nor an error",
    "QUEUE_NOTHING": "'queue_create' gave neither a result nor an error",
    "COPY_ERROR": "[copy_error:0] the bus is late",
    "COPY_NOTHING": "what is copied there does not come back",
}
# What doctor says of a device whose texts are odd.
OF_TEXTS = {
    "TEXT_IN_LATIN_1": "(caf\N{REPLACEMENT CHARACTER}, 0.0 GiB)",
    "TEXT_OF_LINES": "score 0): first   missing: second",
}
# What is raised where the fault shows only when a model or an op runs.
WHILE_USED = {
    "OUT_OF_MEMORY": ("OutOfMemoryError", "no memory for 3.9 KiB"),
    "SUPPORTS_ERROR": ("InternalError", "[supports_error:0] the device gave no reason"),
    "COMPILE_NOTHING": ("DeviceError", "'compile' gave neither a result nor an error"),
    "COMPILE_ERROR": ("UnsupportedError", "[negative] only on Sundays"),
    "RUN_ERROR": ("DeviceError", "[run_error:0] the device is lost"),
    "RUN_UNKNOWN_CODE": ("DeviceError", "who knows (unknown error code 99)"),
    "RUN_INTERRUPTED": ("DeviceError", "bored (interrupted, which nobody asked for)"),
    "TOO_FEW_STEPS": ("DeviceError", "says that it did 0 of 1 steps"),
    "TOO_MANY_STEPS": ("DeviceError", "says that it did 2 of 1 steps"),
    "WRONG_NODE": ("DeviceError", "failed check of node 1000, which does not exist"),
    "NODE_WITHOUT_CHECK": ("DeviceError", "failed check of [fused], of value 0"),
}


def build(folder: Path, fault: str, *flags: str) -> Path:
    """The shared library with this fault; its device has the fault's name."""
    library = folder / f"{fault.lower()}.so"
    options = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", HEADERS, *flags]
    definitions = [f"-DFAULT={fault}", f"-DNAME={fault.lower()}"]
    source = HERE / "plugins" / "faulty.c"
    subprocess.run([COMPILER, *options, *definitions, source, "-o", library], check=True)
    return library


def python(*arguments: str, plugins: list[Path], path: Path | None = None) -> str:
    environment = {**os.environ, "ADDAX_PLUGINS": ":".join(map(str, plugins))}
    if path is not None:
        environment["PYTHONPATH"] = f"{path}:{environment.get('PYTHONPATH', '')}"
    return subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True, env=environment
    ).stdout


def script(code: str, plugins: list[Path], path: Path | None = None) -> object:
    """What a fresh process that runs the code prints, as JSON."""
    lines = (
        f"import json, warnings, addax as ax\n{textwrap.dedent(code)}\nprint(json.dumps(result))"
    )
    return json.loads(python("-c", lines, plugins=plugins, path=path))


@pytest.fixture(scope="module")
def doctor(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report on all plug-ins that cannot be loaded and one that can."""
    folder = tmp_path_factory.mktemp("plugins")
    plugins = [build(folder, fault) for fault in (*WHILE_LOADED, *OF_TEXTS, "NONE")]
    return python("-m", "addax", "doctor", plugins=plugins)


@pytest.mark.parametrize("fault", WHILE_LOADED)
def test_doctor_tells_why_a_plug_in_is_missing(fault: str, doctor: str) -> None:
    line = next(line for line in doctor.splitlines() if f"{fault.lower()}.so: " in line)
    assert line.strip().startswith("missing: ")
    assert WHILE_LOADED[fault] in line


@pytest.mark.parametrize("fault", OF_TEXTS)
def test_doctor_shows_odd_texts_in_one_line(fault: str, doctor: str) -> None:
    line = next(line for line in doctor.splitlines() if line.startswith(f"  {fault.lower()}:0 "))
    assert OF_TEXTS[fault] in line


def test_what_works_works_beside_broken_plug_ins(doctor: str) -> None:
    assert "  cpu:0 (" in doctor and "  none:0 (" in doctor


@pytest.fixture(scope="module")
def raised(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What a fresh process raises that uses all devices with a fault, one after the other."""
    folder = tmp_path_factory.mktemp("plugins")
    code = """
        result = {}
        for device in ax.devices():
            if device.kind == "faulty":
                try:
                    with ax.device(device):
                        x = ax.tensor([1.0] * 1000)
                        result[device.name] = [str((-x).shape)]
                except ax.errors.AddaxError as error:
                    result[device.name] = [type(error).__name__, str(error)]
        result["cpu"] = ax.ops.negative([1.0, 2.0]).numpy().tolist()
    """
    plugins = [build(folder, fault) for fault in (*WHILE_USED, "NONE")]
    result = script(code, plugins)
    assert isinstance(result, dict)
    return result


@pytest.mark.parametrize("fault", WHILE_USED)
def test_a_device_that_fails_in_use_raises(fault: str, raised: dict[str, list[str]]) -> None:
    kind, message = WHILE_USED[fault]
    assert raised[f"{fault.lower()}:0"][0] == kind
    assert message in raised[f"{fault.lower()}:0"][1]


def test_others_work_after_a_device_has_failed(raised: dict[str, list[str]]) -> None:
    assert raised["none:0"] == ["(1000,)"]
    assert raised["cpu"] == [-1, -2]


def test_a_library_that_lacks_a_symbol(tmp_path: Path) -> None:
    undefined = build(tmp_path, "NONE", "-DUNDEFINED")
    nothing = tmp_path / "nothing.so"
    source = tmp_path / "nothing.c"
    source.write_text("int nothing;\n")
    subprocess.run([COMPILER, "-shared", "-fPIC", source, "-o", nothing], check=True)
    code = "result = [reason for path, reason in ax.placement.failures()]"
    first, second = script(code, [undefined, nothing])
    assert "undefined symbol: the_function_that_nobody_has" in first
    assert "does not export adx_plugin_v1" in second


def test_devices_warns_once_of_each_plug_in(tmp_path: Path) -> None:
    code = """
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ax.devices()
            ax.devices()
        result = [str(w.message) for w in caught if "left out" in str(w.message)]
    """
    plugins = [build(tmp_path, "VERSION"), tmp_path / "no_such.so"]
    version, missing = script(code, plugins)
    assert str(plugins[0]) in version and "version 2" in version
    assert "there is no such plug-in file" in missing


def test_of_two_plug_ins_of_one_name_the_first_stays(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plugins = [build(tmp_path / folder, "NONE") for folder in "ab"]
    code = "result = [[d.name for d in ax.devices()], ax.placement.failures()]"
    names, failures = script(code, [tmp_path / "a", tmp_path / "b"])
    assert names.count("none:0") == 1
    assert [path for path, _ in failures] == [str(plugins[1])]
    assert f"'none' is loaded already, from {plugins[0]}" in failures[0][1]


def test_load_device_takes_a_file_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path, "NONE")
    monkeypatch.chdir(tmp_path)
    assert script("result = ax.load_device('none.so') * 2", []) == ["none:0", "none:0"]


def test_load_device_raises_and_remembers(tmp_path: Path) -> None:
    code = f"""
        try:
            ax.load_device({str(build(tmp_path, "LACKS_RUN"))!r})
        except ax.errors.DeviceError as error:
            result = [str(error), *ax.placement.failures()[0]]
    """
    message, path, reason = script(code, [])
    assert "mandatory function 'run'" in message
    assert path.endswith("lacks_run.so") and reason == message


def entry_point(folder: Path, module: str, value: str) -> None:
    """An installed package, as far as importlib.metadata is concerned."""
    info = folder / f"{module}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[addax.devices]\n{module} = {value}\n")


def test_installed_packages_bring_devices(tmp_path: Path) -> None:
    library = build(tmp_path, "NONE")
    (tmp_path / "good.py").write_text(f"def path(): return {str(library)!r}\n")
    entry_point(tmp_path, "good", "good:path")
    entry_point(tmp_path, "gone", "gone:path")
    (tmp_path / "leaving.py").write_text("raise SystemExit('no licence')\n")
    entry_point(tmp_path, "leaving", "leaving:path")
    (tmp_path / "numbered.py").write_text("path = 3\n")
    entry_point(tmp_path, "numbered", "numbered:path")
    code = "result = [[d.name for d in ax.devices()], ax.placement.failures()]"
    names, failures = script(code, [], path=tmp_path)
    assert "none:0" in names
    reasons = dict(failures)
    assert "No module named 'gone'" in reasons["entry point 'gone'"]
    assert "SystemExit('no licence')" in reasons["entry point 'leaving'"]
    assert "TypeError" in reasons["entry point 'numbered'"]


@pytest.mark.parametrize(
    "use",
    [
        "ax.tensor([1.0], device='none').device",
        "ax.device('none').name",
        "ax.Variable([1.0], device='none:0').device",
    ],
)
def test_a_device_of_a_package_is_found_by_its_name(use: str, tmp_path: Path) -> None:
    library = build(tmp_path, "NONE")
    (tmp_path / "good.py").write_text(f"path = {str(library)!r}\n")
    entry_point(tmp_path, "good", "good:path")
    assert script(f"result = {use}", [], path=tmp_path) == "none:0"


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_plug_ins_are_loaded_when_they_are_needed(policy: str, tmp_path: Path) -> None:
    library = build(tmp_path, "NONE")
    code = f"""
        import numpy as np
        ax.mixed_precision.set_global_policy({policy!r})
        def is_loaded():
            return {library.name!r} in open("/proc/self/maps").read()
        ax.tensor([1.0])
        with ax.device("cpu"):
            model = ax.Sequential([ax.layers.Dense(1)])
            model.compile("sgd", "mse")
            model.fit(np.ones((4, 2), np.float32), np.ones((4, 1), np.float32), verbose=0)
            result = [is_loaded()]
        ax.device("none")
        result.append(is_loaded())
    """
    assert script(code, [library]) == [False, True]
