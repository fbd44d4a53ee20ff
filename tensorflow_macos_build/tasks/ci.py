"""`scripts/inv ci.generate`: the workflows that GitHub Actions runs, made from ci/."""

from __future__ import annotations

import invoke

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, print_parts
from tensorflow_macos_build.views.lines import Line


@command(
    help={"check": "write nothing; end with 1 when a workflow is not as ci/ says"},
)
def generate(_context: invoke.Context, check: bool = False) -> ExitCode:
    """Make .github/workflows from the sources in ci/."""
    from tensorflow_macos_build.pipeline import checks
    from tensorflow_macos_build.release import workflows

    texts = checks.workflow_texts(checkout.root())
    act = workflows.stale if check else workflows.generate
    changed = act(checkout.root(), texts)
    print_parts(Line(f"{'stale' if check else 'made'}: {path}") for path in changed)
    return ExitCode.FAILED if check and changed else ExitCode.DONE


namespace = invoke.Collection("ci", generate)
