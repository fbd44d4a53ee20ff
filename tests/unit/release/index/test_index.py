"""A static package index: its pages by the specification, refusals, kills and two at once."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build.errors import MacosBuildError, UsageError, WorkFailed
from tensorflow_macos_build.release.index import IndexRequest, publish
from tests import kills
from tests.index_server import check_pages
from tests.named_wheels import wheel_of

if TYPE_CHECKING:
    from pathlib import Path

ARM = "cp312-cp312-macosx_12_0_arm64"
FUSED = "cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64"


def _wheel(
    folder: Path, version: str, tag: str = ARM, *, requires: str = "", data: str = ""
) -> Path:
    folder.mkdir(exist_ok=True)
    about = f"Metadata-Version: 2.1\nName: demo\nVersion: {version}\n{requires}".encode()
    info = f"demo-{version}.dist-info"
    return wheel_of(folder, f"demo-{version}", info, tag, about=about, data=data)


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    for version in ("2.20.0", "2.21.0", "2.9.0"):
        _wheel(tmp_path / "dist", version, requires="Requires-Python: >=3.10, <3.15\n")
    _wheel(tmp_path / "dist", "2.21.0", FUSED)
    return tmp_path / "dist"


def _page(out: Path) -> Any:
    return json.loads((out / "simple/demo/index.json").read_text())


def _tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_pages_obey_the_specification_and_lead_to_the_wheels(wheels: Path, tmp_path: Path) -> None:
    settings = tmp_path / "index.yaml"
    settings.write_text(
        "projects:\n  Demo:\n    status: deprecated\n    reason: \"<&> by 'demo-2'\"\n"
        '    yanked: {2.20.0: "crashes \\"<b>\\" on 12"}\n'
        "    released: {2.21.0: 2026-11-26T10:00:00Z}\n"
    )
    made = publish(IndexRequest((wheels,), tmp_path / "out", settings))
    offered = check_pages(tmp_path / "out")
    assert offered == [
        f"demo-2.9.0-{ARM}.whl",
        f"demo-2.20.0-{ARM}.whl",
        f"demo-2.21.0-{ARM}.whl",
        f"demo-2.21.0-{FUSED}.whl",  # last: of wheels whose tags tie, pip takes the last
    ]
    assert sorted(offered) == list(made.added)
    page = _page(tmp_path / "out")
    assert page["versions"] == ["2.9.0", "2.20.0", "2.21.0"]
    assert page["project-status"] == {"status": "deprecated", "reason": "<&> by 'demo-2'"}
    assert [file["yanked"] for file in page["files"]] == [
        False,
        'crashes "<b>" on 12',
        False,
        False,
    ]
    assert [file.get("upload-time") for file in page["files"][:3]] == [
        *(None, None, "2026-11-26T10:00:00Z")
    ]
    assert page["files"][0]["requires-python"] == ">=3.10,<3.15"
    html = (tmp_path / "out/simple/demo/index.html").read_text()
    assert "&lt;&amp;&gt;" in html
    assert "<b>" not in html


def test_the_same_wheels_make_the_same_bytes_from_anywhere(wheels: Path, tmp_path: Path) -> None:
    publish(IndexRequest((wheels,), tmp_path / "a/out"))
    half = tmp_path / "half"
    half.mkdir()
    for path in sorted(wheels.iterdir())[2:]:
        path.rename(half / path.name)
    publish(IndexRequest((half, wheels, half), tmp_path / "b/out"))
    publish(IndexRequest((half, wheels), tmp_path / "b/out"))
    assert _tree(tmp_path / "a/out") == _tree(tmp_path / "b/out")


def test_a_plan_writes_nothing(wheels: Path, tmp_path: Path) -> None:
    made = publish(IndexRequest((wheels,), tmp_path / "out", plan=True))
    assert len(made.added) == 4
    assert not (tmp_path / "out").exists()


def test_wheels_elsewhere_are_named_by_their_address_alone(wheels: Path, tmp_path: Path) -> None:
    local = _wheel(wheels, "2.22.0+mac.1")
    metadata = b"Metadata-Version: 2.1\nName: demo\nVersion: 2.22.0+mac.1\n"
    local.with_name(f"{local.name}.metadata").write_bytes(metadata)
    request = IndexRequest((wheels,), tmp_path / "out", files_at="https://h.example/{folder}/")
    publish(request)
    *others, last = _page(tmp_path / "out")["files"]
    assert last["url"] == f"https://h.example/dist/demo-2.22.0%2Bmac.1-{ARM}.whl"
    assert last["core-metadata"] == {"sha256": hashlib.sha256(metadata).hexdigest()}
    assert not any("core-metadata" in file for file in others)
    assert not list((tmp_path / "out/packages/demo").iterdir())
    local.with_name(f"{local.name}.metadata").write_bytes(b"Name: evil\n")
    with pytest.raises(UsageError, match="not the METADATA"):
        publish(request)


def test_what_was_published_neither_changes_nor_vanishes(wheels: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    publish(IndexRequest((wheels,), out))
    before = _tree(out)
    gone = wheels / f"demo-2.9.0-{ARM}.whl"
    gone.unlink()
    with pytest.raises(WorkFailed, match="1 wheels that the index offers are in none"):
        publish(IndexRequest((wheels,), out))
    _wheel(wheels, "2.9.0", data="demo-2.9.0.data/purelib/more.py")
    with pytest.raises(WorkFailed, match="other bytes") as raised:
        publish(IndexRequest((wheels,), out, drop=True))
    assert gone.name in raised.value.detail
    assert _tree(out) == before
    gone.unlink()
    assert publish(IndexRequest((wheels,), out, drop=True)).dropped == (gone.name,)
    assert gone.name not in check_pages(out)
    assert not list(out.rglob(f"{gone.name}*"))


def test_pages_whose_names_lead_elsewhere_delete_nothing(wheels: Path, tmp_path: Path) -> None:
    out, precious = tmp_path / "out", tmp_path / "precious"
    publish(IndexRequest((wheels,), out))
    precious.write_text("x")
    page = out / "simple/demo/index.json"
    value = json.loads(page.read_text())
    value["files"].append({"filename": "../../../precious", "hashes": {"sha256": "0" * 64}})
    page.write_text(json.dumps(value))
    with pytest.raises(UsageError, match="cannot be read"):
        publish(IndexRequest((wheels,), out, drop=True))
    assert precious.exists()


def test_a_spoiled_copy_is_made_good(wheels: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    publish(IndexRequest((wheels,), out))
    before = _tree(out)
    for path in (out / "packages/demo").iterdir():
        path.unlink()
        path.write_bytes(b"half")
    publish(IndexRequest((wheels,), out))
    assert _tree(out) == before


def test_an_attestation_is_served_where_it_is_about_the_wheel(wheels: Path, tmp_path: Path) -> None:
    wheel = wheels / f"demo-2.21.0-{ARM}.whl"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    beside = wheel.with_name(f"{wheel.name}.sigstore.json")
    beside.write_text(json.dumps(_bundle(wheel.name, digest)))
    settings = tmp_path / "index.yaml"
    with pytest.raises(UsageError, match="no publisher"):
        publish(IndexRequest((wheels,), tmp_path / "out"))
    settings.write_text("publisher: {kind: GitHub, repository: o/r, workflow: release.yml}\n")
    request = IndexRequest((wheels,), tmp_path / "out", settings)
    publish(request)
    check_pages(tmp_path / "out")
    (url,) = [f["provenance"] for f in _page(tmp_path / "out")["files"] if "provenance" in f]
    served = json.loads((tmp_path / "out/simple/demo" / url).resolve().read_text())
    (bundle,) = served["attestation_bundles"]
    assert bundle["publisher"]["kind"] == "GitHub"
    assert bundle["attestations"][0]["verification_material"]["certificate"] == "Y2VydA=="
    wrong: Any
    for wrong in (
        _bundle(wheel.name, "0" * 64),
        {"dsseEnvelope": []},
        [1],
        _bundle("x.whl", digest),
    ):
        beside.write_text(json.dumps(wrong))
        with pytest.raises(UsageError, match=r"attest"):
            publish(request)


def _bundle(name: str, digest: str) -> dict[str, Any]:
    """A Sigstore bundle as actions/attest leaves it, but for its signature's worth."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}}],
    }
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    return {
        "verificationMaterial": {"certificate": {"rawBytes": "Y2VydA=="}, "tlogEntries": [{}]},
        "dsseEnvelope": {"payload": payload, "signatures": [{"sig": "c2ln"}]},
    }


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("projects: {demo: {yanked: {2.99: oops}}}", "withdraw `2.99` of demo"),
        ("projects: {demo: {status: dead}}", "projects.demo.status"),
        ("projects: {demo: {released: {2.9.0: yesterday}}}", "projects.demo.released.2.9.0"),
        ("project: {}", "project: "),
        ("projects: [", "not YAML"),
    ],
)
def test_wrong_settings_are_told(settings: str, says: str, wheels: Path, tmp_path: Path) -> None:
    path = tmp_path / "index.yaml"
    path.write_text(settings)
    with pytest.raises(UsageError) as raised:
        publish(IndexRequest((wheels,), tmp_path / "out", path))
    assert says in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_hostile_wheels_and_folders_are_refused(wheels: Path, tmp_path: Path) -> None:
    def refusal(*folders: Path, **flags: Any) -> str:
        with pytest.raises(MacosBuildError) as raised:
            publish(IndexRequest(folders, tmp_path / "out", **flags))
        return str(raised.value)

    hostile = tmp_path / "hostile"
    for requires in ('Requires-Python: "><script>\n', "Requires-Python: >=3\nRequires-Python: x\n"):
        wheel = _wheel(hostile, "1.0", requires=requires)
        assert "Requires-Python" in refusal(hostile)
    wheel.rename(hostile / '"><b>-1.0-py3-none-any.whl')
    assert "characters that wheels' names do not hold" in refusal(hostile)
    (other,) = hostile.iterdir()
    other.rename(hostile / f"other-1.0-{ARM}.whl")
    assert "demo-1.0" in refusal(hostile)
    assert "no such folder" in refusal(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "there is no wheel" in refusal(tmp_path / "empty")
    assert "no address" in refusal(wheels, files_at="javascript:{folder}")
    twin = _wheel(tmp_path / "twin", "2.9.0")
    assert "two wheels have this name" in refusal(wheels, twin.parent)
    (tmp_path / "out/simple").mkdir(parents=True)
    (tmp_path / "out/simple/thesis.tex").write_text("mine")
    assert "other things than an index" in refusal(wheels)
    assert (tmp_path / "out/simple/thesis.tex").read_text() == "mine"
    (tmp_path / "out/simple/index.json").write_text("{")
    assert "cannot be read" in refusal(wheels)


def test_a_kill_at_any_change_leaves_a_whole_index(wheels: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for path in sorted(wheels.iterdir())[2:]:
        path.unlink()
    request = IndexRequest((wheels,), out, drop=True)
    _wheel(tmp_path / "more", "3.0.0")
    more = IndexRequest((wheels, tmp_path / "more"), out, drop=True)
    old, new = (_offered(each) for each in (request, more))
    step = 0
    while True:
        publish(request)
        step += 1
        if not kills.ended_at(step, out, lambda: publish(more)):
            break
        assert check_pages(out) in (old, new)
    assert step > 10
    publish(more)
    assert check_pages(out) == new
    publish(IndexRequest((wheels, tmp_path / "more"), tmp_path / "fresh"))
    assert _tree(out) == _tree(tmp_path / "fresh")


def _offered(request: IndexRequest) -> list[str]:
    made = publish(IndexRequest(request.folders, request.out, drop=True, plan=True))
    return [file.path.name for project in made.projects for file in project.files]


def test_two_at_once_leave_one_whole_index(wheels: Path, tmp_path: Path) -> None:
    _wheel(tmp_path / "more", "3.0.0")
    requests = [
        IndexRequest(folders, tmp_path / "out", drop=True)
        for folders in ((wheels,), (wheels, tmp_path / "more"))
    ]
    threads = [threading.Thread(target=publish, args=(request,)) for request in requests * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert check_pages(tmp_path / "out") in [_offered(request) for request in requests]
