"""What somebody wants to pick, as it is typed: a number, an id, or a page's address."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tensorflow_macos_build.errors import UsageError

_PULL = re.compile(r"(?:pull[/-]|#|!)?([1-9][0-9]{0,8})")
_COMMIT = re.compile(r"(?:commit[/-])?([0-9a-f]{7,40})")
_PAGE = re.compile(
    r"(https?://\S+?)/(?:-/)?(?:(?:pull|pulls|merge_requests)/([1-9][0-9]{0,8})|commit/([0-9a-f]{7,40}))"
    r"(?:[/?#]\S*)?"
)


@dataclass(frozen=True)
class Wanted:
    """A change that somebody names.

    Attributes:
        pull: the number of a pull request; "" for a commit.
        commit: the id of a commit, perhaps short; "" for a pull request.
        project: the address of the project whose page was given; "" for none.
    """

    pull: str = ""
    commit: str = ""
    project: str = ""


def parse(text: str) -> Wanted:
    """Read what somebody wants to pick.

    A number of up to nine digits is a pull request's; `commit/1234567` is a commit all the same.

    Raises:
        UsageError: it is nothing of that.
    """
    if page := _PAGE.fullmatch(text):
        return Wanted(page[2] or "", page[3] or "", page[1])
    if pull := _PULL.fullmatch(text):
        return Wanted(pull=pull[1])
    if commit := _COMMIT.fullmatch(text):
        return Wanted(commit=commit[1])
    raise UsageError(
        f"`{text[:100]}` names neither a pull request nor a commit",
        hint="write a pull request's number, a commit's id (7 to 40 digits), or the address of "
        "the page of one",
    )
