"""A commit of upstream as people are told about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_macos_build.git.commit_log import LoggedCommit


@dataclass(frozen=True)
class UpstreamCommit:
    """A commit of upstream, as people are told about it.

    Attributes:
        oid: its full id.
        author: who wrote it: `Name <mail>`.
        date: the author's date, in ISO 8601 with the author's zone.
        subject: its subject.
        link: its page, where upstream's URL tells it; else "".
    """

    oid: str
    author: str
    date: str
    subject: str
    link: str


def described(commit: LoggedCommit, url: str) -> UpstreamCommit:
    """Return a commit of the upstream at a URL as people are told about it."""
    link = commit_link(url, commit.oid)
    return UpstreamCommit(commit.oid, commit.author, commit.date, commit.subject, link)


def commit_link(url: str, oid: str) -> str:
    """Return the page of a commit at GitHub; "" for other places."""
    base = url.removesuffix("/").removesuffix(".git")
    if base.startswith("git@github.com:"):
        base = "https://github.com/" + base.removeprefix("git@github.com:")
    # no link rather than a wrong one: other hosts have other forms
    return f"{base}/commit/{oid}" if base.startswith("https://github.com/") else ""
