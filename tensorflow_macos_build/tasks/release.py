"""Tasks that prepare a release, publish it, and check one that was published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import invoke

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode, UsageError
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.config import SET_HELP, overrides
from tensorflow_macos_build.tasks.folders import RELEASES

if TYPE_CHECKING:
    from collections.abc import Iterable


@command(
    needs=("git",),
    iterable=["set_", "smoke", "attach", "waive"],
    help={
        "config": "A config under build_configs/, or the path of one; it is built.",
        "set_": SET_HELP,
        "tag": "The tag to publish it under; by default `v` and the wheel's version.",
        "since": "The queue at the release before, for the notes: a folder of patches/, a path, or"
        " REVISION:PATH of this checkout's own history.",
        "smoke": "A document of `smoke --json` of this very wheel, made elsewhere; may be"
        " repeated.",
        "attach": "A further file to publish, such as a benchmark's report; may be repeated.",
        "waive": "A gate that may fail, as GATE=REASON; the reason is published. May be repeated.",
        "out": "The folder for releases; this one gets a folder there, named after its tag.",
        "plan": "Judge all gates and show what would be written, and write nothing.",
        "json": "Print one JSON document (schema release.v1).",
    },
)
def prepare(
    _context: invoke.Context,
    *,
    set_: list[str],
    smoke: list[str],
    attach: list[str],
    waive: list[str],
    config: str = "demo",
    tag: str = "",
    since: str = "",
    out: str = RELEASES,
    plan: bool = False,
    json: bool = False,
) -> ExitCode:
    """Gather a release: wheels, bill of materials, provenance, notes, checksums; check it first."""
    from tensorflow_macos_build.config import load
    from tensorflow_macos_build.pipeline.releasing import prepare as room
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.views import release as view

    request = room.PrepareRequest(
        workspace=Workspace(load(config, overrides(set_))),
        out=Path(out),
        tag=tag,
        since=since,
        smoke=tuple(map(Path, smoke)),
        attached=tuple(map(Path, attach)),
        waived=waivers(waive),
    )
    with Console().progress("prepare") as ticker:
        prepared = room.plan(request, ticker)
    if not plan:
        room.write(prepared)
    parts = view.prepared_parts(prepared, planned=plan)
    present(view.prepared_document(prepared), parts, json=json)
    return ExitCode.FAILED if prepared.failed else ExitCode.DONE


@command(
    positional=["folder"],
    help={
        "folder": "The folder of a release, as `release.prepare` has made it.",
        "to": "Where to: github:OWNER/NAME, s3://BUCKET/PREFIX, index:URL, or a folder's path.",
        "api": "The address of GitHub's API; by default $GITHUB_API_URL, else github.com's.",
        "target": "The commit that gets the tag; by default the one it was prepared at.",
        "endpoint": "The address of an S3-compatible server; by default $AWS_ENDPOINT_URL, else"
        " Amazon's.",
        "simple": "The address of an index's pages; by default simple/ below the upload address.",
        "uploader": "What uploads to an index: uv or twine.",
        "patience": "Seconds that a server may ask to wait; for more, the task ends with 75.",
        "plan": "Show what would be done, in order, and change nothing.",
        "json": "Print one JSON document (schema release-publish.v1).",
    },
)
def publish(
    _context: invoke.Context,
    folder: str,
    *,
    to: str,
    api: str = "",
    target: str = "",
    endpoint: str = "",
    simple: str = "",
    uploader: str = "uv",
    patience: float = 900.0,
    plan: bool = False,
    json: bool = False,
) -> None:
    """Publish a prepared release, all of it or nothing; run again, it goes on where it was."""
    from tensorflow_macos_build.release import prepared
    from tensorflow_macos_build.release.publishing import destinations
    from tensorflow_macos_build.views import release as view

    destination, console = destinations.of(to), Console()
    release = prepared.read(Path(folder))
    request = destinations.PublishRequest(
        release, to, api, target, endpoint, simple, uploader, patience
    )
    if plan:
        planned = destination.plan(request)
    else:
        with console.progress("publish") as ticker:
            planned = destination.publish(request, ticker, console.line)
    present(view.publish_document(planned), view.publish_parts(planned), json=json)


@command(
    positional=["release"],
    help={
        "release": "A release: its folder, the address of one, its page on GitHub, or a tag there.",
        "repository": "The repository of a tag, OWNER/NAME.",
        "api": "The address of GitHub's API; by default $GITHUB_API_URL, else github.com's.",
        "index": "A package index that offers its wheels: the address, or a static one's folder.",
        "identity": "Who must have signed its attestations, as their certificate names them.",
        "issuer": "Who vouches for that identity; by default GitHub Actions.",
        "signed": "Take a wheel without a proven signature for broken.",
        "offline": "Take Sigstore's keys as its package has them, and fetch none.",
        "into": "The folder to keep what is fetched in; by default it is deleted.",
        "rebuild": "Build the wheel again from what is recorded, and compare the bytes.",
        "json": "Print one JSON document (schema release-check.v1).",
    },
)
def verify(
    _context: invoke.Context,
    release: str,
    *,
    repository: str = "",
    api: str = "",
    index: str = "",
    identity: str = "",
    issuer: str = "",
    signed: bool = False,
    offline: bool = False,
    into: str = "",
    rebuild: bool = False,
    json: bool = False,
) -> ExitCode:
    """Look at a published release: checksums, wheels, provenance, attestations, index."""
    from tensorflow_macos_build.pipeline.releasing import check, published
    from tensorflow_macos_build.tasks.reporter import TerminalReporter
    from tensorflow_macos_build.views import release as view

    console = Console()
    request = published.CheckRequest(
        published.address(release, repository, api),
        check.TrustedSigner(identity, issuer or check.ISSUER, signed, offline),
        index,
        Path(into) if into else None,
        TerminalReporter(console) if rebuild else None,
    )
    checked = published.look(request, console.progress)
    present(view.checked_document(checked), view.checked_parts(checked), json=json)
    return ExitCode.DONE if checked.ok else ExitCode.FAILED


def waivers(pairs: Iterable[str]) -> dict[str, str]:
    """Read the values of repeated `--waive GATE=REASON` flags.

    Raises:
        UsageError: one has no reason.
    """
    split = [pair.partition("=") for pair in pairs]
    if wrong := [gate for gate, _, reason in split if not reason.strip()]:
        raise UsageError(
            f"`--waive {wrong[0]}` has no reason", hint=f"e.g. --waive '{wrong[0]}=no Mac is free'"
        )
    return {gate: reason.strip() for gate, _, reason in split}


namespace = invoke.Collection("release", prepare, publish, verify)
