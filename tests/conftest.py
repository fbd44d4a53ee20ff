"""What holds for every test: guards, one place for tools, and the rule that CI skips nothing."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tensorflow_macos_build.pipeline import tools
from tensorflow_macos_build.upstream import embedded
from tests import programs, projects, tensorflow_env
from tests.installers import Pip
from tests.machos import Toolchain
from tests.miniature import Miniature

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

ON_CI = os.environ.get("CI") == "true"

hypothesis.settings.register_profile(
    "bounded", derandomize=True, deadline=None, max_examples=60, database=None
)
hypothesis.settings.load_profile("bounded")

sys.addaudithook(programs.refuse_unknown)

# `git bisect run` and git's hooks set GIT_DIR: tests would make their commits in that repository.
for _name in [name for name in os.environ if name.startswith("GIT_")]:
    del os.environ[_name]

# A shell ignores SIGINT for jobs in the background, and programs inherit that; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure on CI, which has every tool."""
    report = yield
    if ON_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI skips nothing: {report.longrepr}"
    return report


@pytest.fixture(autouse=True, scope="session")
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests from reading or writing the files of whoever runs them."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True, scope="session")
def _quick_servers() -> Iterator[None]:
    """Let all of Bazel's servers start as `projects.QUICK_SERVERS` says."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in projects.QUICK_SERVERS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave this machine, from the test's own process."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            pytest.fail(f"a test connects to {address}; servers are on 127.0.0.1 only")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def tool() -> Callable[[str], Path]:
    """Return the path of a tool by its name in `pipeline.tools.TOOLS`; skip when it is not here."""

    def path_of(name: str) -> Path:
        path = tools.locate(name)
        if path is None:
            pytest.skip(f"{name} is missing; {tools.install_line([name])}")
        return path

    return path_of


@pytest.fixture(scope="session")
def llvm_lipo(tool: Callable[[str], Path]) -> Path:
    """LLVM's lipo, an independent judge of universal files."""
    return tool("llvm-lipo")


@pytest.fixture(scope="session")
def llvm_otool(tool: Callable[[str], Path]) -> Path:
    """LLVM's otool, an independent reader of load commands."""
    return tool("llvm-otool")


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    """A maker of real Mach-O files, with a folder of its own."""
    folder: Path = tmp_path_factory.mktemp("machos")
    return Toolchain(folder)


@pytest.fixture(scope="session")
def real_tensorflow() -> Path:
    """The interpreter of an environment with `tensorflow_env.RELEASE`, which no test changes."""
    return tensorflow_env.python()


@pytest.fixture(scope="session")
def pip() -> Iterator[Pip]:
    """pip, whose start is paid once."""
    with Pip() as running:
        yield running


@pytest.fixture(scope="session")
def miniature(
    tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], Path]
) -> Iterator[Miniature]:
    """The embedded upstream, and wheels of it: `miniature.wheel("v2.17.0", "arm64")`.

    A wheel takes about five seconds the first time and nothing afterwards. Workers of pytest-xdist
    share the folder; the one that ends last leaves no server behind.
    """
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    repository = shared / "miniature"
    made = Miniature(embedded.create(repository / "upstream.git"), tool("bazel"), repository)
    yield made
    made.shut_down()


@pytest.fixture(scope="session")
def built_project(
    tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], Path]
) -> projects.Project:
    """A project whose demo is built, one for all test processes; it must not be changed."""
    tool("bazel")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return projects.built(shared / "built")
