"""What there should be, what there is, and so what is to be done: values in, actions out.

The plan is made anew after each step from what the destination then says. So it does not matter
what of the step before has worked, nor whether this is the first run or one after a kill.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.release.prepared import PreparedFolder, PublishedFile


class PublishedOtherwise(WorkFailed):
    """Under this tag something else is published already, which is never changed."""


class DraftOfOthers(UsageError):
    """There is a draft under this tag that this tool has not made."""


@dataclass(frozen=True)
class PresentFile:
    """A file that the destination has.

    Attributes:
        id: what the destination calls it.
        name: its name.
        size: its size in bytes.
        sha256: the SHA-256 that was read back; None where it is not known.
        is_whole: whether its upload had an end.
    """

    id: str
    name: str
    size: int
    sha256: str | None
    is_whole: bool = True


@dataclass(frozen=True)
class Draft:
    """A release that nobody sees yet.

    Attributes:
        id: what the destination calls it.
        mark: which prepared release it is of; None: this tool has not made it.
        files: what it has.
    """

    id: str
    mark: str | None
    files: tuple[PresentFile, ...] = ()


@dataclass(frozen=True)
class Published:
    """A release that everybody sees.

    Attributes:
        files: what it has.
        is_immutable: whether the destination lets nobody change it.
        url: its page.
    """

    files: tuple[PresentFile, ...]
    is_immutable: bool = False
    url: str = ""


@dataclass(frozen=True)
class Present:
    """What the destination has under the tag."""

    drafts: tuple[Draft, ...] = ()
    published: Published | None = None


@dataclass(frozen=True)
class CreateDraft:
    """Make a draft."""


@dataclass(frozen=True)
class DescribeDraft:
    """Write this release's title and notes into a draft that has another preparation's."""

    draft: str


@dataclass(frozen=True)
class DeleteDraft:
    """Delete a draft of this tool's, of which there is another."""

    draft: str


@dataclass(frozen=True)
class DeleteFile:
    """Delete a file from a draft."""

    draft: str
    file: PresentFile
    why: str


@dataclass(frozen=True)
class Upload:
    """Put a file into a draft; the draft is "" where it is not made yet."""

    draft: str
    file: PublishedFile


@dataclass(frozen=True)
class Publish:
    """Let everybody see a draft, of which every file has been read back."""

    draft: str


Action = CreateDraft | DescribeDraft | DeleteDraft | DeleteFile | Upload | Publish


@dataclass(frozen=True)
class Limits:
    """What a destination takes.

    Attributes:
        size: the most bytes of a file.
        files: the most files of a release.
        notes: the most letters of the notes.
    """

    size: int
    files: int
    notes: int


def faults(release: PreparedFolder, limits: Limits) -> list[str]:
    """Return why a destination will not take a release, in words."""
    words = [
        f"{file.name} has {file.size:,} bytes, and {limits.size:,} is the most"
        for file in release.files
        if file.size > limits.size
    ]
    # GitHub answers "Bad Content-Length".
    words += [f"{file.name} is empty" for file in release.files if not file.size]
    if len(release.files) > limits.files:
        words.append(f"it has {len(release.files)} files, and {limits.files} is the most")
    if len(release.notes) > limits.notes:
        words.append(f"its notes have {len(release.notes):,} letters of {limits.notes:,}")
    return words


def actions(release: PreparedFolder, present: Present) -> tuple[Action, ...]:
    """Return what is to be done, in order; nothing when all is done.

    Raises:
        PublishedOtherwise: another release is published under this tag.
        DraftOfOthers: somebody's draft is there.
    """
    ours = [draft for draft in present.drafts if draft.mark is not None]
    if present.published is not None:
        _compare(release, present.published)
        return tuple(DeleteDraft(draft.id) for draft in ours)
    if len(ours) < len(present.drafts):
        raise DraftOfOthers(
            f"there is a draft of {release.manifest.tag} that this tool has not made",
            hint="delete it there, or give another tag",
        )
    if not ours:
        return (CreateDraft(), *(Upload("", file) for file in release.files), Publish(""))
    return tuple(_of_drafts(release, ours))


def phase(todo: Sequence[Action]) -> tuple[Action, ...]:
    """Return the first actions of one kind, which may be done in any order, or at once."""
    kind = type(todo[0])
    first = next((at for at, action in enumerate(todo) if type(action) is not kind), len(todo))
    return tuple(todo[:first])


def _of_drafts(release: PreparedFolder, drafts: Sequence[Draft]) -> Iterator[Action]:
    """Yield what completes one of several drafts, and deletes the others.

    A request whose answer was lost has made a draft, and the next run makes another.
    """
    wanted = {file.name: file for file in release.files}

    def worth(draft: Draft) -> tuple[int, str]:
        fine = sum(_is_right(wanted.get(file.name), file) for file in draft.files)
        return -fine, draft.id

    best, *others = sorted(drafts, key=worth)
    yield from (DeleteDraft(draft.id) for draft in others)
    if best.mark != release.mark:
        yield DescribeDraft(best.id)
    unfit = list(_unfit(release, best))
    yield from unfit
    gone = {action.file.id for action in unfit}
    kept = {file.name for file in best.files if file.id not in gone}
    yield from (Upload(best.id, file) for file in release.files if file.name not in kept)
    yield Publish(best.id)


def _unfit(release: PreparedFolder, draft: Draft) -> Iterator[DeleteFile]:
    wanted = {file.name: file for file in release.files}
    seen = Counter[str]()
    for file in draft.files:
        seen[file.name] += 1
        expected = wanted.get(file.name)
        if expected is None:
            yield DeleteFile(draft.id, file, "it is none of the release")
        elif not file.is_whole:
            yield DeleteFile(draft.id, file, "its upload was cut off")
        elif not _is_right(expected, file):
            yield DeleteFile(draft.id, file, "it has other bytes")
        elif seen[file.name] > 1:
            yield DeleteFile(draft.id, file, "it is there twice")


def _is_right(expected: PublishedFile | None, file: PresentFile) -> bool:
    """Whether a file was read back as what it should be; what is not known is not right."""
    return (
        expected is not None
        and file.is_whole
        and (file.size, file.sha256) == (expected.size, expected.sha256)
    )


def _compare(release: PreparedFolder, published: Published) -> None:
    """Raise PublishedOtherwise where a published release has not just the files of this one."""
    wanted = {file.name: file for file in release.files}
    names = Counter(file.name for file in published.files)
    words = [f"{name} is missing" for name in wanted if name not in names]
    words += [f"{name} is there {count} times" for name, count in names.items() if count > 1]
    words += [
        f"{file.name} is {'another file' if file.name in wanted else 'none of this release'}"
        for file in published.files
        if not _is_right(wanted.get(file.name), file)
    ]
    if words:
        fixed = ", and cannot be changed" if published.is_immutable else ""
        raise PublishedOtherwise(
            f"another release is published as {release.manifest.tag}{fixed}",
            where=published.url,
            detail="\n".join(sorted(words)),
            hint="what is published is never changed: prepare it again with another --tag",
        )
