"""A plan's programs that ask upstream's server are those that are run."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.upstream import mirror
from tests import started_programs
from tests.git_servers import http_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.upstream.conftest import Upstream


def test_the_programs_of_a_plan_are_those_that_ask_the_server(
    upstream: Upstream, tmp_path: Path
) -> None:
    with http_server(upstream.root) as (base, _):
        url = f"{base}/up.git"
        for act in (
            lambda: mirror.open(url, tmp_path),
            lambda: mirror.open(url, tmp_path).refresh(),
        ):
            (line,) = mirror.planned(url, tmp_path, tmp_path).values()
            program, *words = _fetch_of(act)
            own = words[words.index("--git-dir") + 1]
            assert words == [word.replace("<a new folder>", own) for word in line.argv[1:]]
            assert Path(program).name == line.argv[0]
            if Path(own).is_dir():  # not that of a clone, which is another one when it is in place
                subprocess.run(["/bin/sh", "-c", line.typed()], check=True, capture_output=True)
    assert mirror.planned("embedded:", tmp_path, tmp_path) == {}


def _fetch_of(act: Callable[[], object]) -> list[str]:
    """Return the words of the one fetch that something runs."""
    with started_programs.listening() as programs:
        act()
    (fetch,) = [program.argv for program in programs if "fetch" in program.argv]
    return fetch
