"""The error for files that are not what their own headers say."""

from __future__ import annotations

from tensorflow_macos_build.errors import WorkFailed


class MalformedMachO(WorkFailed):
    """A Mach-O or universal file contradicts itself or the format.

    Attributes:
        member: the file's name, inside a wheel or on disk; empty while nobody has said it.
        slice: the slice's architecture, such as "arm64"; empty for the universal header.
        command: the load command or structure at fault, by its C name.
        offset: bytes from the start of the file to the place at fault; None when there is none.
    """

    def __init__(
        self,
        what: str,
        *,
        member: str = "",
        slice: str = "",
        command: str = "",
        offset: int | None = None,
    ) -> None:
        at = "" if offset is None else f"offset {offset:#x}"
        where = ", ".join(part for part in (member, slice, command, at) if part)
        super().__init__(
            what,
            where=where,
            hint="the file is damaged or was not written by a linker: build or download it again",
        )
        self.member = member
        self.slice = slice
        self.command = command
        self.offset = offset

    @property
    def evidence(self) -> str:
        """What is wrong at which structure and offset, without the file and slice."""
        command = f"{self.command}: " if self.command else ""
        at = "" if self.offset is None else f" at offset {self.offset:#x}"
        return f"{command}{self.what}{at}"

    def within(self, *, member: str = "", slice: str = "", command: str = "") -> MalformedMachO:
        """Return the same error with what it did not know yet: its file, slice or load command."""
        return MalformedMachO(
            self.what,
            member=self.member or member,
            slice=self.slice or slice,
            command=self.command or command,
            offset=self.offset,
        )
