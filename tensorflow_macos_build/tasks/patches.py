"""Tasks about the queue of patches: in, out, and changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import invoke

from tensorflow_macos_build import checkout
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks import edit, flag_help, forecast, picks, queue_list, review
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import MIRRORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.patchqueue.exchange.exporting import ExportForm
    from tensorflow_macos_build.patchqueue.exchange.importing import ImportSource, MergingRange
    from tensorflow_macos_build.patchqueue.queue.metadata import Metadata

_JSON = "Print one JSON document (schema {}) and nothing else on standard output."


@command(
    needs=("git",),
    name="import",
    help={
        "queue": flag_help.QUEUE,
        "range": "Commits, as A..B: those that B has on top of A.",
        "first_parent": "A range's B merged upstream, whose history A has: a patch a commit of the "
        "fork's line, on the newest upstream that it has; merges of upstream are taken out.",
        "by_topic": "Likewise, but its net change, a patch a topic: a number of levels of folders, "
        "or a YAML file of patterns by a topic's name.",
        "folder": "A folder of mailbox patches, in order of their names or of a `series` there.",
        "quilt": "A quilt series file.",
        "diff": "One patch file of any form.",
        "tree": "A source tree without history; needs --against.",
        "upstream": "The repository that has the base: a path, an address, or `embedded:`.",
        "against": "The tag, branch or commit that the patches apply to; a range's is its A.",
        "author": "Who a tree's change is by, as `Name <address>`.",
        **{key: edit.TRAILERS[key] for key in ("reason", "drop_when", "owner")},
        "replace": "Replace an existing queue; patches of the same subject keep their files.",
        "cache": flag_help.CACHE,
        "json": _JSON.format("patches-import.v1"),
    },
)
def import_(
    _context: invoke.Context,
    *,
    queue: str,
    upstream: str,
    # A flag is called as its parameter is, also where Python has a function of that name.
    range: str = "",
    folder: str = "",
    quilt: str = "",
    diff: str = "",
    tree: str = "",
    first_parent: bool = False,
    by_topic: str = "",
    against: str = "",
    author: str = "",
    reason: str = "",
    drop_when: str = "",
    owner: str = "",
    replace: bool = False,
    cache: str = MIRRORS,
    json: bool = False,
) -> None:
    """Make a queue of a fork's changes: commits, patch files, a quilt series, a source tree."""
    import dataclasses

    from tensorflow_macos_build.patchqueue.exchange import importing
    from tensorflow_macos_build.patchqueue.queue import locate
    from tensorflow_macos_build.patchqueue.queue.metadata import Metadata
    from tensorflow_macos_build.views import exchange as view

    sources = {"range": range, "folder": folder, "quilt": quilt, "diff": diff, "tree": tree}
    metadata = Metadata(reason, drop_when, owner)
    source, target = import_source(sources, upstream, against, author, metadata), locate.new(queue)
    merging = merging_range(source.kind.value, by_topic, first_parent=first_parent)
    source = dataclasses.replace(source, merging=merging)
    with Console().progress("import") as ticker:
        done = importing.import_changes(
            source, target, Path(cache), ticker, replace=replace, waiting=Console().line
        )
    present(view.imported_document(*done), view.imported_lines(*done), json=json)


@command(
    needs=("git",),
    help={
        "queue": flag_help.QUEUE,
        "to": "`branch`, `mailbox` or `quilt`.",
        "out": "The mailbox file, or the folder of the quilt series.",
        "repository": "The repository that gets the branch; it must have the queue's base.",
        "branch": "The branch's name; the queue's name by default.",
        "force": "Replace a branch, a file or a quilt series that holds something else.",
        "cache": flag_help.CACHE,
        "json": _JSON.format("patches-export.v1"),
    },
)
def export(
    _context: invoke.Context,
    *,
    queue: str,
    to: str,
    out: str = "",
    repository: str = "",
    branch: str = "",
    force: bool = False,
    cache: str = MIRRORS,
    json: bool = False,
) -> None:
    """Write a queue as a branch of commits, one mailbox, or a quilt series."""
    from tensorflow_macos_build.patchqueue.exchange import exporting
    from tensorflow_macos_build.patchqueue.queue.locate import queue_folder
    from tensorflow_macos_build.views import exchange as view

    form = parse_form(to, out, repository)
    target = repository if form is exporting.ExportForm.BRANCH else out
    request = exporting.ExportRequest(
        queue_folder(queue), form, target, Path(cache), branch, force=force
    )
    with Console().progress("export") as ticker:
        exported = exporting.export(request, ticker)
    present(view.exported_document(exported), view.exported_lines(exported), json=json)


def parse_form(to: str, out: str, repository: str) -> ExportForm:
    """Read `--to`, and check the flags that depend on it.

    Raises:
        UsageError: the form is unknown, or the flag is missing that says where it goes.
    """
    from tensorflow_macos_build.patchqueue.exchange.exporting import ExportForm

    forms = {form.value: form for form in ExportForm}
    if to not in forms:
        raise UsageError(f"--to takes {', '.join(forms)}, not `{to}`")
    if to == "branch" and not repository:
        raise UsageError("--to branch needs --repository, where the branch is made")
    if to != "branch" and not out:
        raise UsageError(f"--to {to} needs --out, where it is written")
    return forms[to]


def import_source(
    sources: Mapping[str, str], upstream: str, against: str, author: str, metadata: Metadata
) -> ImportSource:
    """Return the one source that the flags of `patches.import` name.

    Raises:
        UsageError: they name none, or several, or say not what it applies to; the author has no
            address.
    """
    from tensorflow_macos_build.patchqueue.exchange import importing
    from tensorflow_macos_build.patchqueue.formats.people import parse_identity

    named = [(kind, value) for kind, value in sources.items() if value]
    if len(named) != 1:
        flags = ", ".join(f"--{kind}" for kind in sources)
        raise UsageError(f"give one of {flags}; {len(named)} were given")
    kind, source = importing.SourceKind(named[0][0]), named[0][1]
    if kind is importing.SourceKind.RANGE:  # a range names what it applies to itself
        against = against or importing.ends(source)[0]
    if not against:
        raise UsageError(f"--{kind.value} needs --against, the release that it applies to")
    identity = parse_identity(author) if author else None
    if identity is not None and not identity.email:
        raise UsageError(f"--author `{author}` has no address", hint="write `Name <address>`")
    # `recorded`: queue.yaml keeps the upstream, and is not read where the path was typed.
    return importing.ImportSource(
        kind, source, checkout.recorded(upstream), against, identity, metadata
    )


def merging_range(kind: str, by_topic: str, *, first_parent: bool) -> MergingRange | None:
    """Return how a fork that merged upstream is taken; None where nothing asks for that.

    Raises:
        UsageError: both ways are asked for, or the source is no range; the topics are wrong.
    """
    from tensorflow_macos_build.patchqueue.exchange import topics
    from tensorflow_macos_build.patchqueue.exchange.importing import MergingRange

    if not by_topic and not first_parent:
        return None
    if by_topic and first_parent:
        raise UsageError("give one of --first-parent and --by-topic")
    if kind != "range":
        raise UsageError(f"--first-parent and --by-topic go with --range, not with --{kind}")
    if not by_topic:
        return MergingRange()
    if by_topic.isdecimal() and len(by_topic) < 4:
        return MergingRange(topics.by_folder(int(by_topic)))
    return MergingRange(topics.read_file(Path(by_topic)))


_REVIEW = (review.lint, review.report, review.looked_at, review.hunks, forecast.forecast)

namespace = invoke.Collection(
    "patches", import_, export, queue_list.list_, *_REVIEW, *edit.TASKS, *picks.TASKS
)
