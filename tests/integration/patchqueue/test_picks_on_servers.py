"""Picked pull requests that move, are forced and vanish, and servers that say what is not so."""

from __future__ import annotations

import subprocess

import pytest

from tensorflow_macos_build.patchqueue.queue import storage
from tests import command_line, forge
from tests.pick_desk import WHY, Desk


def test_a_pull_that_moved_is_shown_and_followed_on_demand_alone(desk: Desk) -> None:
    desk.make()
    desk.run("patches.pick", "7", *WHY)
    old = desk.pinned()
    desk.forge.git("checkout", "-q", "topic")
    new = desk.forge.commit("A third thing", sub__third="third\n")
    desk.forge.request(7)
    state = desk.state()
    assert (state["state"], state["head"], state["forced"]) == ("moved", new, False)
    assert [commit["subject"] for commit in state["added"]] == ["A third thing"]
    assert desk.pinned() == old
    desk.run("patches.pin", "--pick", "pull-7")
    assert desk.pinned() == new
    assert desk.exported() == desk.squashed()
    repeated = desk.run("patches.pin", "--pick", "pull-7")
    assert "nothing to pin" in repeated.stdout


def test_a_forced_pull_names_what_is_gone(desk: Desk) -> None:
    desk.make()
    desk.run("patches.pick", "7", *WHY)
    desk.forge.git("checkout", "-q", "-B", "topic", "main")
    new = desk.forge.commit("All anew", text=forge.changed(line_4="anew"))
    desk.forge.request(7, merge=False)
    desk.forge.forget("refs/pull/7/merge")
    state = desk.state()
    assert (state["state"], state["forced"], state["merge_reference"]) == ("moved", True, False)
    assert [commit["subject"] for commit in state["added"]] == ["All anew"]
    gone = [commit["subject"] for commit in state["gone"]]
    assert gone == ["Teach the deep, too", "Teach the text"]
    lines = desk.run("patches.pin").stdout
    assert f"its head was forced to {new[:12]}" in lines
    assert "--pick pull-7" in lines


def test_a_pull_that_vanished_stays_usable_and_droppable(desk: Desk) -> None:
    desk.make()
    desk.run("patches.pick", "7", *WHY)
    desk.forge.forget("refs/pull/7/head")
    desk.forge.forget("refs/pull/7/merge")
    assert desk.state()["state"] == "vanished"
    assert desk.exported() == desk.squashed()
    # where the objects were never fetched, and the server has them no more
    forge.git(desk.forge.bare, "gc", "-q", "--prune=now")
    elsewhere = command_line.run(
        "rebase", "--queue", desk.queue, "--onto", "main", "--cache", desk.folder / "fresh",
        cwd=desk.folder,
    )  # fmt: skip
    assert elsewhere.returncode == 2
    assert "does not hand out" in elsewhere.stderr
    dropped = command_line.run(
        "patches.drop", "pull-7", "--queue", desk.queue, "--cache", desk.folder / "fresh",
        cwd=desk.folder,
    )  # fmt: skip
    assert dropped.returncode == 0, dropped.stderr
    assert not storage.load(desk.queue).picks


def test_a_gitlab_request_a_commit_and_a_forks_pull(desk: Desk) -> None:
    desk.make()
    desk.forge.git("checkout", "-q", "topic")
    desk.forge.request(9, space="merge-requests")
    fork = desk.folder / "fork.git"
    subprocess.run(["git", "init", "-q", "--bare", fork], check=True)
    desk.forge.git("checkout", "-q", "--detach", "main")
    theirs = desk.forge.commit("A fork's own", fork="fork\n")
    desk.forge.git("push", "-q", fork, "HEAD:refs/pull/3/head")
    backport = desk.forge.git("rev-parse", "main")
    desk.run("patches.pick", "pull/9", *WHY)
    desk.run("patches.pick", "3", *WHY, "--url", fork)
    desk.run("patches.pick", backport[:10], *WHY, "--path", "later", code=1)
    assert (desk.folder / "cache").is_dir()
    queue = storage.load(desk.queue)
    assert [pick.name for pick in queue.picks] == ["pull-9", "pull-3"]
    assert queue.picks[1].commit == theirs
    assert queue.picks[1].url == str(fork)


@pytest.mark.parametrize("kind", ["blob", "tree", "tag", "tag of a tag"])
def test_a_head_that_is_no_commit_is_refused(desk: Desk, kind: str) -> None:
    desk.make()
    bare, head = desk.forge.bare, desk.forge.git("rev-parse", "topic")
    forge.git(bare, "tag", "-a", "-m", "x", "first", head)
    forge.git(bare, "tag", "-a", "-m", "x", "second", "first")
    names = {"blob": f"{head}:text", "tree": f"{head}^{{tree}}", "tag": "first"}
    oid = forge.git(bare, "rev-parse", names.get(kind, "second"))
    # past update-ref, which would not write a tag's id either
    for ref in ("refs/pull/5/head", "refs/pull/5/merge"):
        (bare / ref).parent.mkdir(parents=True, exist_ok=True)
        (bare / ref).write_text(f"{oid}\n")
    before = (desk.queue / "queue.yaml").read_bytes()
    refused = desk.run("patches.pick", "5", *WHY, code=2).stderr
    assert f"pull-5: its reference names a {kind.split(maxsplit=1)[0]}, and no commit" in refused
    assert (desk.queue / "queue.yaml").read_bytes() == before


def test_names_that_a_server_may_send_are_not_obeyed(desk: Desk) -> None:
    """References beside the wanted one, whose ends git's own matching takes for it."""
    desk.make()
    head = desk.forge.git("rev-parse", "topic")
    other = desk.forge.git("rev-parse", "main")
    for ref in ("refs/heads/refs/pull/7/head", "refs/x/refs/pull/8/head", "refs/pull/7/head/x"):
        path = desk.forge.bare / "refs/evil" / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{other}\n")
    desk.run("patches.pick", "7", *WHY)
    assert desk.pinned() == head
    assert "has neither" in desk.run("patches.pick", "8", *WHY, code=2).stderr
    desk.run("patches.pick", "7", *WHY, "--url=--upload-pack=touch x", code=2)
    desk.run("patches.pick", "7", *WHY, "--url", "ext::sh -c touch% x", code=2)
    assert not (desk.folder / "x").exists()
