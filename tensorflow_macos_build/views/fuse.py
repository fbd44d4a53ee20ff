"""How fuse, thin and retag are asked for and shown: options of flags, summaries, documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks.command import print_lines
from tensorflow_macos_build.wheels.fuse.plan import FuseOptions
from tensorflow_macos_build.wheels.fuse.rules import parse_rule, rule
from tensorflow_macos_build.wheels.fuse.verdicts import Verdict
from tensorflow_macos_build.wheels.retag import RetagOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.wheels.fuse.engine import Fused
    from tensorflow_macos_build.wheels.retag import Retagged
    from tensorflow_macos_build.wheels.thin import Thinned

_SHOWN = 12


def options(
    alias: str, build_tag: str, universal2_tag: bool, rules: Sequence[str], config: str
) -> FuseOptions:
    """Put together what the flags and the config ask for; a flag counts before the config.

    Raises:
        UsageError: the config is wrong, or a rule is.
    """
    from tensorflow_macos_build import config as configs

    stated = [parse_rule(text) for text in rules]
    if not config:
        return FuseOptions(alias or None, build_tag or None, universal2_tag, stated)
    found = configs.load(config).release.fuse
    return FuseOptions(
        alias or None,
        build_tag or found.build_tag,
        universal2_tag or found.universal2_tag,
        stated + [rule(one.path, one.verdict) for one in found.rules],
    )


def as_document(fused: Fused) -> documents.Json:
    """Return the fusion as a document of schema fusion.v1."""
    body = {
        "wheel": str(fused.wheel),
        "sha256": fused.sha256,
        "files": {verdict.value: list(paths) for verdict, paths in fused.files.items()},
        "notes": list(fused.notes),
    }
    return documents.document("fusion", 1, body)


def show(fused: Fused) -> None:
    """Print what became of the files, for people, to standard output."""
    lines = _file(fused)
    for verdict, paths in fused.files.items():
        if not paths:
            continue
        lines.append(f"{len(paths):7} {verdict.value}")
        if verdict not in (Verdict.IDENTICAL, Verdict.UNIVERSAL, Verdict.WRITTEN):
            lines += [f"          {path}" for path in paths[:_SHOWN]]
            lines += [f"          … and {len(paths) - _SHOWN} more"] if len(paths) > _SHOWN else []
    lines += [f"note: {note}" for note in fused.notes]
    print_lines(lines)


def retag_options(
    build_tag: str, platforms: Sequence[str], universal2_tag: str, *, from_wheel: bool = False
) -> RetagOptions:
    """Put together what the flags of retag ask for.

    Raises:
        UsageError: one asks for neither yes nor no.
    """
    answers = {"": None, "yes": True, "no": False}
    if universal2_tag not in answers:
        raise UsageError(
            f"`--universal2-tag {universal2_tag}` is neither yes nor no", hint="say yes or no"
        )
    build = None if not build_tag else "" if build_tag == "none" else build_tag
    return RetagOptions(build, tuple(platforms) or None, answers[universal2_tag], from_wheel)


def thinned(found: Thinned) -> documents.Json:
    """Return the thin wheel as a document of schema thinned.v1."""
    body = {
        "wheel": str(found.wheel),
        "sha256": found.sha256,
        "slices": {"copied": found.copied, "deflated": found.deflated},
        "left_out": list(found.left_out),
    }
    return documents.document("thinned", 1, body)


def show_thinned(found: Thinned) -> None:
    """Print what became of the slices, for people, to standard output."""
    lines = [
        *_file(found),
        f"{found.copied:7} slices copied, {found.deflated} deflated anew",
        f"{len(found.left_out):7} files of the other architecture left out",
    ]
    print_lines(lines)


def retagged(found: Retagged) -> documents.Json:
    """Return the renamed wheel as a document of schema retagged.v1."""
    body = {"wheel": str(found.wheel), "sha256": found.sha256}
    return documents.document("retagged", 1, body)


def show_retagged(found: Retagged) -> None:
    """Print where the renamed wheel is, for people, to standard output."""
    print_lines(_file(found))


def _file(found: Fused | Thinned | Retagged) -> list[str]:
    return [str(found.wheel), f"sha256 {found.sha256}"]
