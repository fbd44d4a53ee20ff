"""One patch: who wrote it, what its message says, what it changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import diff_parse, mailbox, trailers
from tensorflow_macos_build.patchqueue.formats.mail_body import split_text
from tensorflow_macos_build.patchqueue.formats.message import (
    clean_message,
    clean_subject,
    fields_of,
)
from tensorflow_macos_build.patchqueue.formats.people import (
    NO_ADDRESS,
    one_line,
    parse_date,
    parse_day,
    parse_identity,
)
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.formats.text_encoding import to_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_macos_build.patchqueue.formats.diff import FileChange
    from tensorflow_macos_build.patchqueue.formats.mailbox import Mail
    from tensorflow_macos_build.patchqueue.formats.people import Identity, Moment
    from tensorflow_macos_build.patchqueue.formats.trailers import Trailer

MAX_SIZE = 512 << 20
"""Bytes of the largest patch file taken."""

MAX_MESSAGE = 1 << 20
"""Bytes of the longest commit message taken."""


@dataclass(frozen=True, slots=True)
class Header:
    """A patch without its changes.

    Attributes:
        author: who wrote it.
        date: when.
        subject: the message's first paragraph, in one line.
        body: the rest, trailers included, without blank lines around it; "" when there is none.
    """

    author: Identity
    date: Moment
    subject: str
    body: str

    @property
    def message(self) -> str:
        """Return the whole message as a commit has it."""
        return f"{self.subject}\n\n{self.body}\n" if self.body else f"{self.subject}\n"

    @property
    def trailers(self) -> tuple[Trailer, ...]:
        """Return the message's trailers, in order."""
        return trailers.parse(self.message)

    def trailer(self, key: str) -> str | None:
        """Return the value of the last trailer called `key`; None without one."""
        return trailers.value(self.trailers, key)

    def with_missing(self, wanted: Iterable[Trailer]) -> Header:
        """Return the header with those trailers of whose keys its message says nothing."""
        missing = [trailer for trailer in wanted if not self.trailer(trailer.key)]
        return self._saying(trailers.added(self.message, missing)) if missing else self

    def with_replaced(self, wanted: Iterable[Trailer]) -> Header:
        """Return the header with those trailers, whatever its message says of their keys."""
        new = [trailer for trailer in wanted if self.trailer(trailer.key) != trailer.value]
        return self._saying(trailers.replaced(self.message, new)) if new else self

    def _saying(self, message: str) -> Header:
        # as git would clean the message of a commit: so a file made of it says the same when read
        _, body = clean_message(message)
        return replace(self, body=body)


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch: its header and what it does to each file, in order.

    The changes are read from their text each time that they are asked for: of thousands of patches
    as values they are several times the text.

    Attributes:
        header: who wrote it, and its message.
        text: has the diff; the patch's file, so that nothing is in memory twice.
        start: where in it the diff begins.
        first_line: the number of the diff's first line in the file, from 1.
        strip: path components to take off the names (patch's -p).
    """

    header: Header
    text: bytes
    start: int
    first_line: int
    strip: int = 1

    @property
    def changes(self) -> tuple[FileChange, ...]:
        """Return what it does to each file, in order.

        Raises:
            Malformed: the diff is damaged, hostile or of a kind not taken.
        """
        text = self.text[self.start :]
        return diff_parse.parse(text, strip=self.strip, first_line=self.first_line).changes

    def checked(self, where: str) -> Patch:
        """Return the patch if its changes can be read.

        Raises:
            Refused: they cannot; the patch is called `where`.
        """
        try:
            _ = self.changes
        except Malformed as error:
            raise Refused(error.what, patch=where, line=error.line) from None
        return self


def parse(
    content: bytes,
    where: str,
    *,
    keep_subject: bool = True,
    date: Moment | None = None,
    strip: int = 1,
) -> Patch:
    """Read a file that holds one mailbox patch.

    Args:
        content: the file's bytes.
        where: the file's name, for errors.
        keep_subject: leave tags at the subject's start; False takes off what mailing added.
        date: the date of a patch that states none; with it a date without a time of day counts,
            and an author without an address, as people write them by hand. Without it both are
            refused, as `git am` refuses them.
        strip: path components to take off the names (patch's -p).

    Raises:
        Refused: the patch is damaged, hostile or of a kind not taken.
    """
    if len(content) > MAX_SIZE:
        raise Refused(f"it has {len(content)} bytes; at most {MAX_SIZE} are taken", patch=where)
    try:
        mail = mailbox.parse(content)
    except Malformed as error:
        raise Refused(error.what, patch=where, line=(error.line or 0) + 1) from None
    # lines of a decoded body are not the file's; its own are the best that an error can name
    shift = 0 if mail.decoded else mail.body_line - 1
    cut = split_text(mail.text)
    if cut > MAX_MESSAGE:
        raise Refused(f"its message has {cut} bytes; {MAX_MESSAGE} are taken", patch=where)
    first_line = shift + 1 + mail.text.count(b"\n", 0, cut)
    try:
        header = _header(mail, mail.text[:cut], keep_subject=keep_subject, date=date)
    except Malformed as error:
        raise Refused(error.what, patch=where, line=error.line) from None
    # a body that is what the file ends with needs no copy
    is_whole = not mail.decoded and content.endswith(mail.text)
    text, start = (content, len(content) - len(mail.text) + cut) if is_whole else (mail.text, cut)
    return Patch(header, text, start, first_line, strip).checked(where)


def _header(mail: Mail, text: bytes, *, keep_subject: bool, date: Moment | None) -> Header:
    fields, rest = fields_of(to_text(text))
    if len(text) == len(mail.text):
        fields = {}  # mailinfo.c, handle_info: they count only where a patch follows
    # a field in the body is the author's; the mail's own is of whoever sent it (git-am(1))
    author = parse_identity(fields.get("from") or mail.get("from") or "")
    if not author.email:
        if date is None or not author.name:
            raise Malformed("the patch names no author: it needs a `From:` field", 1)
        author = replace(author, email=NO_ADDRESS)
    subject = fields.get("subject") or mail.get("subject") or ""
    if not keep_subject:
        subject = clean_subject(subject)
    title, body = clean_message(f"{one_line(subject)}\n\n{rest}")
    return Header(author, _date(fields.get("date") or mail.get("date"), date), title, body)


def _date(stated: str | None, default: Moment | None) -> Moment:
    if stated is None and default is not None:
        return default
    if stated is None:
        raise Malformed("the patch has no `Date:` field", 1)
    try:
        return parse_date(stated) if default is None else parse_day(stated)
    except Malformed as error:
        raise Malformed(error.what, 1) from None
