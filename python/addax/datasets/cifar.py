"""CIFAR's binary files, in a folder or an archive: records of label bytes and a 32x32 image."""

from __future__ import annotations

import tarfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from addax.datasets import store
from addax.datasets.byte_source import ByteSource, open_bytes
from addax.datasets.image_classes import Split
from addax.errors import IoError

_BASE_URL = "https://www.cs.toronto.edu/~kriz/"
_PLANES = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_RECORDS_AT_ONCE = 1000


@dataclass(frozen=True)
class Layout:
    """How a data set is cut into files, and the number of classes that each label byte tells."""

    dataset: str
    archive: store.RemoteFile
    folder: str
    train: tuple[str, ...]
    test: str
    label_classes: tuple[int, ...]


def load(layout: Layout, label: int = 0) -> tuple[Split, Split]:
    """Reads the set, with the label of that number.

    A folder may lack training files at the end of their list: what it has is then the set.

    Raises:
        IoError: the files are missing and cannot be downloaded, or one is damaged.
    """
    for place in store.folders(layout.dataset):
        folder = place / layout.folder
        paths = {
            name: path
            for name in (*layout.train, layout.test)
            if (path := store.existing(folder, f"{name}.gz"))
        }
        if _is_set(layout, paths, folder):
            return _joined(layout, {name: _read(layout, p, label) for name, p in paths.items()})
        if archive := store.existing(place, layout.archive.name):
            return _joined(layout, _read_archive(layout, archive, label))
    (archive,) = store.locate(layout.dataset, _BASE_URL, [layout.archive])
    return _joined(layout, _read_archive(layout, archive, label))


def _is_set(layout: Layout, names: Collection[str], where: Path) -> bool:
    if layout.train[0] not in names or layout.test not in names:
        return False
    count = sum(name in names for name in layout.train)
    for name in layout.train[:count]:
        if name not in names:
            raise IoError(f"[load_data] {where} has a training file after {name}, which it lacks")
    return True


def _joined(layout: Layout, parts: Mapping[str, Split]) -> tuple[Split, Split]:
    train = [parts[name] for name in layout.train if name in parts]
    images, labels = (np.concatenate(arrays) for arrays in zip(*train, strict=True))
    return (images, labels), parts[layout.test]


def _read(layout: Layout, path: Path, label: int) -> Split:
    with open_bytes(path, "load_data") as source:
        if source.exact:
            _check_size(layout, source.capacity, str(path))
        return _read_records(layout, source.stream, label, str(path))


def _read_archive(layout: Layout, path: Path, label: int) -> dict[str, Split]:
    """Reads the members straight into arrays: nothing is unpacked, so no path is followed."""
    parts = {}
    with (
        open_bytes(path, "load_data") as source,
        tarfile.open(fileobj=source.stream, mode="r|") as archive,
    ):
        for member in archive:
            name = _part_name(layout, member, path)
            if name is not None:
                where = f"{member.name} in {path}"
                stream = _open_member(archive, member, source, where)
                _check_size(layout, member.size, where)
                parts[name] = _read_records(layout, stream, label, where)
    if not _is_set(layout, parts, path):
        needed = f"{layout.folder}/{layout.train[0]} and {layout.folder}/{layout.test}"
        raise IoError(f"[load_data] {path} lacks {needed}; replace the file")
    return parts


def _part_name(layout: Layout, member: tarfile.TarInfo, path: Path) -> str | None:
    place = PurePosixPath(member.name)
    if place.is_absolute() or ".." in place.parts:
        raise IoError(
            f"[load_data] {path} has a member '{member.name}', which points outside of the "
            "archive; it is no official file, replace it"
        )
    wanted = place.parent == PurePosixPath(layout.folder)
    return place.name if wanted and place.name in (*layout.train, layout.test) else None


def _open_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, source: ByteSource, where: str
) -> BinaryIO:
    stream = archive.extractfile(member) if member.isreg() and not member.issparse() else None
    if stream is None:
        raise IoError(f"[load_data] {where} is a link or no plain file; replace the archive")
    if member.size > source.capacity:
        raise IoError(
            f"[load_data] {where} claims {member.size} bytes, but the archive can hold only "
            f"{source.capacity}; replace it"
        )
    return stream  # type: ignore[return-value]  # an IO[bytes] that reads


def _check_size(layout: Layout, size: int, where: str) -> None:
    record = len(layout.label_classes) + _PIXELS
    if size == 0 or size % record:
        raise IoError(
            f"[load_data] {where} has {size} bytes, no multiple of a record's {record}; it is "
            "damaged or truncated, replace it"
        )


def _read_records(layout: Layout, stream: BinaryIO, label: int, where: str) -> Split:
    images, labels = zip(*_chunks(layout, stream, label, where), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _chunks(layout: Layout, stream: BinaryIO, label: int, where: str) -> Iterator[Split]:
    """Takes memory only for what has been read; yields images (n, 32, 32, 3) and labels (n, 1)."""
    head = len(layout.label_classes)
    record = head + _PIXELS
    begin = 0
    while data := stream.read(_RECORDS_AT_ONCE * record):
        if len(data) % record:
            _check_size(layout, begin * record + len(data), where)
        records = np.frombuffer(data, np.uint8).reshape(-1, record)
        _check_labels(layout, records[:, :head], begin, where)
        planes = records[:, head:].reshape(-1, *_PLANES)
        yield np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), records[:, [label]]
        begin += len(records)
    if begin == 0:
        _check_size(layout, 0, where)


def _check_labels(layout: Layout, labels: NDArray[np.uint8], begin: int, where: str) -> None:
    bad = np.argwhere(labels >= np.array(layout.label_classes))
    if len(bad):
        row, column = (int(index) for index in bad[0])
        raise IoError(
            f"[load_data] {where}: record {begin + row} has label {labels[row, column]}, but there "
            f"are {layout.label_classes[column]} classes; it is damaged, replace it"
        )
