"""The zlib that wheels are read by: zlib-ng where it is installed, and Python's own elsewhere.

zlib-ng is zlib's code with faster inner loops. It takes and refuses the same streams with the same
words, and stops at the same bits, so nothing that this package writes or says depends on which of
the two is there (docs/adr/0011).
"""

from __future__ import annotations

import functools
import importlib
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from typing_extensions import Buffer

PACKAGE = "zlib-ng"
"""The distribution that brings the faster one."""

_MODULE = "zlib_ng.zlib_ng"

_WORTH_AN_IMPORT = 1 << 20
"""Bytes of content from which on the import pays. It takes 2.5 ms, most of them for Python's gzip,
of which the module wants an error's class: as long as zlib takes for a megabyte."""


class Decompressor(Protocol):
    """What `decompressobj` of Python's zlib returns."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that was left because `max_length` was reached."""

    @property
    def unused_data(self) -> bytes:
        """Input after the end of the stream."""

    def decompress(self, data: Buffer, max_length: int = 0, /) -> bytes:
        """Return content of `data`, at most `max_length` bytes of it unless that is 0."""


@dataclass(frozen=True)
class Engine:
    """An implementation of zlib.

    Attributes:
        name: what it is called.
        version: its own.
        module: what Python imports, which has the interface of Python's zlib.
        crc32: the CRC-32 of a content, begun with that of what comes before it.
        error: what its methods raise of data that cannot be inflated.
    """

    name: str
    version: str
    module: ModuleType
    crc32: Callable[[Buffer, int], int]
    error: type[Exception]

    def raw_inflater(self) -> Decompressor:
        """Return what inflates one stream without zlib's header, as zip members are."""
        # A negative number of window bits stands for that.
        return cast("Decompressor", self.module.decompressobj(-zlib.MAX_WBITS))


def standard() -> Engine:
    """Return Python's own zlib."""
    return _engine("zlib", zlib.ZLIB_RUNTIME_VERSION, zlib)


def faster() -> Engine | None:
    """Return zlib-ng, if its package is installed."""
    try:
        module: Any = importlib.import_module(_MODULE)
    except ImportError:
        return None
    return _engine(PACKAGE, module.ZLIBNG_RUNTIME_VERSION, module)


@functools.cache
def preferred() -> Engine:
    """Return the fastest that is installed."""
    return faster() or standard()


def for_size(size: int) -> Engine:
    """Return what is fastest for a content of so many bytes, the import of zlib-ng included."""
    is_worth_it = size >= _WORTH_AN_IMPORT or _MODULE in sys.modules
    return preferred() if is_worth_it else standard()


def crc32(content: bytes | memoryview, before: int = 0) -> int:
    """Return the CRC-32 of a content; `before` is that of what comes before it."""
    return for_size(len(content)).crc32(content, before)


def _engine(name: str, version: str, module: Any) -> Engine:
    return Engine(name, version, module, module.crc32, module.error)
