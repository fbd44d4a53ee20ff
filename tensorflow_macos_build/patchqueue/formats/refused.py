"""The error of a patch that cannot be read or must not be applied."""

from __future__ import annotations

from tensorflow_macos_build.errors import WorkFailed


class Refused(WorkFailed):
    """A patch is damaged, hostile, of a kind that is not taken, or does not apply.

    Attributes:
        patch: the patch's file name.
        line: the line of the file at fault, counted from 1; None when it is the whole file.
    """

    def __init__(self, what: str, *, patch: str, line: int | None = None, hint: str = "") -> None:
        where = patch if line is None else f"{patch}:{line}"
        super().__init__(what, where=where, hint=hint)
        self.patch = patch
        self.line = line


class Malformed(Exception):
    """A piece of text breaks its format's rules; the caller knows the patch and adds it.

    Attributes:
        what: the sentence for the user.
        line: the line within the piece, counted from 0; None when it is all of it.
    """

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.line = line
