"""What a patch is upstream, by its message: the commits and pull requests that it names as its own.

Only a line that holds nothing else names one: `(cherry picked from commit ID)`, as
git-cherry-pick(1) writes it, or `Upstream:` with ids or links of commits and pull requests;
`Pull-Head:` with a full id, as a pick has it, is the head of a pull request taken whole. An
issue, a commit that a sentence speaks of and a `#7` in a subject are mentions: they prove nothing,
and may help a person. Of a patch with `Reason: fork-only` all is a mention.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from tensorflow_macos_build.patchqueue.formats import trailers

_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{7,64})\)\s*", re.IGNORECASE)
_HEAD = re.compile(r"Pull-Head:\s*([0-9a-f]{40})", re.IGNORECASE)
_UPSTREAM = re.compile(r"Upstream:(.*)", re.IGNORECASE)
_COMMIT = re.compile(r"(?:https?://\S+/commits?/)?([0-9a-f]{7,64})", re.IGNORECASE)
_PULL_REQUEST = re.compile(r"(https?://\S+?)/(?:-/)?(?:pull|merge_requests)/([0-9]+)|#([0-9]+)")
_NUMBER = re.compile(r"/(?:pull|issues|merge_requests)/([0-9]+)\b|#([0-9]+)\b")
_ID = re.compile(r"\b[0-9a-f]{7,64}\b")  # git shortens an id to 7 digits at least by default
_IN_SUBJECT = re.compile(r"^PR #[0-9]+:\s*|\s*\(#[0-9]+\)$|^\[[^\]]*\]\s*")
_KEYS = r"(?:Imported from(?: GitHub PR)?|PR-URL:|Pull[- ]Request:|COPYBARA_INTEGRATE_REVIEW=)"
_REVERTS = re.compile(rb"^This reverts commit ([0-9a-f]{7,64})\b", re.MULTILINE)

_MAY_BE_REQUEST = re.compile(rb"[#!/]([0-9]+)")  # `#7`, GitLab's `!7`, the end of a link


class PullRequest(NamedTuple):
    """A pull request: its project's address ("" when only a number is named), and its number."""

    project: str
    number: str


class Mentions(NamedTuple):
    """The ids of commits, perhaps short, and the numbers of issues and pull requests."""

    commits: frozenset[str]
    numbers: frozenset[str]


@dataclass(frozen=True)
class Origins:
    """The commits, by full or short id, and the pull requests that a message names.

    Attributes:
        commits: see above.
        pull_requests: see above.
        heads: the full ids of the heads of pull requests that are taken whole; where upstream has
            one in its history, it has all of the request, by whatever name it was merged.
    """

    commits: tuple[str, ...] = ()
    pull_requests: tuple[PullRequest, ...] = ()
    heads: tuple[str, ...] = ()


def named_in(message: str) -> Origins:
    """Return what a patch's message names as its own."""
    if (trailers.value(trailers.parse(message), "Reason") or "").lower() == "fork-only":
        return Origins()
    commits: list[str] = []
    requests: list[PullRequest] = []
    heads: list[str] = []
    for line in message.splitlines():
        if picked := _PICKED.fullmatch(line.strip()):
            commits.append(picked[1])
        elif head := _HEAD.fullmatch(line.strip()):
            heads.append(head[1])
        elif named := _UPSTREAM.fullmatch(line.strip()):
            its_commits, its_requests = _names(named[1])
            commits += its_commits
            requests += its_requests
    return Origins(
        tuple(dict.fromkeys(commits)), tuple(dict.fromkeys(requests)), tuple(dict.fromkeys(heads))
    )


def _names(value: str) -> tuple[list[str], list[PullRequest]]:
    """Return the commits and pull requests of a value; none when it says anything else, too."""
    words = [word for word in re.split(r"[,\s]+", value) if word]
    commits = [match[1] for word in words if (match := _COMMIT.fullmatch(word))]
    requests = [
        PullRequest(match[1] or "", match[2] or match[3])
        for word in words
        if (match := _PULL_REQUEST.fullmatch(word))
    ]
    return (commits, requests) if len(commits) + len(requests) == len(words) else ([], [])


def mentioned_in(message: str) -> Mentions:
    """Return what a patch's subject and its `Upstream:` lines speak of, in whatever words."""
    lines = message.splitlines()
    matches = (_UPSTREAM.fullmatch(line.strip()) for line in lines)
    spoken = "\n".join([*lines[:1], *(match[1] for match in matches if match)])
    return Mentions(frozenset(_ID.findall(spoken)), numbers_in(spoken))


def numbers_in(words: str) -> frozenset[str]:
    """Return the numbers of the issues and pull requests that words speak of."""
    return frozenset(number for pair in _NUMBER.findall(words) for number in pair if number)


def requests_in(message: bytes) -> frozenset[str]:
    """Return the numbers in a commit's message that may be those of pull requests.

    Whatever request `comes_from` sees in a message, its number is one of these.
    """
    return frozenset(number.decode() for number in _MAY_BE_REQUEST.findall(message))


def comes_from(message: bytes, request: PullRequest, project: str) -> bool:
    """Whether a commit of upstream says that it is what became of a pull request.

    The forms are GitHub's (`Subject (#7)` of a squash, `Merge pull request #7 from`), Copybara's
    (`PR #7: Subject`, `COPYBARA_INTEGRATE_REVIEW=LINK`), node's (`PR-URL: LINK`) and GitLab's (`See
    merge request group/project!7`). A number alone is one of upstream's own project.

    Args:
        message: the commit's.
        request: the pull request.
        project: upstream's address; "" when it is not known.
    """
    number = request.number
    forms = []
    # Without a link a number is upstream's own: forks and mirrors count from 1, too.
    if request.project in ("", project) or not project:
        forms += [
            # The number in `Revert … (#7)` may be that of what is taken back.
            rf"\A(?!Revert\b)[^\n]*\(#{number}\)\s*$",
            rf"\A(?:PR|Merge pull request) #{number}\b",
            rf"^See merge request \S*!{number}$",
        ]
    if request.project:
        link = rf"{re.escape(request.project)}/(?:-/)?(?:pull|merge_requests)/{number}(?![0-9])"
        forms.append(rf"^{_KEYS}\s*{link}")
    return any(re.search(form.encode(), message, re.MULTILINE) for form in forms)


def subject_of(subject: str) -> str:
    """Return a subject without tags, numbers and case: what two forms of one change share."""
    before = ""
    while before != subject:  # tags and numbers may stand one behind the other
        before, subject = subject, _IN_SUBJECT.sub("", subject.strip())
    return " ".join(subject.casefold().split())


def reverted_by(message: bytes) -> tuple[str, ...]:
    """Return the ids of the commits that a commit says it reverts."""
    return tuple(oid.decode() for oid in _REVERTS.findall(message))
