"""Picks of a git server's pull requests and commits, from the first one to what they become.

The judge of a queue's tree is plain git: a cherry-pick of the pull's squash and of the patches.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.edit import session as editing
from tensorflow_macos_build.patchqueue.picking import pin as pinning
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.queue.opening import SessionRequest
from tests import command_line, forge
from tests.kills import ended_at
from tests.pick_desk import WHY, Desk

if TYPE_CHECKING:
    import pytest


def test_a_pull_with_a_merge_in_it_is_what_its_squash_is_to_git(desk: Desk) -> None:
    desk.make()
    wanted = desk.squashed()
    desk.run("patches.pick", "7", *WHY)
    assert "# why it is so\n" in (desk.queue / "queue.yaml").read_text()
    assert desk.exported() == wanted
    moved = desk.squashed("main")
    assert desk.document("rebase", "--onto", "main")["tree"] == moved
    branch = desk.document(
        "patches.export", "--to", "branch", "--repository", desk.forge.work, "--branch", "out"
    )
    assert desk.forge.git("rev-parse", f"{branch['where']}^{{tree}}") == wanted


def test_a_move_and_a_pick_keep_what_the_queue_lets_pass(desk: Desk) -> None:
    desk.make()
    allowed = "lint:\n  allow:\n    whitespace: '*alone*'\n"
    (desk.queue / "queue.yaml").write_text((desk.queue / "queue.yaml").read_text() + allowed)
    desk.run("patches.pick", "7", *WHY)
    desk.run("rebase", "--onto", "main", "--write")
    written = (desk.queue / "queue.yaml").read_text()
    assert (written.count("pull: 7"), written.count(allowed)) == (1, 1)


def test_a_move_keeps_the_pick_and_needs_no_network(desk: Desk) -> None:
    desk.make()
    desk.run("patches.pick", "7", *WHY)
    head = desk.pinned()
    wanted = desk.squashed("main")
    desk.run("rebase", "--onto", "main")
    desk.faults.requests.clear()
    # a tag is on the disk; so are the pick's objects
    desk.forge.git("tag", "v1.1.0", "main")
    desk.forge.push("--tags")
    written = desk.document("rebase", "--onto", "v1.1.0", "--write")
    assert written["ok"]
    queue = storage.load(desk.queue)
    assert (queue.base.ref, [pick.commit for pick in queue.picks]) == ("v1.1.0", [head])
    assert written["tree"] == wanted
    desk.forge.forget("refs/pull/7/head")
    desk.faults.requests.clear()
    again = desk.document("rebase", "--onto", "v1.1.0")
    assert again["tree"] == wanted
    assert not desk.faults.requests


def test_what_landed_leaves_the_queue_and_is_named(desk: Desk) -> None:
    """By a merge commit of upstream, and by a squash under another subject."""
    desk.make()
    desk.run("patches.pick", "7", *WHY)
    git = desk.forge.git
    git("merge", "-q", "--no-ff", "-m", "Take the topic", "topic")
    git("checkout", "-q", "-b", "squashed", "main~1")
    git("merge", "-q", "--squash", "topic")
    git("commit", "-qm", "Another name")
    desk.forge.push("main", "squashed")
    verdicts = {"main": "upstream-changed", "squashed": "upstream-identical"}
    for onto, verdict in verdicts.items():
        first, *others = desk.document("rebase", "--onto", onto)["patches"]
        assert first["name"] == "pull-7"
        assert first["status"] == verdict
        assert first["evidence"]["upstream"]
        assert [patch["status"] for patch in others] == ["clean", "clean"]
    assert desk.state()["landed_in"] == ["main"]
    git("checkout", "-q", "main")
    merge = git("rev-parse", "HEAD")
    desk.forge.commit("Upstream goes on with those lines", text=forge.changed(line_3="again"))
    git("checkout", "-q", "-b", "reverted", merge)
    git("revert", "-m", "1", "--no-edit", merge)
    desk.forge.push("main", "reverted")
    # what lies in upstream's history is upstream's, whatever became of its lines
    changed, *_ = desk.document("rebase", "--onto", "main")["patches"]
    assert (changed["status"], changed["in_tree"]) == ("upstream-changed", False)
    # but for what it took back
    carried, *_ = desk.document("rebase", "--onto", "reverted")["patches"]
    assert carried["in_tree"]
    desk.run("rebase", "--onto", "main", "--write")
    assert not storage.load(desk.queue).picks
    assert "picks" not in (desk.queue / "queue.yaml").read_text()


UNPINNED = "picks:\n- pull: 7\n  reason: backport\n  drop-when: never\n"


def test_an_unpinned_pick_is_refused_with_the_line_to_type(desk: Desk) -> None:
    desk.make(UNPINNED, served=False)
    for words in (
        ("rebase", "--onto", "main"),
        ("patches.export", "--to", "mailbox", "--out", desk.folder / "x"),
    ):
        refused = desk.run(*words, code=2).stderr
        assert "pull-7: not pinned" in refused
        assert "patches.pin --queue" in refused
    refused = desk.run("patches.vendor", "pull-7", code=2).stderr
    assert f"patches.pin --queue q --cache {desk.folder / 'cache'}` pins it first" in refused
    findings = desk.document("patches.lint", code=1)["findings"]
    assert "pick-unpinned" in {finding["code"] for finding in findings}
    assert desk.state()["state"] == "unpinned"
    assert desk.pinned() == desk.forge.git("rev-parse", "topic")
    assert desk.exported() == desk.squashed()
    assert desk.state()["state"] == "same"


def test_what_conflicts_is_settled_and_becomes_a_patch(desk: Desk) -> None:
    desk.make(served=False)
    desk.forge.git("checkout", "-q", "--detach", "main")
    backport = desk.forge.commit("Later still", later="still\n", fine="fine\n")
    desk.forge.push("HEAD:main")
    conflicting = desk.document("patches.pick", backport, *WHY, code=1)
    assert conflicting["conflicts"] == ["later"]
    (Path(str(conflicting["folder"])) / "later").write_text("settled\n")
    before = storage.load(desk.queue)
    assert not before.picks
    desk.run("patches.continue")
    queue = storage.load(desk.queue)
    assert not queue.picks
    first = queue.patches[0].header
    # a pick needs no owner: nor does the patch that is made of one
    assert not desk.codes_of(queue.patches[0].name)
    assert first.subject == "Later still"
    assert first.trailer("Drop-When") == "upstream >= 2"
    assert f"(cherry picked from commit {backport})" in first.body
    tree = desk.exported()
    assert desk.forge.git("show", f"{tree}:later") == "settled"


def test_paths_take_a_part_and_nothing_is_refused(desk: Desk) -> None:
    desk.make(served=False)
    desk.run("patches.pick", "7", *WHY, "--path", "sub")
    tree = desk.exported()
    assert desk.forge.git("show", f"{tree}:sub/deep") == "deeper"
    assert "taught" not in desk.forge.git("show", f"{tree}:text")
    before = (desk.queue / "queue.yaml").read_bytes()
    desk.run("patches.vendor", "pull-7")
    patch = storage.load(desk.queue).patches[0]
    assert patch.header.trailer("Part-Of-Pull") == desk.forge.git("rev-parse", "topic")
    assert patch.header.trailer("Pull-Head") is None
    assert not desk.codes_of(patch.name)  # nor does the patch of a part need an owner
    refused = desk.run("patches.pick", "7", *WHY, "--path", "nowhere", code=2).stderr
    assert "none of its files fit" in refused
    assert before != (desk.queue / "queue.yaml").read_bytes()
    assert not storage.load(desk.queue).picks


def test_a_pick_that_is_there_already_is_refused_and_nothing_written(desk: Desk) -> None:
    desk.make(served=False)
    desk.run("patches.pick", "7", *WHY)
    before = {path: path.read_bytes() for path in desk.queue.glob("*.*")}
    part = desk.forge.git("rev-list", "--no-merges", "-1", "main..topic")
    refused = desk.run("patches.pick", part, *WHY, code=2).stderr
    assert f"commit-{part[:12]}: v1.0.0 has it already, or a pick before it" in refused
    assert {path: path.read_bytes() for path in desk.queue.glob("*.*")} == before


def test_a_vendored_pick_makes_the_same_tree_and_can_be_folded(desk: Desk) -> None:
    desk.make(served=False)
    desk.run("patches.pick", "7", *WHY)
    wanted = desk.exported()
    refused = desk.run("patches.fold", "pull-7", "--into", "mine-alone", code=2).stderr
    assert "patches.vendor" in refused
    desk.run("patches.vendor", "pull-7")
    queue = storage.load(desk.queue)
    assert not queue.picks
    assert len(queue.patches) == 3
    assert desk.exported() == wanted
    desk.run("patches.fold", "teach-the-text", "--into", "mine-alone")
    assert desk.exported() == wanted


def test_an_export_that_comes_back_is_the_same_queue(desk: Desk) -> None:
    desk.make(served=False)
    desk.run("patches.pick", "7", *WHY)
    desk.exported()
    before = storage.load(desk.queue)
    desk.run(
        "patches.import", "--diff", "out.mbox", "--upstream", desk.forge.bare,
        "--against", "v1.0.0", "--replace",
    )  # fmt: skip
    after = storage.load(desk.queue)
    assert after.picks == before.picks
    assert [patch.header for patch in after.patches] == [patch.header for patch in before.patches]


def test_the_status_tells_branches_picks_and_conditions(desk: Desk) -> None:
    desk.make()
    desk.run("patches.pick", "7", "--reason", "backport", "--drop-when", "upstream has file later")
    desk.run("patches.trailers", "--patch", "*alone*", "--drop-when", "upstream >= 1.1")
    git = desk.forge.git
    git("tag", "v1.1.0-rc0", "main")
    git("branch", "r1.1", "main")
    desk.forge.push("--tags", "r1.1")
    document = desk.document("upstream.status")
    assert [(made["name"], made["newest"], made["released"]) for made in document["branches"]] == [
        ("r1.1", "v1.1.0-rc0", False)
    ]
    assert [pick["state"] for pick in document["picks"]] == ["same"]
    queue = (desk.queue / "queue.yaml").read_text()
    away = f"- pull: 3\n  url: {desk.folder}/away\n  reason: backport\n  drop-when: never\n"
    (desk.queue / "queue.yaml").write_text(queue + away)
    with_fork = desk.document("upstream.status")["picks"]
    assert [pick["state"] for pick in with_fork] == ["same", "unknown"]
    (desk.queue / "queue.yaml").write_text(queue)
    # a release candidate is no release, but the file is there
    assert document["due"] == [
        {"name": "pull-7", "condition": "upstream has file later", "ref": "v1.1.0-rc0"}
    ]
    git("tag", "v1.1.0", "main")
    desk.forge.push("--tags")
    lines = desk.run("upstream.status").stdout
    assert "mine-alone.patch: `upstream >= 1.1` has come true at v1.1.0" in lines
    assert "pull-7: `upstream has file later` has come true at v1.1.0" in lines
    forecast = desk.document("patches.forecast", "--coming", "--latest", "1")
    assert [made["ref"] for made in forecast["revisions"]] == ["v1.1.0"]
    assert forecast["revisions"][0]["due"] == ["pull-7", "00200-mine-alone.patch"]


def test_two_at_once_add_both_picks(desk: Desk) -> None:
    desk.make(served=False)
    backport = desk.forge.git("rev-parse", "main~1")
    words = [sys.executable, "-m", "tensorflow_macos_build", "patches.pick"]
    flags = ["--queue", str(desk.queue), "--cache", str(desk.folder / "cache"), *WHY]
    children = [
        subprocess.Popen([*words, what, *flags], cwd=desk.folder, stdout=subprocess.DEVNULL)
        for what in ("7", backport)
    ]
    assert [child.wait() for child in children] == [0, 0]
    names = {pick.name for pick in storage.load(desk.queue).picks}
    assert names == {"pull-7", f"commit-{backport[:12]}"}


def test_a_pin_that_is_killed_anywhere_is_finished_by_the_same_command(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at every eighth change of a file; each time the queue is as before, or pinned."""
    desk.make(served=False)
    desk.run("patches.pick", "7", *WHY)
    old = desk.pinned()
    desk.forge.git("checkout", "-q", "topic")
    new = desk.forge.commit("A third thing", sub__third="third\n")
    desk.forge.request(7)
    monkeypatch.chdir(desk.folder)
    request = SessionRequest(desk.queue, desk.folder / "cache", desk.folder / "edit/q", ())
    kept = shutil.copytree(desk.queue, desk.folder / "kept")

    def repin() -> None:
        session, mirror = editing.open_with_mirror(request)
        pinning.pin(session, mirror, "pull-7")

    step = 1
    while ended_at(step, desk.folder, repin):
        assert desk.pinned() in (old, new)
        repin()
        assert desk.pinned() == new
        assert not (desk.folder / "edit/q").exists()
        assert [path.name for path in (desk.folder / "patches").iterdir()] == ["q"]
        shutil.rmtree(desk.queue)
        shutil.copytree(kept, desk.queue)
        step += 8
    assert step > 16
    assert desk.pinned() == new


def test_a_conflict_of_a_move_is_settled_recorded_and_replayed(desk: Desk) -> None:
    """The settled pick becomes a patch; elsewhere the resolution stands for the same pick."""
    desk.make(served=False)
    desk.run("patches.pick", "7", *WHY)
    elsewhere = shutil.copytree(desk.queue, desk.folder / "patches/elsewhere")
    desk.forge.commit("Upstream's own text", text=forge.changed(line_3="upstream's", line_9="own"))
    desk.forge.push("main")
    stopped = desk.document("rebase.start", "--onto", "main", code=1)
    assert (stopped["patch"], stopped["paths"]) == ("pull-7", ["text"])
    settled = forge.changed(line_3="both", line_9="own")
    (Path(stopped["folder"]) / "text").write_text(settled)
    done = desk.document("rebase.continue")
    assert [patch["status"] for patch in done["patches"]] == ["resolved", "clean", "clean"]
    queue = storage.load(desk.queue)
    assert (queue.picks, len(queue.patches)) == ((), 3)
    assert queue.patches[0].header.trailer("Drop-When") == "upstream >= 2"
    (resolution,) = (desk.queue / "resolutions").iterdir()
    assert resolution.name.startswith("pull-7.")
    shutil.copytree(desk.queue / "resolutions", elsewhere / "resolutions")
    again = command_line.run(
        "rebase", "--queue", elsewhere, "--onto", "main", "--cache", desk.folder / "cache",
        "--json", cwd=desk.folder,
    )  # fmt: skip
    assert again.returncode == 0
    assert json.loads(again.stdout)["tree"] == done["tree"]
