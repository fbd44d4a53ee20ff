"""Several documents about one thing, such as a nightly forecast of each night."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tensorflow_macos_build.site.model import SourceDocument


def named(
    documents: Iterable[SourceDocument], about: Callable[[SourceDocument], str]
) -> list[tuple[str, SourceDocument]]:
    """Return documents, each with the name under which its section is addressed.

    The last of those about one thing has the thing's own name, so that a link to it leads to the
    newest numbers, and the earlier ones have their file's name behind it. Things are in the order
    of their first documents, and of each thing the newest comes first.
    """
    of_thing: dict[str, list[SourceDocument]] = {}
    for document in documents:
        of_thing.setdefault(about(document), []).append(document)
    return [
        (name if place == 0 else f"{name}, {document.name}", document)
        for name, group in of_thing.items()
        for place, document in enumerate(reversed(group))
    ]
