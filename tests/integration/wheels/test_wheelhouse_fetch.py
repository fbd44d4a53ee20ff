"""How wheels come from an index that fails, and runs that are killed or repeated."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import temporary
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.retry import Retry
from tensorflow_macos_build.wheels.wheelhouse import EntryKind, build
from tensorflow_macos_build.wheels.wheelhouse.fetch import NotFetched, fetch
from tensorflow_macos_build.wheels.wheelhouse.resolve import Offer
from tests import command_line
from tests.dripping import Drip, dripping
from tests.kills import ended_at
from tests.projects import wait_until
from tests.wheel_shop import Shop, options, task

if TYPE_CHECKING:
    from pathlib import Path

    from tests.package_index import Index


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_second_run_asks_for_no_wheel_and_gives_the_same_bytes(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    shop.pair("native", "1.0")
    shop.pure("plain", "1.0")
    requirements = ["native", "plain"]
    first = build(requirements, tmp_path / "wheelhouse", options(index, tmp_path))
    assert len(index.requests) == 3
    build(requirements, tmp_path / "wheelhouse", options(index, tmp_path))
    assert len(index.requests) == 3
    fresh = options(index, tmp_path, cache=tmp_path / "another")
    second = build(list(reversed(requirements)), tmp_path / "again", fresh)
    assert hashes(first.folder) == hashes(second.folder)


@pytest.mark.parametrize("status", [408, 429, 503])
def test_a_busy_index_and_cut_connections_are_tried_again_from_where_they_were(
    status: int, shop: Shop, index: Index, tmp_path: Path
) -> None:
    wheel = shop.pure("plain", "1.0", size=2_000_000)
    index.busy, index.busy_status, index.cut = 1, status, 1
    build(["plain"], tmp_path / "wheelhouse", options(index, tmp_path))
    assert [start for _, start in index.requests[:2]] == [0, 0]
    assert 500_000 < index.requests[2][1] <= wheel.stat().st_size // 2


def test_an_index_that_cannot_go_on_in_the_middle_is_asked_for_all_again(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    shop.pure("plain", "1.0")
    index.ranges, index.cut = False, 2
    made = build(["plain"], tmp_path / "wheelhouse", options(index, tmp_path))
    assert len(index.requests) == 3
    assert made.wheels[0].kind is EntryKind.UNIVERSAL


@pytest.mark.parametrize("drip", [Drip.HEADERS, Drip.BODY])
def test_a_wheel_that_drips_is_left(drip: Drip, tmp_path: Path) -> None:
    patience = Retry(attempts=2, first_pause=0.0, grace=0.2)
    with dripping(drip) as address:
        offer = Offer(f"{address}/plain-1.0-py3-none-any.whl", "0" * 64, None)
        with pytest.raises(NotFetched, match=r"too slowly|does not end"):
            fetch([offer], tmp_path, patience, silent)


def test_wrong_bytes_never_come_in(shop: Shop, index: Index, tmp_path: Path) -> None:
    index.spoiled.add(shop.pure("plain", "1.0").name)
    with pytest.raises(NotFetched, match="SHA-256"):
        build(["plain"], tmp_path / "wheelhouse", options(index, tmp_path))
    assert not (tmp_path / "wheelhouse").exists()
    assert not list((tmp_path / "cache").rglob("plain*.whl"))
    index.spoiled.clear()
    assert build(["plain"], tmp_path / "wheelhouse", options(index, tmp_path)).wheels


def test_a_wheel_that_went_bad_in_the_cache_is_fetched_again(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    shop.pure("plain", "1.0")
    build(["plain"], tmp_path / "wheelhouse", options(index, tmp_path))
    (cached,) = (tmp_path / "cache" / "wheels").rglob("*.whl")
    cached.unlink()
    cached.write_bytes(b"rotten")
    build(["plain"], tmp_path / "wheelhouse", options(index, tmp_path))
    assert len(index.requests) == 2


def test_what_other_code_fused_and_verified_is_made_again(
    shop: Shop, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.pair("native", "1.0")
    caches = [tmp_path / "cache" / name for name in ("fused", "verified")]

    def kept() -> list[int]:
        build(["native"], tmp_path / "wheelhouse", options(index, tmp_path))
        return [sum(path.suffix != ".lock" for path in cache.iterdir()) for cache in caches]

    assert [kept(), kept()] == [[1, 1]] * 2
    monkeypatch.setattr("tensorflow_macos_build.closure.digest", lambda _module: "other code")
    assert kept() == [2, 2]


def test_other_peoples_folders_are_not_replaced(shop: Shop, index: Index, tmp_path: Path) -> None:
    shop.pure("plain", "1.0")
    wheelhouse = tmp_path / "wheelhouse"
    wheelhouse.mkdir()
    (wheelhouse / "thesis.txt").write_text("three years of work")
    with pytest.raises(WorkFailed, match="other things"):
        build(["plain"], wheelhouse, options(index, tmp_path))
    assert (wheelhouse / "thesis.txt").read_text() == "three years of work"


def test_a_kill_at_any_step_leaves_nothing_around_after_the_next_run(
    shop: Shop, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor in the cache, nor in the folder for temporary files."""
    shop.pair("native", "1.0")
    tmpdir = tmp_path / "temporary"
    tmpdir.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmpdir))
    chosen = options(index, tmp_path)
    ended = [
        ended_at(step, tmp_path, lambda: build(["native"], tmp_path / "wheelhouse", chosen))
        for step in (2, 6, 12, 18, 24, 30, 35)
    ]
    assert sum(ended) > 4
    made = build(["native"], tmp_path / "wheelhouse", chosen)
    again = build(["native"], tmp_path / "alone", options(index, tmp_path / "other"))
    assert [wheel.sha256 for wheel in made.wheels] == [wheel.sha256 for wheel in again.wheels]
    assert list(tmp_path.rglob(f"{temporary.PREFIX}*")) == []
    assert list(tmpdir.iterdir()) == []


def test_a_killed_run_leaves_the_old_wheelhouse_and_the_next_goes_on(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    shop.pure("plain", "1.0")
    assert command_line.run(*task(index, tmp_path, "plain")).returncode == 0
    before = hashes(tmp_path / "wheelhouse")
    wheel = shop.pure("other", "1.0", size=2_000_000)
    index.stall = 1
    other = task(index, tmp_path, "other")
    argv = [sys.executable, "-m", "tensorflow_macos_build", *other]
    child = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    parts = tmp_path / "cache" / "wheels"
    wait_until(lambda: any(part.stat().st_size for part in parts.rglob("other*.part")))
    child.kill()
    child.wait()
    assert hashes(tmp_path / "wheelhouse") == before
    assert command_line.run(*other).returncode == 0
    assert 0 < index.requests[-1][1] <= wheel.stat().st_size // 2
    assert set(hashes(tmp_path / "wheelhouse")) == {wheel.name, "requirements.txt"}
