"""Mirrors of remote upstreams, against real servers that fail in real ways."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.console import ticker_of
from tensorflow_macos_build.errors import ExitCode, UsageError
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream import mirror
from tensorflow_macos_build.upstream.mirror import TransferRetry
from tensorflow_macos_build.upstream.transfer import Unreachable
from tests.git_servers import Faults, daemon, free_port, http_server
from tests.settings import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.upstream.conftest import Upstream


QUICK = TransferRetry(attempts=4, first_pause=0.02, longest_pause=0.05, idle=20)

CLONE = ["info/refs", "info/refs", "ls-refs", "fetch"]
"""What a clone asks for; the first answer is only looked at for its size."""


@pytest.fixture
def server(upstream: Upstream) -> Iterator[tuple[str, Faults]]:
    with http_server(upstream.root) as (base, faults):
        yield f"{base}/up.git", faults


def local_ids(opened: mirror.Mirror) -> set[str]:
    listed = opened.out("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(listed.decode().split())


def assert_whole(opened: mirror.Mirror, upstream: Upstream) -> None:
    assert opened.line("rev-parse", "--is-bare-repository") == "true"
    ours = opened.out("for-each-ref", "refs/heads", "refs/tags").decode().strip()
    assert ours == upstream.git("for-each-ref")
    opened.run("fsck", "--connectivity-only", "--no-dangling")
    names = {path.name for path in opened.folder.iterdir()}
    assert names <= {"repository.git", "objects.git", "lock", "packs.json"}


def test_a_clone_is_bare_and_without_file_contents(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    lines: list[str] = []
    ticker = ticker_of(lambda progress: lines.append(progress.detail))
    opened = mirror.open(url, tmp_path / "cache", ticker)
    assert not set(upstream.blobs("main")) & local_ids(opened)
    assert_whole(opened, upstream)
    assert faults.requests == CLONE
    assert any(detail.startswith("receiving objects") for detail in lines)
    assert mirror.open(url, tmp_path / "cache").git_dir == opened.git_dir
    assert faults.requests == CLONE


def test_blobs_come_in_one_request_and_only_once(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    opened = mirror.open(url, tmp_path / "cache")
    ids = upstream.blobs("v1.0.0") + upstream.blobs("v1.2.0")
    faults.requests.clear()
    faults.wants.clear()
    assert opened.fetch_blobs(ids) == len(ids) == 20
    assert (faults.requests, faults.wants) == (["info/refs", "fetch"], [20])
    assert opened.fetch_blobs(reversed(ids)) == 0
    assert opened.out("cat-file", "blob", ids[0]) == b"0.0\n" * 40
    assert len(faults.requests) == 2


def test_a_batch_larger_than_a_post_buffer_is_still_one_fetch(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    many = {f"many{index:05}": b"%d" % index for index in range(300)}
    upstream.commit("main", many, day=40)
    opened = mirror.open(url, tmp_path / "cache")
    opened.run("config", "http.postBuffer", "65536")
    faults.wants.clear()
    assert opened.fetch_blobs(upstream.blobs("main")) == 300
    assert faults.wants == [300]


def test_a_server_without_filters_gives_a_whole_clone(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    upstream.git("config", "uploadpack.allowFilter", "false")
    opened = mirror.open(url, tmp_path / "cache")
    assert_whole(opened, upstream)
    assert set(upstream.blobs("main")) <= local_ids(opened)
    faults.requests.clear()
    assert opened.fetch_blobs(upstream.blobs("main")) == 0
    assert faults.requests == []


def test_the_git_protocol_serves_as_well(upstream: Upstream, tmp_path: Path) -> None:
    with daemon(upstream.root) as base:
        opened = mirror.open(f"{base}/up.git", tmp_path / "cache", retry=QUICK)
        assert opened.fetch_blobs(upstream.blobs("v1.1.0")) == 10
        assert_whole(opened, upstream)


def test_a_busy_server_and_broken_connections_are_tried_again(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    faults.busy, faults.cut = 1, 2
    opened = mirror.open(url, tmp_path / "cache", retry=QUICK)
    assert faults.requests.count("fetch") == 3
    assert_whole(opened, upstream)


def test_a_stalled_connection_is_given_up_and_tried_again(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    faults.stall, faults.cut_at = 1, 50
    opened = mirror.open(url, tmp_path / "cache", retry=TransferRetry(idle=1, first_pause=0.02))
    assert_whole(opened, upstream)


def test_tries_are_bounded_and_a_failed_clone_leaves_nothing(
    server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    faults.cut = 1000
    with pytest.raises(Unreachable, match="4 tries failed") as caught:
        mirror.open(url, tmp_path / "cache", retry=QUICK)
    assert faults.requests.count("fetch") == QUICK.attempts
    assert caught.value.where == url
    assert "local clone" in caught.value.hint
    assert caught.value.exit_code is ExitCode.FAILED
    (folder,) = (tmp_path / "cache").iterdir()
    assert {path.name for path in folder.iterdir()} == {"lock", "objects.git"}


def test_not_found_is_not_tried_again(server: tuple[str, Faults], tmp_path: Path) -> None:
    url, faults = server
    missing = url.replace("up.git", "gone.git")
    with pytest.raises(Unreachable, match="404"):
        mirror.open(missing, tmp_path / "cache", retry=QUICK)
    assert len(faults.requests) <= 3


def test_a_server_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    url = f"git://anna:secret@127.0.0.1:{free_port()}/up.git"
    with pytest.raises(Unreachable) as caught:
        mirror.open(url, tmp_path / "cache", retry=QUICK)
    assert "anna:***@127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-100])


def a_pack(folder: Path) -> Path:
    return next(folder.glob("objects/pack/*.pack"))


def empty(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped byte in a pack": lambda folder: flip(a_pack(folder)),
    "a flipped byte in an index": lambda folder: flip(a_pack(folder).with_suffix(".idx")),
    "a truncated pack": lambda folder: truncate(a_pack(folder)),
    "a lost index": lambda folder: a_pack(folder).with_suffix(".idx").unlink(),
    "a lost HEAD": lambda folder: (folder / "HEAD").unlink(),
    "references cut short": lambda folder: truncate(folder / "packed-refs"),
    "an empty folder": empty,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_clone_is_replaced(
    damage: str, upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    opened = mirror.open(url, tmp_path / "cache", retry=QUICK)
    DAMAGES[damage](opened.git_dir)
    again = mirror.open(url, tmp_path / "cache", retry=QUICK)
    assert faults.requests.count("fetch") == 2
    kept = list(again.folder.glob("damaged-*.git"))
    for folder in kept:
        folder.rename(tmp_path / folder.name)
    assert_whole(again, upstream)


def test_references_of_others_outlive_a_damaged_clone(
    server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, _ = server
    opened = mirror.open(url, tmp_path / "cache")
    identity = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "A"}
    own = Git(opened.git_dir, env={**identity, "GIT_COMMITTER_EMAIL": "a"})
    commit = own.line("commit-tree", "v1.0.0^{tree}", "-p", "v1.0.0", "-m", "a step of a rebase")
    own.run("update-ref", "refs/rebase/queue/step", commit)
    dangling = opened.git_dir / "refs" / "tags" / "v9.0.0"
    dangling.parent.mkdir(parents=True, exist_ok=True)
    dangling.write_text("f" * 40 + "\n")
    again = mirror.open(url, tmp_path / "cache")
    assert again.line("rev-parse", "refs/rebase/queue/step") == commit
    assert not list(again.folder.glob("damaged-*"))


def test_a_clone_that_cannot_give_up_the_references_of_others_is_kept(
    server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, _ = server
    opened = mirror.open(url, tmp_path / "cache")
    opened.run("update-ref", "refs/rebase/queue/step", opened.resolve("v1.0.0"))
    (opened.git_dir / "HEAD").unlink()
    mirror.open(url, tmp_path / "cache")
    assert (opened.folder / "damaged-1.git" / "refs/rebase/queue/step").is_file()


def test_branches_follow_the_server_and_tags_are_taken_from_the_disk(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    opened = mirror.open(url, tmp_path / "cache")
    faults.requests.clear()
    for name in ("v1.1.0", upstream.git("rev-parse", "main~4")):
        assert opened.resolve(name) == upstream.git("rev-parse", name)
    assert faults.requests == []
    moved = upstream.commit("main", {"new": b"new\n"}, day=30)
    assert opened.resolve("main") == moved
    assert opened.resolve("main~1") == upstream.git("rev-parse", "main~1")
    upstream.git("tag", "v2.0.0", moved)
    assert opened.resolve("v2.0.0") == moved
    upstream.git("update-ref", "-d", "refs/heads/main")
    upstream.commit("main/renamed", {"x": b"x"}, day=31)
    assert opened.resolve("main/renamed") == upstream.git("rev-parse", "main/renamed")


def test_a_commit_that_no_branch_reaches_is_asked_for_by_its_id(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, _ = server
    opened = mirror.open(url, tmp_path / "cache")
    hidden = upstream.commit("hidden", {"new": b"new\n"}, day=30)
    upstream.git("update-ref", "-d", "refs/heads/hidden")
    assert opened.resolve(hidden) == hidden
    with pytest.raises(UsageError):
        opened.resolve("0123456789" * 4)


def test_an_unknown_name_is_an_error_with_the_nearest_names(
    server: tuple[str, Faults], tmp_path: Path
) -> None:
    opened = mirror.open(server[0], tmp_path / "cache")
    with pytest.raises(UsageError, match=r"`v1\.11\.0`") as caught:
        opened.resolve("v1.11.0")
    assert "v1.1.0" in caught.value.hint
    with pytest.raises(UsageError):
        opened.resolve("--all")


def test_shallow_and_empty_upstreams_are_refused(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    base = server[0].removesuffix("up.git")
    source = f"file://{upstream.path}"
    shallow, empty = upstream.root / "shallow.git", upstream.root / "empty.git"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=2", source, shallow], check=True)
    subprocess.run(["git", "init", "-q", "--bare", empty], check=True)
    with pytest.raises(UsageError, match="shallow"):
        mirror.open(f"{base}shallow.git", tmp_path / "cache", retry=QUICK)
    assert server[1].requests.count("fetch") < 10
    with pytest.raises(UsageError, match="empty"):
        mirror.open(f"{base}empty.git", tmp_path / "cache", retry=QUICK)


def test_a_lock_that_a_killed_git_left_behind_does_not_stop_the_next(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    opened = mirror.open(server[0], tmp_path / "cache", retry=QUICK)
    heads = opened.git_dir / "refs" / "heads"
    heads.mkdir(parents=True, exist_ok=True)
    (heads / "main.lock").touch()
    moved = upstream.commit("main", {"new": b"new\n"}, day=30)
    assert opened.resolve("main") == moved


OPENER = """
import sys
from pathlib import Path
from tensorflow_macos_build.upstream import mirror
opened = mirror.open(sys.argv[1], Path(sys.argv[2]))
print(opened.resolve("v1.2.0"), opened.fetch_blobs(sys.argv[3:]))
"""


def test_processes_at_once_share_one_clone_and_one_fetch(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    blobs = upstream.blobs("v1.2.0")
    argv = [sys.executable, "-c", OPENER, url, str(tmp_path / "cache"), *blobs]
    children = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [child.communicate(timeout=60)[0].split() for child in children]
    assert {commit for commit, _ in answers} == {upstream.git("rev-parse", "v1.2.0")}
    assert sorted(count for _, count in answers) == ["0", "0", "10"]
    assert faults.wants == [5, 10]


def test_a_clone_killed_half_way_is_made_anew(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    faults.stall, faults.cut_at = 1, 400
    argv = [sys.executable, "-c", OPENER, url, str(tmp_path / "cache")]
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    for _ in range(400):
        if "fetch" in faults.requests:
            break
        time.sleep(0.05)
    child.kill()
    child.wait()
    (folder,) = (tmp_path / "cache").iterdir()
    assert not (folder / "repository.git").exists()
    assert_whole(mirror.open(url, tmp_path / "cache", retry=QUICK), upstream)


ALLOWED = ("GIT_ASKPASS", "GIT_SSH", "GIT_HTTP_", "GIT_SSL_", "GIT_PROXY_")


@pytest.mark.parametrize("value", ["/nowhere/x", "", "1", "sha256"])
def test_no_variable_of_git_changes_what_a_server_gives(
    value: str, upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    """But those do that say where git's configuration is: one that git cannot read is an error."""
    blobs = upstream.blobs("v1.1.0")
    with pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            if not name.startswith((*ALLOWED, "GIT_CONFIG_")):
                patch.setenv(name, value)
        opened = mirror.open(server[0], tmp_path / "cache", retry=QUICK)
        assert opened.fetch_blobs(blobs) == 10
    assert_whole(opened, upstream)


@pytest.mark.parametrize("where", ["home", "global", "system", "count", "parameters"])
def test_how_a_server_is_reached_is_for_the_users_configuration_to_say(
    where: str,
    upstream: Upstream,
    server: tuple[str, Faults],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = server[0].removesuffix("up.git")
    key = f"url.{base}.insteadOf"
    config = tmp_path / "home" / ".gitconfig"
    config.parent.mkdir()
    subprocess.run(["git", "config", "-f", config, key, "https://up.example/"], check=True)
    monkeypatch.delenv("GIT_CONFIG_NOSYSTEM", raising=False)
    match where:
        case "home":
            monkeypatch.setenv("HOME", str(config.parent))
        case "global" | "system":
            monkeypatch.setenv(f"GIT_CONFIG_{where.upper()}", str(config))
        case "count":
            monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
            monkeypatch.setenv("GIT_CONFIG_KEY_0", key)
            monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://up.example/")
        case "parameters":
            monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'{key}=https://up.example/'")
    opened = mirror.open("https://up.example/up.git", tmp_path / "cache", retry=QUICK)
    assert_whole(opened, upstream)


def test_no_other_setting_of_the_users_decides_what_is_fetched(
    upstream: Upstream, server: tuple[str, Faults], tmp_path: Path
) -> None:
    config = tmp_path / ".gitconfig"
    config.write_text(
        "[core]\n\tbare\n[http]\n\tsslVerify\n[fetch]\n\tpruneTags = true\n\toutput = odd\n"
        "\trecurseSubmodules = odd\n\tnegotiationAlgorithm = odd\n[protocol]\n\tversion = 9\n"
        "[transfer]\n\thideRefs = refs/tags\n[init]\n\tdefaultBranch = a..b\n"
        '[remote "origin"]\n\turl = https://127.0.0.1:1/\n\tfetch = +refs/*:refs/heads/*\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        opened = mirror.open(server[0], tmp_path / "cache", retry=QUICK)
    assert_whole(opened, upstream)


def test_a_configuration_that_git_cannot_read_is_an_error_that_shows_it(
    server: tuple[str, Faults], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[core\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"\.gitconfig"):
        mirror.open(server[0], tmp_path / "cache", retry=QUICK)


def test_gitpython_starts_no_git_of_the_environments_choice() -> None:
    chosen = {**os.environ, "GIT_PYTHON_GIT_EXECUTABLE": "/nowhere", "GIT_PYTHON_REFRESH": "odd"}
    code = "from tensorflow_macos_build.upstream import transfer"
    subprocess.run([sys.executable, "-c", code], env=chosen, check=True)
