"""Tasks that join, split and rename wheels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import DIST

if TYPE_CHECKING:
    from collections.abc import Sequence

    import invoke

    from tensorflow_macos_build.wheels.fuse.plan import FuseOptions
    from tensorflow_macos_build.wheels.retag import RetagOptions


@command(
    positional=["first", "second"],
    iterable=["rule"],
    help={
        "first": "A wheel for arm64 or x86_64.",
        "second": "The wheel for the other architecture; the order is of no account.",
        "out": "The folder to put the fused wheel in.",
        "as": "The project's name when the halves have different ones: `tensorflow` for TensorFlow"
        " 2.13 to 2.15, whose arm64 half is published as `tensorflow_macos` (the `tensorflow` wheel"
        " for arm64 is a stub that only requires it).",
        "build_tag": "A build tag such as 1: the fused wheel is then preferred to thin ones beside"
        " it, which otherwise tie with it. A config's is the default.",
        "universal2_tag": "Add a universal2 platform tag, which `pip download --platform"
        " macosx_N_0_universal2` needs. Its price: beside thin wheels in one index, newer Intel"
        " Macs then download the fused one.",
        "rule": "A verdict for files that differ, as GLOB=VERDICT: arm64, x86_64, either-side,"
        " by-architecture, both, identical, drop. May be repeated; the first that matches counts.",
        "config": "Take rules and tags from this config's `fuse` too, after the flags'.",
        "json": "Print one JSON document (schema fusion.v1).",
    },
)
def fuse(
    _context: invoke.Context,
    first: str,
    second: str,
    *,
    rule: list[str],
    out: str = DIST,
    as_: str = "",
    build_tag: str = "",
    universal2_tag: bool = False,
    config: str = "",
    json: bool = False,
) -> None:
    """Join an arm64 and an x86_64 wheel into one universal2 wheel."""
    from tensorflow_macos_build.views import fuse as fuse_view
    from tensorflow_macos_build.wheels.fuse.engine import fuse

    options = fuse_options(as_, build_tag, universal2_tag, rule, config)
    with Console().progress("fuse") as ticker:
        fused = fuse(Path(first), Path(second), Path(out), options, ticker)
    present(fuse_view.fused_document(fused), fuse_view.fused_lines(fused), json=json)


@command(
    positional=["wheel"],
    help={
        "wheel": "A wheel for both architectures.",
        "arch": "The architecture to take out: arm64 or x86_64.",
        "out": "The folder to put the thin wheel in.",
        "json": "Print one JSON document (schema thinned.v1).",
    },
)
def thin(
    _context: invoke.Context, wheel: str, *, arch: str = "", out: str = DIST, json: bool = False
) -> None:
    """Take one architecture out of a fused wheel."""
    from tensorflow_macos_build.views import fuse as fuse_view
    from tensorflow_macos_build.wheels.thin.engine import thin

    with Console().progress("thin") as ticker:
        thinned = thin(Path(wheel), arch, Path(out), ticker=ticker)
    present(fuse_view.thinned_document(thinned), fuse_view.thinned_lines(thinned), json=json)


@command(
    positional=["wheel"],
    iterable=["platform"],
    help={
        "wheel": "A wheel.",
        "out": "The folder to put the renamed wheel in.",
        "build_tag": "The build tag it gets; `none` takes it away.",
        "platform": "A platform tag it gets instead of its own; may be repeated.",
        "universal2_tag": "yes or no: whether it also has a universal2 platform tag.",
        "from_wheel": "Take the tags that WHEEL says, where the file name contradicts it.",
        "json": "Print one JSON document (schema retagged.v1).",
    },
)
def retag(
    _context: invoke.Context,
    wheel: str,
    *,
    platform: list[str],
    out: str = DIST,
    build_tag: str = "",
    universal2_tag: str = "",
    from_wheel: bool = False,
    json: bool = False,
) -> None:
    """Change a wheel's tags, in its name and WHEEL alike; without flags, WHEEL gets its name's.

    All else stays as it is.
    """
    from tensorflow_macos_build.views import fuse as fuse_view
    from tensorflow_macos_build.wheels.retag import retag

    options = retag_options(build_tag, platform, universal2_tag, from_wheel=from_wheel)
    retagged = retag(Path(wheel), Path(out), options)
    present(fuse_view.retagged_document(retagged), fuse_view.retagged_lines(retagged), json=json)


def fuse_options(
    alias: str, build_tag: str, universal2_tag: bool, rules: Sequence[str], config: str
) -> FuseOptions:
    """Return what the flags of `fuse` and a config ask for; a flag counts before the config.

    Raises:
        UsageError: the config is wrong, or a rule is.
    """
    from tensorflow_macos_build import config as configs
    from tensorflow_macos_build.wheels.fuse.plan import FuseOptions
    from tensorflow_macos_build.wheels.fuse.rules import parse_rule, rule

    stated = [parse_rule(text) for text in rules]
    if not config:
        return FuseOptions(alias or None, build_tag or None, universal2_tag, stated)
    configured = configs.load(config).release.fuse
    return FuseOptions(
        alias or None,
        build_tag or configured.build_tag,
        # A switch that is off was not given, and takes nothing back that the config says.
        universal2_tag or configured.universal2_tag,
        # the first rule that matches counts, so the flags' stand first
        stated + [rule(entry.path, entry.verdict) for entry in configured.rules],
    )


def retag_options(
    build_tag: str, platforms: Sequence[str], universal2_tag: str, *, from_wheel: bool = False
) -> RetagOptions:
    """Return what the flags of `retag` ask for.

    Raises:
        UsageError: one asks for neither yes nor no.
    """
    from tensorflow_macos_build.wheels.retag import RetagOptions

    # Three answers, where a switch has two: left out, the wheel keeps what it has.
    answers = {"": None, "yes": True, "no": False}
    if universal2_tag not in answers:
        raise UsageError(
            f"`--universal2-tag {universal2_tag}` is neither yes nor no", hint="say yes or no"
        )
    # A word takes the tag away, since an empty text is a flag that was not given.
    build = None if not build_tag else "" if build_tag == "none" else build_tag
    return RetagOptions(build, tuple(platforms) or None, answers[universal2_tag], from_wheel)
