"""What a change passes before it lands: the tasks lint, test and changelog."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.pipeline import tools
from tensorflow_macos_build.tasks.command import command

if TYPE_CHECKING:
    import invoke


@command(groups=("charts", "lint", "test"), needs=("shellcheck",))
def lint(_context: invoke.Context) -> None:
    """Run every linter on the checkout."""
    from tensorflow_macos_build.pipeline import checks

    with Console().progress("lint") as ticker:
        checks.lint(checkout.root(), ticker)


@command(
    name="test",
    groups=("charts", "demo", "lint", "test"),
    needs=tools.TEST_TOOLS,
    iterable=["path"],
    help={
        "path": "a test file or folder to run instead of all; can be given more than once",
        "jobs": "how many processes run tests side by side; 0: three for two processors",
        "lint": "run the linters first",
    },
)
def run_tests(
    _context: invoke.Context, path: list[str], jobs: int = 0, lint: bool = True
) -> ExitCode:
    """Run the linters, then the tests; pytest's summary comes last."""
    from tensorflow_macos_build.pipeline import checks

    if lint:
        with Console().progress("lint") as ticker:
            checks.lint(checkout.root(), ticker)
    passed = checks.tests_pass(checkout.root(), path, jobs, announce=Console().line)
    return ExitCode.DONE if passed else ExitCode.FAILED


@command(
    help={"release": "move the fragments into CHANGELOG.md under this version"},
)
def changelog(_context: invoke.Context, release: str = "") -> None:
    """Show what the next release brings, from the fragments in docs/changes."""
    from tensorflow_macos_build.release import changelog as changes

    if release:
        sys.stdout.write(changes.release(checkout.root(), release))
    else:
        sys.stdout.write(changes.section("Unreleased", changes.load(checkout.root())))
