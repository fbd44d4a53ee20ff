"""A fact of an upstream tree: what a file says and where, or why nothing is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")

TreeFiles = Callable[[str], bytes | None]
"""Returns the content of the file at a path of a tree, or None where there is none."""

MOST_BYTES = 1 << 20
"""The largest file that is read; TensorFlow's largest of these, tensorflow.bzl, has 130,000."""


class Unread(Exception):
    """A file does not say what was looked for; the message is the reason, as a sentence's part."""


@dataclass(frozen=True)
class Fact(Generic[Value]):
    """What a tree says about one thing.

    Attributes:
        value: what it says; None when it does not.
        where: the file, or `file:line`, that says so; empty when nothing does.
        reason: why there is no value; empty when there is one.
    """

    value: Value | None
    where: str = ""
    reason: str = ""


def known(value: Value, where: str) -> Fact[Value]:
    """Return the fact that a file says."""
    return Fact(value, where)


def unknown(reason: object) -> Fact[Value]:
    """Return a fact that no file says, for this reason."""
    return Fact(None, reason=str(reason))


def text_of(files: TreeFiles, path: str) -> str:
    """Return a file's text. Bytes that are no UTF-8 survive as surrogates.

    Raises:
        Unread: there is no such file, or it is too large.
    """
    content = files(path)
    if content is None:
        raise Unread(f"there is no {path}")
    if len(content) > MOST_BYTES:
        raise Unread(f"{path} has more than {MOST_BYTES} bytes")
    # A name in a comment may be in any encoding; what is looked for is ASCII.
    return content.decode("utf-8", "surrogateescape")
