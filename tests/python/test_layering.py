"""Data and includes flow one way through the rooms; no file outgrows one concept."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY = {"cpp/core", "cpp/ops"}
DEVICE_ABI = "cpp/device/include"

# The rooms that each room may include besides itself.
ALLOWED = {
    "cpp/core": set(),
    "cpp/ops": {"cpp/core"},
    "cpp/graph": VOCABULARY,
    "cpp/passes": VOCABULARY | {"cpp/graph"},
    "cpp/device": VOCABULARY | {DEVICE_ABI},
    "cpp/runtime": VOCABULARY | {"cpp/graph", "cpp/passes", "cpp/device", DEVICE_ABI},
    "cpp/api": VOCABULARY | {"cpp/graph", "cpp/passes", "cpp/runtime", "cpp/device", DEVICE_ABI},
    "cpp/bind": VOCABULARY
    | {"cpp/api", "cpp/graph", "cpp/passes", "cpp/runtime", "cpp/device", DEVICE_ABI},
    DEVICE_ABI: set(),
}
KERNELS = VOCABULARY | {DEVICE_ABI}
# Where the one device that is built in is registered.
BUILT_IN = ("cpp/bind", "kernels/cpu")

SUFFIXES = {".c", ".cc", ".cl", ".cpp", ".cu", ".h", ".hpp", ".inl", ".py"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)
DEVICE_NAME = re.compile(r"\b(opencl|cuda|hip|metal)\b|kernels/|namespace cpu\b|cpu::", re.I)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def sources() -> list[Path]:
    """Every source file of the project, relative to its root."""
    top = ("benchmarks", "cmake", "cpp", "examples", "kernels", "python", "scripts", "tests")
    found = (path for folder in top for path in (ROOT / folder).rglob("*"))
    return sorted(path.relative_to(ROOT) for path in found if path.suffix in SUFFIXES)


def room_of(path: Path) -> str:
    """The room of a file: `cpp/graph`, `kernels/cpu`, or the header folder of the device ABI."""
    if path.is_relative_to(DEVICE_ABI):
        return DEVICE_ABI
    return "/".join(path.parts[:2])


def target_of(include: str, source: Path) -> Path | None:
    """The project file that an include names; None for one of the system or of a library."""
    roots = (Path("cpp"), Path("kernels"), Path(DEVICE_ABI), source.parent)
    return next((root / include for root in roots if (ROOT / root / include).is_file()), None)


def upstream_include(source: Path, include: str) -> str | None:
    """Why this include is not allowed; None where it is."""
    target = target_of(include, source)
    if target is None:
        return None
    room, other = room_of(source), room_of(target)
    allowed = KERNELS if room.startswith("kernels/") else ALLOWED[room]
    if room == other or other in allowed or (room, other) == BUILT_IN:
        return None
    return f"{source} includes {include}: {room} may include {sorted(allowed) or 'nothing'}"


def native_sources() -> list[Path]:
    return [
        path for path in sources() if path.parts[0] in ("cpp", "kernels") and path.suffix != ".py"
    ]


def test_no_include_points_upstream() -> None:
    wrong = [
        reason
        for source in native_sources()
        for include in INCLUDE.findall((ROOT / source).read_text())
        if (reason := upstream_include(source, include))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_room_is_known() -> None:
    rooms = {room_of(path) for path in native_sources() if path.parts[0] == "cpp"}
    assert rooms <= set(ALLOWED), rooms - set(ALLOWED)


def test_core_names_no_particular_device() -> None:
    wrong = [
        f"{source}: {match.group()}"
        for source in native_sources()
        if source.parts[0] == "cpp" and room_of(source) != "cpp/bind"
        for match in DEVICE_NAME.finditer(COMMENT.sub("", (ROOT / source).read_text()))
    ]
    assert not wrong, "\n".join(wrong)


def python_imports() -> dict[str, set[str]]:
    """What each module or subpackage of the package imports of the others, also for types alone."""
    package = ROOT / "python" / "addax"
    rooms = {path.stem for path in package.iterdir() if path.suffix in ("", ".py")}
    imports: dict[str, set[str]] = {room: set() for room in rooms}
    for path in package.rglob("*.py"):
        room = path.relative_to(package).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "addax":
                imports[room] |= {alias.name for alias in node.names} & rooms
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("addax."):
                imports[room].add(str(node.module).split(".")[1])
    return {room: others - {room} for room, others in imports.items()}


def test_python_imports_go_one_way() -> None:
    imports = python_imports()
    assert "training" in imports["models"] and "models" not in imports["training"]
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


def test_files_stay_short() -> None:
    long = {str(path): lines for path in sources() if (lines := line_count(path)) > 600}
    assert not long, f"over 600 lines, each hiding two concepts or more: {long}"


def line_count(path: Path) -> int:
    return len((ROOT / path).read_text().splitlines())


@pytest.mark.parametrize(
    ("source", "include", "upstream"),
    [
        ("cpp/core/shape.h", "graph/graph.h", True),
        ("cpp/ops/op_def.h", "core/shape.h", False),
        ("cpp/graph/graph.h", "ops/op_def.h", False),
        ("cpp/graph/graph.h", "addax/device.h", True),
        ("cpp/device/loader.h", "addax/device.h", False),
        ("kernels/cpu/gemm/gemm.cpp", "graph/graph.h", True),
        ("kernels/cpu/gemm/gemm.cpp", "addax/device.h", False),
        ("cpp/graph/graph.h", "vector", False),
    ],
)
def test_the_rule_itself(source: str, include: str, upstream: bool) -> None:
    assert (upstream_include(Path(source), include) is not None) == upstream
