"""A site is put in place whole, and of sound documents alone."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.site import PublishedSite, SiteRequest, model, publish, reading
from tests import kills, site_documents, site_files

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.documents import Json

FEW = {
    "release.json": site_documents.release("2.21.0"),
    "times.json": site_documents.times("2.21.0"),
}
MORE = {**FEW, "forecast.json": site_documents.forecast("demo", ("v1", "v2"))}


def _site(
    tmp_path: Path, contents: dict[str, Json], name: str = "a", **options: Any
) -> SiteRequest:
    folder = tmp_path / f"in-{name}" / "documents"
    site_documents.write(folder, contents)
    return SiteRequest((folder,), tmp_path / "out" / "site", "Macs", **options)


def _tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _files(made: PublishedSite) -> dict[str, bytes]:
    return {**made.files, "site.json": documents.dumps(model.as_document(made)).encode()}


def test_the_same_documents_make_the_same_bytes_wherever_they_lie(tmp_path: Path) -> None:
    first = publish(_site(tmp_path, MORE, "a"))
    second = publish(_site(tmp_path / "elsewhere", dict(reversed(MORE.items())), "b"))
    assert _files(first) == _files(second)
    assert _tree(first.request.out) == _tree(second.request.out) == _files(first)


def test_a_site_replaces_a_site_and_lists_itself(tmp_path: Path) -> None:
    publish(_site(tmp_path, MORE, "a"))
    made = publish(_site(tmp_path, FEW, "b"))
    tree = _tree(made.request.out)
    assert "queues.html" not in tree
    listed = json.loads(tree.pop("site.json"))
    documents.check(listed)
    assert [row["path"] for row in listed["files"]] == sorted(tree)
    assert {row["sha256"] for row in listed["documents"]} == {
        site_documents.sha(documents.dumps(body)) for body in FEW.values()
    }


def test_with_plan_nothing_is_written(tmp_path: Path) -> None:
    made = publish(_site(tmp_path, FEW, plan=True))
    assert "releases.html" in made.files
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("stray", ["simple/index.html", "notes.txt", "site.jsonx", "a/b/c.html"])
@pytest.mark.parametrize("plan", [False, True])
def test_other_things_in_the_folder_are_never_replaced(
    tmp_path: Path, stray: str, *, plan: bool
) -> None:
    publish(_site(tmp_path, FEW))
    path = tmp_path / "out/site" / stray
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    with pytest.raises(UsageError, match=stray):
        publish(_site(tmp_path, MORE, plan=plan))
    assert path.read_text() == "mine"


def test_a_folder_of_other_things_is_never_replaced(tmp_path: Path) -> None:
    request = _site(tmp_path, FEW)
    request.out.mkdir(parents=True)
    (request.out / "index.html").write_text("mine")
    with pytest.raises(UsageError, match=r"index\.html"):
        publish(request)
    (request.out / "index.html").unlink()
    publish(request)


def test_a_kill_at_any_change_leaves_the_old_site_or_the_new_one(tmp_path: Path) -> None:
    old, new = _site(tmp_path, FEW, "a"), _site(tmp_path, MORE, "b")
    expected = [_files(publish(new)), _files(publish(old))]
    step = 1
    while kills.ended_at(step, tmp_path / "out", lambda: publish(new)):
        assert _tree(new.out) in expected, step
        publish(old)
        step += 1
    assert step > 10
    assert _tree(new.out) == expected[0]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["site"]


def test_two_at_once_leave_one_whole_site(tmp_path: Path) -> None:
    requests = [_site(tmp_path, FEW, "a"), _site(tmp_path, MORE, "b")]
    threads = [threading.Thread(target=publish, args=(request,)) for request in requests * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _tree(requests[0].out) in [_files(publish(request)) for request in requests]


MALFORMED = {
    "no JSON": "{",
    "a byte that is no text": '{"schema": "\udcff"}',
    "no report": '{"schema": {"name": "report", "version": 1}}',
    "another value": json.dumps({**FEW["release.json"], "tag": 1}),
    "a tag that leads out": json.dumps({**FEW["release.json"], "tag": "../../etc"}),
    "a deep value": "[" * 100_000,
    "a huge number": json.dumps(
        {**site_documents.staged_rounds(), "rounds": [
            {**site_documents.staged_rounds()["rounds"][0], "run": 10**400}]}),
    "too few fates": json.dumps(
        {**(body := site_documents.forecast("q", ("a",))), "revisions": [], "queue": "q"}),
    "a place that is none": json.dumps(
        {**(table := site_documents.matrix()), "cells": [{**table["cells"][0], "host": 99}]}),
    "no statement": '{"_type": "https://in-toto.io/Statement/v1"}',
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_document_is_an_error_that_names_its_file(tmp_path: Path, name: str) -> None:
    request = _site(tmp_path, FEW)
    path = request.folders[0] / "deep" / "bad.json"
    path.parent.mkdir()
    path.write_text(MALFORMED[name], errors="surrogateescape")
    with pytest.raises(UsageError) as caught:
        publish(request)
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 2
    assert not request.out.exists()


def test_other_json_is_named_and_passed_over(tmp_path: Path) -> None:
    other: dict[str, Json] = {
        "bom.json": {"bomFormat": "CycloneDX"},
        "plan.json": {"schema": {"name": "plan", "version": 2}},
        "later.json": {"schema": {"name": "report", "version": 9}},
    }
    made = publish(_site(tmp_path, {**FEW, **other}))
    assert made.shelf.remarks == (
        "documents/bom.json is no document of ours",
        "documents/later.json is of the schema report.v9, which no page shows",
        "documents/plan.json is of the schema plan.v2, which no page shows",
    )
    page = site_files.read(made.files["documents.html"])
    assert "documents/plan.json" in page.text("others--3")


def test_a_document_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGEST", 100)
    with pytest.raises(UsageError, match="more than 100 bytes"):
        publish(_site(tmp_path, FEW))


def test_links_are_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    outside = site_documents.write(tmp_path / "outside", MORE)
    request = _site(tmp_path, FEW)
    (request.folders[0] / "away").symlink_to(outside)
    (request.folders[0] / "forecast.json").symlink_to(outside / "forecast.json")
    assert len(publish(request).shelf.documents) == 2


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        publish(SiteRequest((tmp_path / "none",), tmp_path / "out", "Macs"))
