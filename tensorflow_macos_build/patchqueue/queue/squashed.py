"""The message of several commits as one, as a forge's squash writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.queue import commit_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build.git.objects import ObjectReader
    from tensorflow_macos_build.patchqueue.formats.patch import Header
    from tensorflow_macos_build.patchqueue.formats.people import Identity

MOST_COMMITS = 100
"""How many commits a message lists."""


def body(objects: ObjectReader, commits: Sequence[str], author: Identity) -> str:
    """Return the subjects of commits and, as trailers, who made them beside an author.

    Args:
        objects: reads the commits.
        commits: their ids, in the order of the list; of many, the first ones are named.
        author: whom the message has as its author.

    Raises:
        WorkFailed: a commit is damaged.
    """
    listed = commits[:MOST_COMMITS]
    headers = [commit_range.header_of(objects.commit(oid)) for oid in listed]
    rows = [f"* {header.subject}" for header in headers]
    if rest := len(commits) - len(listed):
        rows.append(f"* and {rest} more")
    return "\n\n".join(filter(None, ["\n".join(rows), co_authors(headers, author)]))


def co_authors(headers: Iterable[Header], author: Identity) -> str:
    """Return a `Co-authored-by` line for each other author, in order."""
    people = dict.fromkeys(header.author for header in headers)
    return "\n".join(f"Co-authored-by: {p.name} <{p.email}>" for p in people if p != author)
