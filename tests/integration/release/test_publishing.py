"""Publishing against a server that speaks GitHub's API and fails: all or nothing, and no token."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import BudgetReached, MacosBuildError, UsageError, WorkFailed
from tensorflow_macos_build.release import prepared
from tensorflow_macos_build.release.publishing import engine
from tensorflow_macos_build.release.publishing.answers import Passing
from tensorflow_macos_build.release.publishing.http import Api, TooLong
from tensorflow_macos_build.release.publishing.plan import (
    DraftOfOthers,
    Present,
    PublishedOtherwise,
)
from tests import command_line
from tests.dripping import HEADS, Drip, dripping
from tests.github_releases import REPOSITORY, TOKEN, GitHub, github
from tests.release_runs import IMPATIENT, TAG, digests, door, make, random_run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tensorflow_macos_build.release.prepared import PreparedFolder


@pytest.fixture
def release(tmp_path: Path) -> PreparedFolder:
    return make(tmp_path / "release", {"a.whl": b"a" * 1000, "b.whl": b"b"})


# Of these, few need many starts; benchmarks/publishing.py runs hundreds.
@pytest.mark.parametrize("seed", [1, 6, 7, 8, 9, 10, 11, 12, 14, 15])
def test_a_random_run_ends_complete_and_the_public_never_sees_a_part(
    seed: int, tmp_path: Path
) -> None:
    random_run(seed, tmp_path)


def cli(server: GitHub, release: PreparedFolder, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GH_TOKEN": TOKEN, "GITHUB_API_URL": server.address, "HOME": "/nowhere"}
    to = ("--to", f"github:{REPOSITORY}")
    done = command_line.run("release.publish", release.folder, *to, *words, env=env)
    assert TOKEN not in done.stdout + done.stderr
    return done


def test_a_plan_shows_all_and_changes_nothing_and_a_run_does_what_it_shows(
    release: PreparedFolder,
) -> None:
    with github(immutable=True, expected={TAG: digests(release)}) as server:
        planned = cli(server, release, "--plan", "--json")
        document = json.loads(planned.stdout)
        documents.check(document)
        assert {request.split()[0] for request in server.requests} == {"GET"}
        assert document["actions"][0]["what"] == "make a draft"
        assert document["actions"][-1]["what"] == "publish"
        uploads = [row["file"] for row in document["actions"] if row["what"] == "upload"]
        assert uploads == sorted(digests(release))
        assert document["notes"]  # immutable
        done = cli(server, release, "--json")
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert (document["published"], document["actions"]) == (True, [])
        assert document["url"].endswith(f"/releases/tag/{TAG}")
        assert not server.wrongs


def test_a_wrong_token_and_an_error_that_repeats_it_show_no_token(release: PreparedFolder) -> None:
    with github() as server:
        wrong = door(server, "ghp_wrong")
        with pytest.raises(WorkFailed, match="401"):
            engine.publish(release, wrong, IMPATIENT)
        server.fault = lambda _: "500"  # its message has the token in it
        notes: list[str] = []
        with pytest.raises(MacosBuildError) as raised:
            engine.publish(release, door(server), IMPATIENT, note=notes.append)
        assert "oops, you sent ***" in str(raised.value)
        assert TOKEN not in str(raised.value) + repr(door(server)) + "".join(notes)


def test_what_others_have_there_is_never_touched(release: PreparedFolder) -> None:
    with github() as server:
        server.add(TAG, draft=True, body="mine", files={"a.whl": b"x"})
        with pytest.raises(DraftOfOthers):
            engine.publish(release, door(server), IMPATIENT)
        server.releases.clear()
        server.add(TAG, draft=False, files={"a.whl": b"x"})
        before = json.dumps(list(server.releases.values()))
        with pytest.raises(PublishedOtherwise) as raised:
            engine.publish(release, door(server), IMPATIENT)
        assert "a.whl is another file\nb.whl is missing" in "\n".join(
            line for line in raised.value.detail.splitlines() if ".whl" in line
        )
        assert json.dumps(list(server.releases.values())) == before


def test_a_server_that_asks_for_more_patience_than_there_is_ends_it_for_now(
    release: PreparedFolder,
) -> None:
    waits: list[float] = []
    with github() as server:
        server.fault = lambda number: {0: "429-after", 1: "403-primary", 2: "429"}.get(number, "")
        engine.publish(release, door(server), engine.Patience(wait=waits.append))
        assert waits[0] == 2.0
        assert 2.0 <= waits[1] <= 5.0
        assert waits[2] == 60.0
        server.fault = lambda _: "429"
        with pytest.raises(BudgetReached, match="60 seconds"):
            engine.publish(release, door(server), engine.Patience(longest=59.0))


def test_what_is_cut_off_or_goes_on_for_ever_is_given_up() -> None:
    with github() as server:
        releases = door(server)
        server.fault = lambda _: "cut-head"
        with pytest.raises(Passing, match="ended in the head"):
            releases.look()
        server.fault = lambda _: ""
        assert releases.look() == Present()
        with pytest.raises(TooLong, match="more than 1 bytes"):
            list(releases.api.stream(f"{server.address}/repos/{REPOSITORY}/releases", limit=1))


@pytest.mark.parametrize("drip", [*HEADS, Drip.BODY])
def test_an_answer_that_drips_is_given_up(drip: Drip) -> None:
    with dripping(drip) as address, pytest.raises(Passing, match=r"does not end|too slowly"):
        Api(None, set(), grace=0.2).call("GET", address)


def test_limits_are_known_before_any_request(release: PreparedFolder) -> None:
    first = next(file for file in release.files if file.name == "a.whl")
    hostile = {
        "a.whl is empty": (replace(first, size=0),),
        "a.whl has 2,147,483,648 bytes": (replace(first, size=1 << 31),),
        "1001 files": tuple(replace(first, name=f"{at}.whl") for at in range(1001)),
    }
    with github() as server:
        for words, files in hostile.items():
            with pytest.raises(UsageError) as raised:
                engine.publish(replace(release, files=files), door(server), IMPATIENT)
            assert words in raised.value.detail
        assert server.requests == []


def test_a_file_that_changes_meanwhile_is_not_published(release: PreparedFolder) -> None:
    with github(expected={TAG: digests(release)}) as server:
        (release.folder / "a.whl").write_bytes(b"A" * 1000)
        with pytest.raises(WorkFailed, match="changed while it was uploaded"):
            engine.publish(release, door(server), IMPATIENT)
        assert server.public(TAG) is None


def test_a_folder_appears_whole_and_keeps_what_is_there(
    release: PreparedFolder, tmp_path: Path
) -> None:
    out = tmp_path / "public"
    words = ("release.publish", release.folder, "--to", out)
    assert "upload a.whl" in command_line.run(*words, "--plan").stdout
    assert not out.exists()
    for _ in range(2):
        assert command_line.run(*words).returncode == 0
    assert digests(prepared.read(out / TAG)) == digests(release)
    other = make(tmp_path / "other", {"a.whl": b"other"})
    refused = command_line.run("release.publish", other.folder, "--to", out)
    assert (refused.returncode, "a.whl is another file" in refused.stderr) == (1, True)
    assert digests(prepared.read(out / TAG)) == digests(release)


def test_a_spoiled_folder_is_published_nowhere(release: PreparedFolder, tmp_path: Path) -> None:
    (release.folder / "stray.whl").write_bytes(b"x")
    done = command_line.run("release.publish", release.folder, "--to", tmp_path / "out")
    assert (done.returncode, "stray.whl: it is not in release.json" in done.stderr) == (1, True)
    insecure = ("--to", "github:o/r", "--api", "http://example.org")
    (release.folder / "stray.whl").unlink()
    done = command_line.run("release.publish", release.folder, *insecure)
    assert (done.returncode, "show the token to everybody" in done.stderr) == (2, True)
