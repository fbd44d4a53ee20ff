"""Several documents about one thing, such as a nightly forecast of each night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.site.model import SourceDocument


@dataclass(frozen=True)
class NamedDocument:
    """A document, and the name under which its section is addressed."""

    name: str
    document: SourceDocument

    @property
    def body(self) -> Json:
        """What it says."""
        return self.document.body


def named(
    documents: Iterable[SourceDocument], about: Callable[[SourceDocument], str]
) -> list[NamedDocument]:
    """Return documents, each with the name of its section.

    The last of those about one thing has the thing's own name, so that a link to it leads to the
    newest numbers, and the earlier ones have their file's name behind it. Things are in the order
    of their first documents, and of each thing the newest comes first.
    """
    of_thing: dict[str, list[SourceDocument]] = {}
    for document in documents:
        of_thing.setdefault(about(document), []).append(document)
    return [
        NamedDocument(name if age == 0 else f"{name}, {document.name}", document)
        for name, group in of_thing.items()
        for age, document in enumerate(reversed(group))
    ]
