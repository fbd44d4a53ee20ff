"""What is read of a disk cache, and what is thrown out of it."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.bazel import action_results
from tests.disk_caches import Filler, digest, field, tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def filler(tmp_path: Path) -> Filler:
    return Filler(tmp_path)


def test_an_entry_names_its_outputs_and_all_blobs_of_its_folders(filler: Filler) -> None:
    key = filler.action("a", {"x/é": b"1", "y": b""}, folder=[b"in root", b"deep"], stdout=b"said")
    action = filler.cache.read(key)
    assert action is not None
    assert action.outputs == ("x/é", "y", "bazel-out/d")
    contents = [b"1", b"in root", b"deep", b"said", tree([b"in root", b"deep"])]
    assert {blob.digest for blob in action.blobs} == {
        hashlib.sha256(content).hexdigest() for content in contents
    }


@pytest.mark.parametrize(
    "damage",
    ["missing blob", "short blob", "missing in folder", "missing tree", "empty", "cut", "noise"],
)
def test_what_cannot_be_used_is_thrown_out_with_its_bad_blobs(filler: Filler, damage: str) -> None:
    good = filler.action("good")
    bad = filler.action("bad", {"bad": b"content"}, folder=[b"in root", b"deep"])
    content = filler.cache.blob(hashlib.sha256(b"content").hexdigest())
    match damage:
        case "missing blob":
            content.unlink()
        case "short blob":
            content.write_bytes(b"cont")
        case "missing in folder":
            filler.cache.blob(hashlib.sha256(b"deep").hexdigest()).unlink()
        case "missing tree":
            filler.cache.blob(hashlib.sha256(tree([b"in root", b"deep"])).hexdigest()).unlink()
        case "empty":
            filler.cache.entry(bad).write_bytes(b"")
        case "cut":
            os.truncate(filler.cache.entry(bad), 30)
        case "noise":
            filler.cache.entry(bad).write_bytes(b"\xff" * 300)
    actions, thrown_out = filler.cache.mend()
    assert (list(actions), thrown_out) == ([good], 1)
    assert not filler.cache.entry(bad).exists()
    if damage == "short blob":
        assert not content.exists()
    assert filler.cache.mend() == (actions, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"\x0f",  # wire type 7
        b"\x12\x05abc",  # longer than what follows
        b"\xff" * 20,  # a number without end
        field(2, field(1, b"p") + field(2, field(1, b"../../etc/passwd"))),
        field(2, field(1, b"p") + field(2, field(1, b"0" * 64) + b"\x10" + b"\xff" * 8 + b"\x7f")),
    ],
)
def test_no_message_is_taken_for_one(content: bytes) -> None:
    with pytest.raises(action_results.NotAMessage):
        action_results.parse(content)


def test_fields_that_others_may_add_are_passed_over() -> None:
    message = b"\x20\x01\x99\x01" + b"8" * 8 + b"\x9d\x01" + b"4" * 4 + field(9, b"metadata")
    output = field(2, field(1, b"p") + field(2, digest(b"x")) + b"\x20\x01")
    parsed = action_results.parse(message + output + field(12, field(1, b"link")))
    assert parsed.outputs == ("p", "link")


def test_only_what_is_kept_stays_and_nothing_that_it_shares_goes(filler: Filler) -> None:
    first = filler.action("first", {"f": b"shared", "g": b"own"})
    second = filler.action("second", {"s": b"shared"})
    actions, _ = filler.cache.mend()
    filler.cache.keep_only([actions[second]])
    assert set(filler.cache.inodes()) == {second}
    assert filler.cache.mend() == ({second: actions[second]}, 0)
    assert not filler.cache.blob(hashlib.sha256(b"own").hexdigest()).exists()
    assert not filler.cache.entry(first).exists()


def test_a_use_is_told_by_the_entry_that_was_read(filler: Filler) -> None:
    read, unread = filler.action("read"), filler.action("unread")
    assert filler.cache.forget_uses(), "this file system keeps no access times"
    assert filler.cache.used() == set()
    filler.cache.read(read)
    assert filler.cache.used() == {read}
    made = filler.action("made")
    assert filler.cache.used() == {read, made}
    assert unread in filler.cache.inodes()


def test_a_blob_that_is_not_what_its_name_says_is_found_by_its_content(filler: Filler) -> None:
    key = filler.action("a", {"a": b"right"})
    action = filler.cache.read(key)
    assert action is not None
    filler.cache.blob(action.blobs[0].digest).write_bytes(b"wrong")
    assert filler.cache.read(key) is not None  # its size is right
    assert filler.cache.scrub(action.blobs) == 1
    assert filler.cache.mend() == ({}, 1)
