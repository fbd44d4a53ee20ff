"""The programs of a smoke test before it is made: words stand for what has no name yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.command_line import CommandLine
from tensorflow_macos_build.smoke import environment, zygote

if TYPE_CHECKING:
    from tensorflow_macos_build.smoke.targets import SmokeTarget

WHEEL = "<the wheel>"

FOLDER = Path("<a new folder>")
"""A temporary one, which is deleted at the end."""


def commands(
    target: SmokeTarget, label: str, python: str, uv: str, cwd: Path
) -> dict[str, CommandLine]:
    """Return the programs that try a wheel on one processor, by what each is for.

    The last one runs all checks; on a Mac each check is a process of its own, of the same program.

    Args:
        target: the processor.
        label: what tells these programs from those of another wheel or processor.
        python: the Python to try it with.
        uv: the program that makes the environment.
        cwd: the folder that the first two run in, which decides nothing.
    """
    made, runs = FOLDER / "env", FOLDER / "runs"
    what = ["--constraints", str(environment.pins_file(made)), WHEEL]
    venv, install = environment.commands_for(what, target, python, made, uv)
    checks = [*zygote.program_argv(target.prefix, made / "bin/python"), zygote.SPECIFICATION]
    checks[-1] = str(runs / checks[-1])
    return {
        f"environment {label}": CommandLine(tuple(venv), cwd, environment.variables()),
        f"install {label}": CommandLine(tuple(install), cwd, environment.variables()),
        f"checks {label}": CommandLine(tuple(checks), runs, zygote.variables(runs)),
    }
