"""CIFAR's binary files: layout, folders and archives, the look-up order, and damaged files."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from addax.datasets import cifar10, cifar100, store
from addax.errors import AddaxError, InvalidArgumentError, IoError

PIXELS = 3072
TRAIN = [f"data_batch_{number}.bin" for number in range(1, 6)]
BATCHES = "cifar-10-batches-bin"


def images_of(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def records(images: np.ndarray, *labels: list[int]) -> bytes:
    """The official layout: label bytes, then the red, green and blue planes."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), PIXELS)
    return np.concatenate([np.array(labels, np.uint8).T, planes], axis=1).tobytes()


def cifar10_files(count: int = 2, train: int = 5) -> dict[str, bytes]:
    names = [*TRAIN[:train], "test_batch.bin"]
    return {
        name: records(images_of(count, seed), [(seed + i) % 10 for i in range(count)])
        for seed, name in enumerate(names)
    }


def write_folder(folder: Path, files: dict[str, bytes], suffix: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / (name + suffix)).write_bytes(gzip.compress(data, 1) if suffix else data)


def tar_bytes(files: dict[str, bytes], *extra: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{BATCHES}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member, data in extra:
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def write_archive(place: Path, content: bytes, name: str = "cifar-10-binary.tar.gz") -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(content)
    return place / name


# ---- What is read.


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_folder_of_cifar10(homes, suffix) -> None:
    write_folder(homes[0] / "cifar10" / BATCHES, cifar10_files(), suffix)
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert x_train.shape == (10, 32, 32, 3) and x_train.dtype == np.uint8
    assert y_train.tolist() == [[0], [1], [1], [2], [2], [3], [3], [4], [4], [5]]
    assert y_train.dtype == y_test.dtype == np.uint8
    np.testing.assert_array_equal(x_train[2:4], images_of(2, 1))
    np.testing.assert_array_equal(x_test, images_of(2, 5))
    assert y_test.tolist() == [[5], [6]]
    assert x_train.flags.c_contiguous and x_train.flags.writeable


@pytest.mark.parametrize(("mode", "expected"), [("fine", [[99], [7]]), ("coarse", [[19], [3]])])
def test_cifar100_has_two_labels(homes, mode, expected) -> None:
    images = images_of(2, 0)
    data = records(images, [19, 3], [99, 7])
    folder = homes[0] / "cifar100" / "cifar-100-binary"
    write_folder(folder, {"train.bin": data, "test.bin": data})
    for x, y in cifar100.load_data(label_mode=mode):
        np.testing.assert_array_equal(x, images)
        assert y.tolist() == expected and y.dtype == np.uint8


def test_cifar100_knows_two_label_modes(homes) -> None:
    with pytest.raises(InvalidArgumentError, match=r"'fine' or 'coarse', got 'coarser'; did you"):
        cifar100.load_data("coarser")


def test_class_names() -> None:
    assert len(cifar10.CLASS_NAMES) == 10 and cifar10.CLASS_NAMES[3] == "cat"
    for names, count in ((cifar100.CLASS_NAMES, 100), (cifar100.COARSE_CLASS_NAMES, 20)):
        assert len(set(names)) == count
        assert list(names) == sorted(names)  # as they are numbered


def test_more_records_than_are_read_at_once(homes) -> None:
    write_folder(homes[0] / "cifar10" / BATCHES, cifar10_files(2345, train=1), ".gz")
    (x_train, y_train), _ = cifar10.load_data()
    np.testing.assert_array_equal(x_train, images_of(2345, 0))
    np.testing.assert_array_equal(y_train[:, 0], np.arange(2345) % 10)


def test_real_images() -> None:
    home = os.environ.get("ADDAX_DATA_HOME")
    if not home or not (Path(home) / "cifar10" / BATCHES).is_dir():
        pytest.skip("ADDAX_DATA_HOME has no cifar10")
    (x, y), (x_test, y_test) = cifar10.load_data()
    assert x.shape[1:] == x_test.shape[1:] == (32, 32, 3) and len(x) == len(y) > 0
    assert sorted(np.unique(y_test)) == list(range(10))
    # Neighbouring pixels of photographs are alike in each direction; those of shuffled bytes not.
    for axis in (1, 2):
        assert np.abs(np.diff(x[:100].astype(float), axis=axis)).mean() < 20


# ---- Where it is looked for.


def test_data_home_comes_before_keras_cache_and_folder_before_archive(homes) -> None:
    write_archive(homes[1] / "cifar10", tar_bytes(cifar10_files(1)))
    assert len(cifar10.load_data()[1][0]) == 1
    write_folder(homes[1] / "cifar10" / BATCHES, cifar10_files(2))
    assert len(cifar10.load_data()[1][0]) == 2
    write_archive(homes[0] / "cifar10", tar_bytes(cifar10_files(3)))
    assert len(cifar10.load_data()[1][0]) == 3
    write_folder(homes[0] / "cifar10" / BATCHES, cifar10_files(4))
    assert len(cifar10.load_data()[1][0]) == 4


def test_archive_equals_folder(homes) -> None:
    place = homes[0] / "cifar10"
    write_archive(place, tar_bytes({"readme.html": b"<html>", **cifar10_files()}))
    from_archive = cifar10.load_data()
    write_folder(place / BATCHES, cifar10_files())
    for archived, lone in zip(from_archive, cifar10.load_data(), strict=True):
        np.testing.assert_array_equal(archived[0], lone[0])
        np.testing.assert_array_equal(archived[1], lone[1])


def test_last_training_files_may_be_missing_but_none_between(homes) -> None:
    folder = homes[0] / "cifar10" / BATCHES
    write_folder(folder, cifar10_files(train=2))
    assert len(cifar10.load_data()[0][0]) == 4
    write_folder(folder, {"data_batch_4.bin": cifar10_files()["data_batch_4.bin"]})
    with pytest.raises(IoError, match=r"training file after data_batch_3\.bin"):
        cifar10.load_data()


@pytest.mark.parametrize(
    ("dataset", "folder", "archive"),
    [
        (cifar10, "cifar10", "cifar-10-binary.tar.gz"),
        (cifar100, "cifar100", "cifar-100-binary.tar.gz"),
    ],
)
def test_without_network_the_error_says_which_file_goes_where(
    homes, dataset, folder, archive
) -> None:
    with pytest.raises(IoError) as caught:
        dataset.load_data()
    text = str(caught.value)
    assert archive in text and "no route to host" in text
    assert str(homes[0] / folder) in text and str(homes[1] / folder) in text
    assert list((homes[1] / folder).iterdir()) == []


def test_download_with_another_checksum_is_refused(homes, serve) -> None:
    urls = serve(tar_bytes(cifar10_files(1)))
    with pytest.raises(IoError, match="SHA-256"):
        cifar10.load_data()
    assert urls == ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"]
    assert list((homes[1] / "cifar10").iterdir()) == []


def test_download_is_verified_and_kept(homes, serve, monkeypatch) -> None:
    content = tar_bytes(cifar10_files(1))
    file = store.RemoteFile("cifar-10-binary.tar.gz", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(cifar10, "_LAYOUT", replace(cifar10._LAYOUT, archive=file))
    urls = serve(content)
    for _ in range(2):
        assert cifar10.load_data()[0][0].shape == (5, 32, 32, 3)
    assert len(urls) == 1


# ---- Damage.


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda good: good[:-100], r"6046 bytes, no multiple of a record's 3073.*truncated"),
        (lambda good: good + b"x", r"6147 bytes, no multiple"),
        (lambda good: b"", r" 0 bytes"),
        (lambda good: good[:3073] + b"\x0a" + good[3074:], r"record 1 has label 10.*10 classes"),
    ],
)
def test_damaged_file_is_an_error(homes, suffix, damage, message) -> None:
    files = cifar10_files()
    folder = homes[0] / "cifar10" / BATCHES
    write_folder(folder, {**files, "data_batch_3.bin": damage(files["data_batch_3.bin"])}, suffix)
    with pytest.raises(IoError, match=message) as caught:
        cifar10.load_data()
    assert str(folder / f"data_batch_3.bin{suffix}") in str(caught.value)


def test_truncated_gzip_stream_is_an_error(homes) -> None:
    folder = homes[0] / "cifar10" / BATCHES
    write_folder(folder, cifar10_files(), ".gz")
    path = folder / "data_batch_2.bin.gz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(IoError, match=r"data_batch_2\.bin\.gz: .*replace"):
        cifar10.load_data()


@pytest.mark.parametrize(("labels", "told"), [(([20], [0]), "20"), (([0], [100]), "100")])
def test_either_label_of_cifar100_is_checked(homes, labels, told) -> None:
    data = records(images_of(1, 0), *labels)
    write_folder(homes[0] / "cifar100" / "cifar-100-binary", {"train.bin": data, "test.bin": data})
    for mode in ("fine", "coarse"):
        with pytest.raises(IoError, match=f"label {told}.*{told} classes"):
            cifar100.load_data(mode)


@pytest.mark.parametrize("name", ["../evil.bin", "/etc/evil.bin", f"{BATCHES}/../../evil.bin"])
def test_member_that_points_outside_is_an_error(homes, tmp_path, name) -> None:
    outside = tarfile.TarInfo(name)
    path = write_archive(homes[0] / "cifar10", tar_bytes(cifar10_files(), (outside, b"")))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(IoError, match="points outside") as caught:
        cifar10.load_data()
    assert str(path) in str(caught.value) and "evil.bin" in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_member_that_is_no_plain_file_is_an_error(homes, tmp_path, kind) -> None:
    (tmp_path / "secret").write_bytes(cifar10_files()["test_batch.bin"])
    link = tarfile.TarInfo(f"{BATCHES}/test_batch.bin")
    link.type, link.linkname = kind, str(tmp_path / "secret")
    write_archive(homes[0] / "cifar10", tar_bytes(cifar10_files(), (link, b"")))
    with pytest.raises(IoError, match=r"test_batch\.bin in .* is a link or no plain file"):
        cifar10.load_data()


@pytest.mark.parametrize(
    ("size", "message"),
    [(3073 << 30, "the archive can hold only"), (3073 * 5, "unexpected end"), (99, "no multiple")],
)
def test_member_that_lies_about_its_size_takes_no_memory(homes, size, message) -> None:
    liar = tarfile.TarInfo(f"{BATCHES}/data_batch_1.bin")
    liar.size = size
    content = gzip.compress(liar.tobuf(format=tarfile.GNU_FORMAT) + bytes(3073))
    write_archive(homes[0] / "cifar10", content)
    tracemalloc.start()
    try:
        with pytest.raises(IoError, match=message):
            cifar10.load_data()
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a tar file at all" * 100,
        gzip.compress(b"not a tar file at all" * 100),
        tar_bytes(cifar10_files())[:-300],
        tar_bytes({"readme.html": b"<html>"}),
    ],
    ids=[
        "empty",
        "text",
        "compressed text",
        "truncated",
        "other files",
    ],  # a time is in gzip's bytes
)
def test_damaged_archive_is_an_error(homes, content) -> None:
    path = write_archive(homes[0] / "cifar10", content)
    with pytest.raises(AddaxError, match="replace") as caught:
        cifar10.load_data()
    assert isinstance(caught.value, IoError) and str(path) in str(caught.value)
