"""Real Bazel and a cache on 127.0.0.1: hits, deaths, credentials; no build fails by its cache."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import bazel, process
from tensorflow_macos_build.config import Cache, Remote
from tensorflow_macos_build.console import silent
from tests.http_cache import DyingCache, HttpCache, http_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COUNT = 12
BUILD = f"""\
[genrule(name = "n%d" % n, outs = ["n%d.txt" % n], cmd = "sleep 0.1; echo %d > $@" % n)
 for n in range({COUNT})]
filegroup(name = "all", srcs = ["n%d" % n for n in range({COUNT})])
"""
SECRET = "s3cr3t-of-the-cache"


class CachedProject:
    """A tiny source tree whose outputs can be had from a cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.log = folder / "bazel.log"
        self.notes: list[str] = []
        self.source.mkdir(parents=True)
        (self.source / "WORKSPACE").touch()
        (self.source / "BUILD").write_text(BUILD)
        # As TensorFlow's has it: Bazel prints what its rc files say.
        (self.source / ".bazelrc").write_text("build --announce_rc\n")

    def invocation(
        self, cache: Cache, remote: Remote | None = None, toolchain: str = "gcc-12"
    ) -> bazel.Invocation:
        flags = bazel.CacheFlags(cache, remote or Remote(), None, self.folder, None, toolchain)
        return bazel.Invocation(
            self.source,
            self.folder / "base",
            bazel.BuildFiles.at(self.folder / "now"),
            ("//:all",),
            flags=("--jobs=2", *flags.local()),
            remote=flags.argv(),
            headers=flags.headers(self.folder / "private" / "rc"),
        )

    def build(
        self, cache: Cache, remote: Remote | None = None, toolchain: str = "gcc-12"
    ) -> bazel.BuildResult:
        """Build from nothing but the cache, as the stage does."""
        watch = bazel.ServerWatch(cache, remote or Remote())
        self.notes = ["".join(watch.before())]
        result = self.run(self.invocation(cache, remote, toolchain))
        self.notes.append("".join(watch.after(result)))
        return result

    def run(self, invocation: bazel.Invocation) -> bazel.BuildResult:
        """Build from nothing."""
        process.run([*invocation.startup_argv(), "clean"], cwd=self.source)
        return bazel.build(
            invocation,
            ticker=silent,
            log=self.log,
            on_loss=lambda error: self.notes.append(str(error.what)),
        )


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], Path]
) -> Iterator[CachedProject]:
    """A tree and one server, whose start takes longer than all builds of a test."""
    tool("bazel")
    made = CachedProject(tmp_path_factory.mktemp("cached"))
    yield made
    bazel.shutdown(made.invocation(Cache()))


def config_of(cache: HttpCache, *, upload: bool = True) -> Cache:
    return Cache(address=cache.address, upload=upload)


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Hold a port at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


def test_a_second_clean_build_is_all_hits(project: CachedProject) -> None:
    with http_cache() as cache:
        assert project.build(config_of(cache)).cache_hits == 0
        assert project.notes[0] == ""
        assert f"none of {COUNT} actions came from the cache {cache.address}" in project.notes[1]
        again = project.build(config_of(cache))
        assert again.cache_hits == COUNT
        assert set(again.runners) == {"remote cache hit", "internal"}
        assert project.notes == ["", ""]


def test_nothing_is_put_into_a_cache_that_is_only_read(
    project: CachedProject,
) -> None:
    with http_cache() as cache:
        project.build(config_of(cache, upload=False))
        assert cache.puts == 0


def test_a_cache_that_dies_in_mid_build_slows_it_and_is_told(
    project: CachedProject,
) -> None:
    cache = HttpCache()
    with DyingCache(cache) as server:

        def kill() -> None:
            deadline = time.monotonic() + 60
            while cache.puts < 5 and time.monotonic() < deadline:
                time.sleep(0.02)
            server.close()

        killer = threading.Thread(target=kill)
        killer.start()
        result = project.build(config_of(cache))
        killer.join()
    assert len(result.outputs["//:all"]) == COUNT
    assert 5 <= cache.puts < 3 * COUNT  # an entry, a file and its output for each action
    assert project.notes[0] == ""
    assert "answered at the start and does not now (Connection refused)" in project.notes[1]


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_cache_that_is_down_at_the_start_is_told_then(
    project: CachedProject, scheme: str
) -> None:
    with closed_port() as port:
        result = project.build(Cache(address=f"{scheme}://127.0.0.1:{port}"))
    assert len(result.outputs["//:all"]) == COUNT
    before, after = project.notes
    assert f"{scheme}://127.0.0.1:{port} does not answer (Connection refused)" in before
    assert after == ""


def test_a_farm_that_is_down_is_told_and_done_without(project: CachedProject) -> None:
    with closed_port() as port:
        remote = Remote(address=f"grpc://127.0.0.1:{port}", platform={"OSFamily": "linux"})
        result = project.build(Cache(), remote)
    assert len(result.outputs["//:all"]) == COUNT
    assert f"the farm grpc://127.0.0.1:{port} does not answer" in project.notes[0]


def test_what_bazel_fails_by_for_its_cache_s_sake_is_built_without_it_once(
    project: CachedProject,
) -> None:
    with closed_port() as port:
        # Without --remote_local_fallback, Bazel 4.2 to 7 end by status 34 here.
        lost = dataclasses.replace(
            project.invocation(Cache()), remote=(f"--remote_cache=grpc://127.0.0.1:{port}",)
        )
        project.notes = []
        result = project.run(lost)
        assert project.notes == ["Bazel's remote cache or farm does not answer"]
        assert len(result.outputs["//:all"]) == COUNT
        in_flags = dataclasses.replace(lost, flags=lost.remote, remote=())
        with pytest.raises(bazel.RemoteLost):
            project.run(in_flags)


def test_a_cache_that_dropped_files_which_its_entries_name_costs_their_actions(
    project: CachedProject,
) -> None:
    with http_cache() as cache:
        project.build(config_of(cache))
        for path in [path for path in cache.files if path.startswith("/cas/")][::2]:
            del cache.files[path]
        result = project.build(config_of(cache))
    assert len(result.outputs["//:all"]) == COUNT


def test_another_compiler_finds_nothing_of_this_one(project: CachedProject) -> None:
    with http_cache() as cache:
        project.build(config_of(cache))
        assert project.build(config_of(cache), toolchain="gcc-13").cache_hits == 0
        assert project.build(config_of(cache)).cache_hits == COUNT


def test_a_header_comes_from_a_variable_and_is_in_no_file(
    project: CachedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = f"me:{SECRET}"
    value = f"Basic {base64.b64encode(login.encode()).decode()}"
    monkeypatch.setenv("NETRC", "/nonexistent")
    monkeypatch.setenv("CACHE_LOGIN", value)
    with http_cache(login) as cache:
        config = Cache(address=cache.address, headers={"authorization": "CACHE_LOGIN"})
        # The variable's name is what the config says; Bazel is not handed the variable itself.
        hidden = dataclasses.replace(project.invocation(config), env={"CACHE_LOGIN": None})
        project.run(hidden)
        assert project.run(hidden).cache_hits == COUNT
        assert cache.refused == 0
    secret = value.removeprefix("Basic ")
    assert secret not in " ".join(hidden.argv())
    events = project.log.with_name("bazel.events.json").read_bytes()
    assert b"authorization" in events, "Bazel does not repeat it, so nothing is seen here"
    for form in (secret, secret.rstrip("=")):
        assert not files_with(form, project.folder)


def test_credentials_come_from_a_netrc_and_are_in_no_file(
    project: CachedProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with http_cache(f"me:{SECRET}") as cache:
        project.build(config_of(cache))
        assert project.build(config_of(cache)).cache_hits == COUNT
        assert cache.refused == 0
    assert SECRET not in " ".join(project.invocation(config_of(cache)).argv())
    assert not files_with(SECRET, project.folder)


def files_with(text: str, folder: Path) -> list[Path]:
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in paths if text.encode() in path.read_bytes()]


def test_a_cache_that_refuses_is_warned_of(
    project: CachedProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    with http_cache(f"me:{SECRET}") as cache:
        assert project.build(config_of(cache)).cache_hits == 0
        assert cache.refused > 0
    assert "credentials, a wrong path" in project.notes[1]
