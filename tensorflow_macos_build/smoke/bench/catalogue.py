"""The workloads that there are, by name."""

from __future__ import annotations

import difflib

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke.inside.bench import sizes


def chosen_workloads(names: str) -> tuple[str, ...]:
    """Return the workloads of a list with commas, in the report's order; all for "".

    Raises:
        UsageError: there is no workload of a name.
    """
    known = sizes.names()
    wanted = [name.strip() for name in names.split(",")] if names else known
    for name in wanted:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean `{nearest[0]}`?" if nearest else f"there are {', '.join(known)}"
            raise UsageError(f"there is no workload `{name}`", hint=hint)
    return tuple(name for name in known if name in wanted)
