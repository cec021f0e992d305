"""IDX files, the look-up order of data sets, verified downloads, and the procedural set."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from addax.datasets import fashion_mnist, mnist, store, synthetic_fashion
from addax.datasets.idx import read_idx
from addax.errors import IoError


def idx_bytes(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    shape = array.shape if shape is None else shape
    header = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    return header + array.tobytes()


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_reads_back_what_was_written(tmp_path: Path, image: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"images{suffix}"
    path.write_bytes(gzip.compress(idx_bytes(image)) if suffix else idx_bytes(image))
    np.testing.assert_array_equal(read_idx(path), image)


def test_empty_set_has_its_shape(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(idx_bytes(np.empty((0, 28, 28), np.uint8)))
    assert read_idx(path).shape == (0, 28, 28)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda good: good[:-100], "truncated"),
        (lambda good: good[:9], "inside its header"),
        (lambda good: b"", "inside its header"),
        (lambda good: b"PK\x03\x04" + good[4:], "no IDX file"),
        (lambda good: b"\0\0\x0d" + good[3:], "no IDX file"),
        (lambda good: good + b"x", "goes on after|damaged"),
    ],
)
def test_damaged_file_is_an_error(tmp_path, image, suffix, damage, message) -> None:
    path = tmp_path / f"images{suffix}"
    data = damage(idx_bytes(image))
    path.write_bytes(gzip.compress(data) if suffix else data)
    with pytest.raises(IoError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_truncated_gzip_stream_is_an_error(tmp_path: Path, image: np.ndarray) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_bytes(image))[:-200])
    with pytest.raises(IoError, match=r"images\.gz"):
        read_idx(path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_lying_header_takes_no_memory(tmp_path: Path, image: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"images{suffix}"
    data = idx_bytes(image, shape=(4_000_000_000, 28, 28))
    path.write_bytes(gzip.compress(data) if suffix else data)
    tracemalloc.start()
    try:
        with pytest.raises(IoError, match="4000000000"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
         "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")  # fmt: skip


def write_set(folder: Path, count: int, suffix: str = ".gz") -> None:
    folder.mkdir(parents=True)
    for name in NAMES:
        shape = (count, 28, 28) if "images" in name else (count,)
        data = idx_bytes(np.full(shape, 7, np.uint8))
        (folder / (name + suffix)).write_bytes(gzip.compress(data) if suffix else data)


@pytest.mark.parametrize("dataset", [fashion_mnist, mnist])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_data_home_comes_before_keras_cache(homes, dataset, suffix) -> None:
    name = "mnist" if dataset is mnist else "fashion-mnist"
    write_set(homes[1] / name, 3, suffix)
    assert dataset.load_data()[0][0].shape == (3, 28, 28)
    write_set(homes[0] / name, 2, suffix)
    (x_train, y_train), (x_test, y_test) = dataset.load_data()
    assert x_train.shape == x_test.shape == (2, 28, 28)
    assert y_train.shape == y_test.shape == (2,)


def test_without_network_the_error_says_which_file_goes_where(homes) -> None:
    with pytest.raises(IoError) as caught:
        fashion_mnist.load_data()
    text = str(caught.value)
    assert "train-images-idx3-ubyte.gz" in text and "no route to host" in text
    assert str(homes[0] / "fashion-mnist") in text and str(homes[1] / "fashion-mnist") in text
    assert list((homes[1] / "fashion-mnist").iterdir()) == []


def test_images_without_their_labels_are_an_error(homes) -> None:
    write_set(homes[0] / "mnist", 4)
    (homes[0] / "mnist" / (NAMES[1] + ".gz")).write_bytes(
        gzip.compress(idx_bytes(np.zeros(3, np.uint8)))
    )
    with pytest.raises(IoError, match=r"\(4, 28, 28\).*\(3,\)"):
        mnist.load_data()


def test_unwritable_cache_folder_is_an_error(homes) -> None:
    homes[1].parent.mkdir(parents=True)
    homes[1].write_text("a file where the folder should be")
    with pytest.raises(IoError, match=r"cannot be written.*ADDAX_DATA_HOME"):
        fashion_mnist.load_data()


def test_download_is_verified_and_kept(homes, serve) -> None:
    content = gzip.compress(idx_bytes(np.arange(6, dtype=np.uint8)))
    file = store.RemoteFile("a.gz", hashlib.sha256(content).hexdigest())
    urls = serve(content)
    for _ in range(2):
        (path,) = store.locate("some", "https://example.org/", [file])
    assert urls == ["https://example.org/a.gz"]
    np.testing.assert_array_equal(read_idx(path), np.arange(6))
    assert os.listdir(path.parent) == ["a.gz"]


def test_download_with_another_checksum_is_refused(homes, serve) -> None:
    serve(b"not what was promised")
    with pytest.raises(IoError, match="SHA-256"):
        store.locate("some", "https://example.org/", [store.RemoteFile("a.gz", "0" * 64)])
    assert list((homes[1] / "some").iterdir()) == []


def test_synthetic_set_is_balanced_and_repeatable() -> None:
    (x, y), (x_test, y_test) = synthetic_fashion.load_data(500, 100, seed=3)
    assert x.shape == (500, 28, 28) and x.dtype == np.uint8 and y.dtype == np.uint8
    assert np.bincount(y).tolist() == [50] * 10 and np.bincount(y_test).tolist() == [10] * 10
    again = synthetic_fashion.load_data(500, 100, seed=3)
    np.testing.assert_array_equal(x, again[0][0])
    np.testing.assert_array_equal(x_test, again[1][0])
    assert not np.array_equal(x, synthetic_fashion.load_data(500, 0, seed=4)[0][0])
    assert len({image.tobytes() for image in np.concatenate([x, x_test])}) == 600


def test_synthetic_classes_overlap_but_can_be_told_apart() -> None:
    (x, y), (x_test, y_test) = synthetic_fashion.load_data(4000, 500)
    flat, flat_test = (a.reshape(len(a), -1) / 255.0 for a in (x, x_test))
    means = np.stack([flat[y == k].mean(0) for k in range(10)])
    distance = ((flat_test[:, None, :] - means[None]) ** 2).sum(-1)
    accuracy = (distance.argmin(1) == y_test).mean()
    assert 0.4 < accuracy < 0.9  # nearest mean: well above chance, far from solved


def test_synthetic_set_refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="-1"):
        synthetic_fashion.load_data(-1)
