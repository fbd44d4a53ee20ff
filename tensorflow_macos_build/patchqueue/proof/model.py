"""Proofs of conflicts as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ProofClass(Enum):
    """Why a conflict has one answer."""

    UPSTREAM_HAS_IT = "upstream-has-it"
    """Upstream's side holds every line that the patch adds, in their order, and none that it takes
    away, blank lines and comments aside; upstream's side stands."""
    PATCH_HAS_MORE = "patch-has-more"
    """The same the other way round, comments included: the patch makes upstream's very change and
    more; the patch's side stands."""
    LIST_OF_BOTH = "list-of-both"
    """Both added distinct items at one place of a list whose order does not matter; both stand."""
    STAYS_DELETED = "stays-deleted"
    """Upstream deleted a file from which the patch only took lines away, and brought none of those
    elsewhere; it stays deleted."""


@dataclass(frozen=True)
class HunkProof:
    """The answer to one conflicting region.

    Attributes:
        proof: why.
        lines: what is to stand there.
    """

    proof: ProofClass
    lines: tuple[bytes, ...]


@dataclass(frozen=True)
class FileProof:
    """What is proven of a file's conflict.

    Attributes:
        path: the file.
        hunks: of each of its conflicting regions, in order; None where nothing is proven.
        content: what it holds with all of them; None where not all are proven, or no file is to
            be.
        mode: its mode; "" where `content` is None.
        deleted: whether it is proven that no file is to be there.
    """

    path: str
    hunks: tuple[HunkProof | None, ...] = ()
    content: bytes | None = None
    mode: str = ""
    deleted: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the file's whole conflict is proven."""
        return self.deleted or self.content is not None

    @property
    def classes(self) -> tuple[ProofClass, ...]:
        """The classes of what is proven, each once, in order."""
        if self.deleted:
            return (ProofClass.STAYS_DELETED,)
        return tuple(dict.fromkeys(hunk.proof for hunk in self.hunks if hunk))


@dataclass(frozen=True)
class ConflictProof:
    """What is proven of a patch's conflict.

    Attributes:
        patch: the name of the patch's file.
        files: a proof of each file in conflict.
        is_whole: whether the conflict has an answer that is proven as a whole.
    """

    patch: str
    files: tuple[FileProof, ...]
    is_whole: bool

    @property
    def classes(self) -> tuple[ProofClass, ...]:
        """The classes of what is proven, each once, in order."""
        return tuple(dict.fromkeys(proof for file in self.files for proof in file.classes))
