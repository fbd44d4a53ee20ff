"""Tasks about build_configs: what is in effect, and what may be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import invoke

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks.command import command, emit, present

if TYPE_CHECKING:
    from collections.abc import Iterable

SET_HELP = "Lay a value over the config, as KEY=VALUE with a dotted key; may be repeated."


def overrides(pairs: Iterable[str]) -> dict[str, str]:
    """Read the values of repeated `--set KEY=VALUE` flags.

    Raises:
        UsageError: one has no `=`.
    """
    split = [pair.partition("=") for pair in pairs]
    wrong = [key for key, equals, _ in split if not equals or not key]
    if wrong:
        raise UsageError(f"`--set {wrong[0]}` must be KEY=VALUE", hint="e.g. --set bazel.jobs=2")
    return {key: value for key, _, value in split}


@command(
    # A parameter `set_` is the flag --set: invoke strips underscores (`translate_underscores`).
    positional=["name"],
    iterable=["set_"],
    help={
        "name": "A config under build_configs/, or the path of one.",
        "set_": SET_HELP,
        "json": "Print one JSON document (schema config.v1).",
    },
)
def show(_context: invoke.Context, name: str, set_: list[str], json: bool = False) -> None:
    """Print a config as it is in effect, and where each value comes from."""
    from tensorflow_macos_build import config
    from tensorflow_macos_build.views import config as config_view

    loaded = config.load(name, overrides(set_))
    present(config_view.as_document(loaded), config_view.yaml_lines(loaded), json=json)


@command()
def schema(_context: invoke.Context) -> None:
    """Print the JSON Schema of config files, as kept in build_configs/schema.json."""
    from tensorflow_macos_build import config

    emit(config.schema())


namespace = invoke.Collection("config", show, schema)
