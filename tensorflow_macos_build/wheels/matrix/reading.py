"""A wheel as far as a dry link needs it: what its libraries load, export and need.

Of most members the first bytes are enough, which say what they load and what they are called; only
the libraries that others load are read whole. The rest of an index's wheel is never fetched.
"""

from __future__ import annotations

import contextlib
import io
import zipfile
import zlib
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tensorflow_macos_build.macho import fat, image
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.matrix.range_file import RangeFile
from tensorflow_macos_build.wheels.verify import binaries
from tensorflow_macos_build.wheels.verify.binaries import Binary, BinarySlice, StoredExports
from tensorflow_macos_build.wheels.verify.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from tensorflow_macos_build.retry import Retry
    from tensorflow_macos_build.wheels.verify.spool import ExportStore
    from tensorflow_macos_build.wheels.wheelhouse.resolve import Offer

_SUFFIXES = (".so", ".dylib")
_HEAD = 1 << 16
"""Bytes that hold any library's load commands; TensorFlow's largest has 8 KiB of them."""

_LARGEST = 4 << 30
_MOST = 10_000
"""Bytes of a library, and how many of them, beyond which a wheel is refused."""

_CHUNK = 1 << 20
_NOTHING = StoredExports(None, 0, frozenset())


@contextlib.contextmanager
def opened(offer: Offer, retry: Retry) -> Iterator[zipfile.ZipFile]:
    """Open the wheel that an offer names, wherever it is.

    Raises:
        BrokenWheel: it is no zip file, or a member that is read is broken.
        NotFetched: the index does not give it.
    """
    with contextlib.ExitStack() as stack:
        raw: IO[bytes] = stack.enter_context(_file(offer, retry))
        try:
            yield stack.enter_context(zipfile.ZipFile(raw))
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as e:
            raise BrokenWheel(f"it is no sound wheel: {e}", where=offer.name) from None


def _file(offer: Offer, retry: Retry) -> IO[bytes]:
    if offer.url.startswith("file:"):
        return open(unquote(urlsplit(offer.url).path), "rb")  # noqa: PTH123 (not by Path: a stream)
    # zipfile asks for a few bytes at a time.
    return io.BufferedReader(RangeFile(offer.url, retry), _HEAD)


def libraries(wheel: zipfile.ZipFile, store: ExportStore, *, whole: bool) -> list[Binary]:
    """Return the libraries of a wheel.

    Args:
        wheel: the open wheel.
        store: where their export tries are put.
        whole: whether all of them are read whole, and not only those that others load.

    Raises:
        BrokenWheel: a member is too large.
    """
    members = [info for info in wheel.infolist() if info.filename.endswith(_SUFFIXES)]
    if len(members) > _MOST or any(info.file_size > _LARGEST for info in members):
        raise BrokenWheel("it has more libraries, or larger ones, than is read", where="")
    heads = {info.filename: _head(wheel, info) for info in members}
    loaded = {
        dylib.name.rpartition("/")[2]
        for head in heads.values()
        for part in (head.slices.values() if head else ())
        for dylib in (part.image.dylibs if part.image else ())
    }
    return [
        _whole(wheel, info, store)
        if (head := heads[info.filename]) is None
        or whole
        or info.filename.rpartition("/")[2] in loaded
        else head
        for info in members
    ]


def _head(wheel: zipfile.ZipFile, info: zipfile.ZipInfo) -> Binary | None:
    """Return a library by its first bytes alone; None where these do not tell."""
    with wheel.open(info) as stream:
        head = stream.read(_HEAD)
    if fat.is_fat(head):
        return None  # the second slice begins far behind
    try:
        parsed = image.parse(Window(head, 0, info.file_size))
    except MalformedMachO:
        return Binary(info.filename, {})
    part = BinarySlice(parsed.arch, parsed, (), _NOTHING)
    return Binary(info.filename, {parsed.arch: part})


def _whole(wheel: zipfile.ZipFile, info: zipfile.ZipInfo, store: ExportStore) -> Binary:
    with contextlib.closing(Spool(info.file_size)) as spool:
        with wheel.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                spool.write(chunk)
        with spool.reading() as content:
            return binaries.read(info.filename, content, store)
