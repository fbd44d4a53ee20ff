"""The flags before the first task: those of invoke's own that mean something here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import invoke
from invoke.parser import ParserContext

from tensorflow_macos_build.tasks.command import Argument

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEPT = frozenset(
    {"complete", "help", "list", "list-depth", "list-format", "print-completion-script", "version"}
)
"""The others are about commands that a task hands to a shell; no task here does, and so `--dry`
would build all the same."""


def kept(flags: Iterable[invoke.Argument]) -> list[invoke.Argument]:
    """Return those of invoke's flags that this program has."""
    return [Argument.of(flag) for flag in flags if flag.names[0] in _KEPT]


def context() -> ParserContext:
    """Return what stands before the first task, as invoke's parser has it."""
    return ParserContext(args=kept(invoke.Program().core_args()))
