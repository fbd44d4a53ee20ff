"""How a fusion is asked for and shown: options of flags and configs, a summary, a document."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.wheels.plan import FuseOptions
from tensorflow_macos_build.wheels.rules import parse_rule, rule
from tensorflow_macos_build.wheels.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.wheels.fuse import Fused

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
    """Give the fusion as a document of schema fusion.v1."""
    body = {
        "wheel": str(fused.wheel),
        "sha256": fused.sha256,
        "files": {verdict.value: list(paths) for verdict, paths in fused.files.items()},
        "notes": list(fused.notes),
    }
    return documents.document("fusion", 1, body)


def show(fused: Fused) -> None:
    """Print what became of the files, for people, to standard output."""
    lines = [str(fused.wheel), f"sha256 {fused.sha256}"]
    for verdict, paths in fused.files.items():
        if not paths:
            continue
        lines.append(f"{len(paths):7} {verdict.value}")
        if verdict not in (Verdict.IDENTICAL, Verdict.UNIVERSAL, Verdict.WRITTEN):
            lines += [f"          {path}" for path in paths[:_SHOWN]]
            lines += [f"          … and {len(paths) - _SHOWN} more"] if len(paths) > _SHOWN else []
    lines += [f"note: {note}" for note in fused.notes]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
