"""The tiles of OpenCL's contractions: every kind of them by force, measured ones, bad files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import addax as ax

DEVICE = "opencl:0"

pytestmark = pytest.mark.skipif(
    not any(device.name == DEVICE for device in ax.devices()),
    reason="NO OPENCL DEVICE, NO TILE IS TESTED",
)

# Of each kind: with and without local memory, vectors from 1 to 8, one item and several, splits.
TILES = [
    "local m=32 n=32 k=16 rows=4 columns=4 vector=4 splits=1",
    "local m=8 n=16 k=8 rows=2 columns=8 vector=8 splits=4",
    "local m=9 n=4 k=5 rows=3 columns=2 vector=1 splits=2",
    "direct m=6 n=4 k=1 rows=3 columns=2 vector=2 splits=1",
    "direct m=5 n=1 k=1 rows=5 columns=1 vector=1 splits=8",
]

# Multiplies matrices whose extents are 1, primes, and next to those of the tiles, all four ways,
# and prints a sum's bits. A sum of k products, in any order, is off by k roundings at most.
MULTIPLY = f"""
import numpy as np
import addax as ax
from addax import _core
rng = np.random.default_rng(1)
EXTENTS = [(1, 1, 1), (1, 7, 3), (5, 1, 17), (7, 13, 9), (8, 300, 16), (31, 17, 33), (33, 64, 31),
           (0, 3, 4), (3, 0, 4)]
for m, k, n in EXTENTS:
    for turn_a, turn_b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((m, k), (k, n)))
        with ax.device({DEVICE!r}):
            turned = (a.T.copy() if turn_a else a, b.T.copy() if turn_b else b)
            turns = dict(transpose_a=bool(turn_a), transpose_b=bool(turn_b))
            y = np.asarray(_core.apply("matmul", [ax.tensor(x) for x in turned], turns))
        wide = a.astype(np.float64) @ b.astype(np.float64)
        bound = k * np.finfo(np.float32).eps * (np.abs(a) @ np.abs(b)) + 1e-37
        assert y.shape == wide.shape and np.all(np.abs(y - wide) <= bound), (m, k, n)
        if k == 300:
            print(y.tobytes().hex())
"""

ONE_PRODUCT = f"""
import addax as ax
with ax.device({DEVICE!r}):
    y = ax.ops.matmul(ax.tensor([[1.0, 2.0, 3.0]]), ax.tensor([[1.0], [10.0], [100.0]]))
    assert y.tolist() == [[321.0]]
"""


def run(command: list[str], caches: Path, tune: str = "") -> subprocess.CompletedProcess[str]:
    """A process of its own, as each device reads its file of tiles once."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(caches), "ADDAX_LOG": "kernels"}
    environment["ADDAX_OPENCL_TUNE"] = tune
    return subprocess.run(
        [sys.executable, *command], env=environment, check=False, capture_output=True, text=True
    )


def output_of(code: str, caches: Path) -> str:
    """What the code prints."""
    ended = run(["-c", code], caches)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def measurements(caches: Path, tune: str = "1") -> int:
    """How many shapes a process measures that multiplies once."""
    ended = run(["-c", ONE_PRODUCT], caches, tune)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr.count("opencl: measures tiles")


def file_in(caches: Path) -> Path:
    """Where the tiles are kept."""
    return caches / "addax" / "opencl" / "tuning.json"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of caches whose file has one measured tile."""
    caches = tmp_path_factory.mktemp("measured")
    assert measurements(caches) == 1
    return caches


@pytest.fixture(scope="module")
def key(measured: Path) -> str:
    """The one key in its file."""
    (only,) = json.loads(file_in(measured).read_text())
    return str(only)


@pytest.fixture
def caches(measured: Path, key: str) -> Iterator[Path]:
    """The folder with what was compiled, but for this test without the file."""
    kept = file_in(measured).read_text()
    file_in(measured).unlink()
    yield measured
    file_in(measured).write_text(kept)


def force(caches: Path, key: str, tile: str) -> None:
    """Makes every contraction of the device use a tile."""
    file_in(caches).write_text(json.dumps({key.rpartition("; ")[0] + "; *": tile}))


def test_a_measured_tile_is_used_the_second_time(measured: Path, key: str) -> None:
    assert key.endswith("; matmul float32 float32 nn 1x1x4x1")
    assert json.loads(file_in(measured).read_text())[key].split()[0] in ("local", "direct")
    assert measurements(measured) == 0


def test_nothing_is_measured_unless_asked_for(caches: Path) -> None:
    assert measurements(caches, tune="0") == measurements(caches, tune="") == 0
    assert not file_in(caches).exists()


def test_a_setting_that_is_neither_is_told(caches: Path) -> None:
    ended = run(["-c", ONE_PRODUCT], caches, tune="yes")
    assert "InvalidArgumentError" in ended.stderr
    assert "ADDAX_OPENCL_TUNE is 'yes'; set it to 1 or 0" in ended.stderr


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"a": 1}', '{"a": "b"} c', '{"a": "b",}', '{"a"', "\0", '{"\\u0041": "b"}'],
)
def test_a_damaged_file_is_made_anew(caches: Path, key: str, text: str) -> None:
    file_in(caches).write_text(text)
    assert measurements(caches, tune="") == 0
    assert file_in(caches).read_text() == text
    assert measurements(caches) == 1
    assert list(json.loads(file_in(caches).read_text())) == [key]


def test_what_others_measured_stays_in_the_file(caches: Path, key: str) -> None:
    others = {'another "device"; *': "a \\ tile"}
    file_in(caches).write_text(json.dumps(others))
    assert measurements(caches) == 1
    kept = json.loads(file_in(caches).read_text())
    assert kept.pop(key) and kept == others


@pytest.mark.parametrize(
    "tile",
    [
        "",
        "direct",
        "direct m=6 n=1 k=1 rows=4 columns=1 vector=1 splits=1",
        "direct m=0 n=0 k=0 rows=0 columns=0 vector=0 splits=0",
        "direct m=-1 n=1 k=1 rows=-1 columns=1 vector=1 splits=1",
        "direct m=1 n=16 k=1 rows=1 columns=16 vector=16 splits=1",
        "local m=1 n=1 k=1 rows=1 columns=1 vector=1 splits=3",
        "local m=99999999999999999999 n=1 k=1 rows=1 columns=1 vector=1 splits=1",
        "local m=4096 n=4096 k=16 rows=16 columns=16 vector=16 splits=1",
    ],
)
def test_a_tile_that_does_not_fit_is_not_used(caches: Path, key: str, tile: str) -> None:
    force(caches, key, tile)
    output_of(ONE_PRODUCT, caches)


def test_a_file_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "addax").write_text("not a folder")
    assert measurements(tmp_path) == measurements(tmp_path) == 1


def test_a_full_disk_leaves_the_file_as_it_was(caches: Path, key: str) -> None:
    file = file_in(caches)
    others = '{"another device; *": "a tile"}'
    file.write_text(others)
    # It is written beside itself first, under the process's number.
    fill = f"import os; os.symlink('/dev/full', f'{file}.{{os.getpid()}}')\n"
    ended = run(["-c", fill + ONE_PRODUCT], caches, tune="1")
    assert ended.returncode == 0 and "measures tiles" in ended.stderr, ended.stderr
    assert file.read_text() == others
    assert not list(file.parent.glob(f"{file.name}.*"))
    assert measurements(caches) == 1
    assert key in json.loads(file.read_text())


@pytest.mark.parametrize("tile", TILES)
def test_every_tile_multiplies(caches: Path, key: str, tile: str) -> None:
    force(caches, key, tile)
    bits = output_of(MULTIPLY, caches)
    assert bits == output_of(MULTIPLY, caches)
    if "splits=1" not in tile:
        file_in(caches).unlink()
        assert bits != output_of(MULTIPLY, caches), "the default tile was used"


@pytest.mark.parametrize("tile", [TILES[0], TILES[1], TILES[3]])
def test_a_tile_serves_all_contractions(caches: Path, key: str, tile: str) -> None:
    """The op table, with its tolerances."""
    force(caches, key, tile)
    table = str(Path(__file__).with_name("test_opencl.py"))
    chosen = "agrees and (matmul and (bfloat16 or int32) or conv2d and float32)"
    ended = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", table, "-k", chosen], caches)
    assert ended.returncode == 0, ended.stdout
