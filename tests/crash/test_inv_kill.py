"""scripts/inv killed at any moment, and started twice at once."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
import uv

from tests import checkouts, processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.checkouts import Checkout

MOMENTS: dict[str, Callable[[Path], bool]] = {
    "before the environment": lambda root: (root / ".venv.d/lock").exists(),
    "in the bare environment": lambda root: any(root.glob(".venv.d/env-*/pyvenv.cfg")),
    "in the locked dependencies": lambda root: any(root.glob(".venv.d/env-*/lib/*/*/dependency*")),
    "in the package": lambda root: any(root.glob(".venv.d/env-*/lib/*/*/tensorflow_macos*")),
    "at the stamp": lambda root: any(root.glob(".venv.d/env-*/stamp")),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return checkouts.make(tmp_path)


@pytest.mark.parametrize(
    ("moment", "whole_tree"),
    [*((moment, True) for moment in MOMENTS), ("in the bare environment", False)],
)
def test_a_kill_at_any_moment_loses_nothing(
    checkout: Checkout, moment: str, whole_tree: bool
) -> None:
    with checkout.popen(start_new_session=True) as child:
        _wait(child, lambda: MOMENTS[moment](checkout.root))
        _kill(child, whole_tree=whole_tree)
        child.stdout.close()
        child.stderr.close()
    checkout.set_pip_aside()  # only what is left by the real one is of interest
    report = checkout.report()
    assert report["version"] == "1.0"
    assert checkout.environments == [
        checkout.root / ".venv.d" / (checkout.root / ".venv").readlink().name
    ]
    assert sorted(path.name for path in (checkout.root / ".venv.d").iterdir()) == [
        checkout.environments[0].name,
        "lock",
    ]


@pytest.mark.parametrize("whole_tree", [True, False])
def test_a_kill_while_uv_installs_loses_nothing(
    checkout: Checkout, tmp_path: Path, whole_tree: bool
) -> None:
    """A uv that leaves half a package, and is killed; the next one is the real one."""
    mark, half = tmp_path / "mark", "lib/python3*/site-packages"
    checkout.add_uv(
        b"#!/bin/sh\n"
        b"[ ! -e '%(mark)s' ] || exec '%(uv)s' \"$@\"\n"
        b'for folder in "${0%%/bin/uv}"/%(half)s; do\n'
        b'  mkdir() { /bin/mkdir "$@"; }; mkdir "$folder/dependency-1.0.dist-info"\n'
        b"done\n: >'%(mark)s'\nexec /bin/sleep 3\n"
        % {
            b"mark": bytes(mark),
            b"half": half.encode(),
            b"uv": os.fsencode(uv.find_uv_bin()),
        }
    )
    with checkout.popen(start_new_session=True) as child:
        _wait(child, mark.exists)
        _kill(child, whole_tree=whole_tree)
        child.stdout.close()
        child.stderr.close()
    assert checkout.report()["version"] == "1.0"
    assert checkout.installer() == "uv"
    assert len(checkout.environments) == 1


def test_a_kill_in_a_renewal_keeps_the_old_environment(checkout: Checkout) -> None:
    checkout.set_pip_aside()
    old = checkout.report()["prefix"]
    checkout.use_pip()
    checkout.lock("2.0")
    with checkout.popen(start_new_session=True) as child:
        _wait(child, lambda: len(checkout.environments) == 2)
        _kill(child, whole_tree=True)
        child.communicate()
    checkout.lock("1.0")
    checkout.started()
    assert checkout.report()["prefix"] == old
    assert sorted(checkout.started()) == ["cat", "cmp"]


def test_a_kill_while_a_group_is_added_keeps_the_environment_without_it(
    checkout: Checkout,
) -> None:
    checkout.lock("1.0", "lint")
    checkout.set_pip_aside()
    old = checkout.report()["prefix"]
    checkout.use_pip()
    with checkout.popen(start_new_session=True, env={"INV_GROUPS": "lint"}) as child:
        _wait(child, lambda: len(checkout.environments) == 2)
        _kill(child, whole_tree=True)
        child.communicate()
    assert checkout.report()["prefix"] == old
    checkout.set_pip_aside()
    assert checkout.report(env={"INV_GROUPS": "lint"})["groups"] == ["lint"]
    assert len(checkout.environments) == 1


def test_an_interrupt_is_130_without_a_traceback_and_loses_nothing(checkout: Checkout) -> None:
    with checkout.popen(start_new_session=True) as child:
        _wait(child, lambda: MOMENTS["in the bare environment"](checkout.root))
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=60)
    # A shell that is interrupted while it waits ends by the signal, which its caller sees as 130.
    assert child.returncode in {130, -signal.SIGINT}
    assert out == ""
    assert err.endswith("inv: interrupted; run the same command again to go on\n")
    assert "Traceback" not in err
    checkout.set_pip_aside()
    assert checkout.report()["version"] == "1.0"


def test_starts_at_once_set_up_once(checkout: Checkout) -> None:
    checkout.set_pip_aside()
    children = [checkout.popen(str(number)) for number in range(4)]
    ended = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0] * 4, ended
    assert sum("setting up" in err for _, err in ended) == 1
    assert len(checkout.environments) == 1


def _wait(child: Any, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert child.poll() is None, "it ended before the moment to kill it"
        assert time.monotonic() < deadline, "the moment to kill it never came"
        time.sleep(0.001)


def _kill(child: Any, *, whole_tree: bool) -> None:
    """Kill the shell and all under it, or only the shell and the Python that it waits for."""
    parents = processes.parents()
    below = [pid for pid, above in parents.items() if above == child.pid]
    tree = list(below)
    while whole_tree and below:
        below = [pid for pid, above in parents.items() if above in below]
        tree += below
    for pid in (child.pid, *tree):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
