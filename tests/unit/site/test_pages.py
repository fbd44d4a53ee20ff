"""The pages of a site say what its documents say, and nothing else gets onto them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.report.amounts import size
from tensorflow_macos_build.site import SiteRequest, publish, reading
from tensorflow_macos_build.site.anchors import address
from tests import site_documents, site_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.documents import Json
    from tests.site_files import ReadPage

DOCUMENTS = site_documents.everything()


def made(folder: Path, contents: dict[str, Json], **options: Any) -> dict[str, bytes]:
    """Return the files of a site of some documents."""
    source = site_documents.write(folder / "documents", contents)
    request = SiteRequest((source,), folder / "site", "Some Macs", **options)
    return dict(publish(request).files)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return made(tmp_path_factory.mktemp("site"), DOCUMENTS, index="https://example.org/simple/")


@pytest.fixture(scope="module")
def pages(files: dict[str, bytes]) -> dict[str, ReadPage]:
    return site_files.pages(files)


def test_every_link_within_the_site_leads_somewhere(files: dict[str, bytes]) -> None:
    assert list(site_files.lost_links(files)) == []


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(files: dict[str, bytes]) -> None:
    for name, page in site_files.pages(files).items():
        assert not list(page.root.iter("script")), name
        loaded = [link.get("href", "") for link in page.root.iter("link")]
        assert all(href.startswith("data:") or href in files for href in loaded), name
        assert not [item for item in page.root.iter() if item.get("src") or item.get("style")]
        assert not [name for item in page.root.iter() for name in item.attrib if name[:2] == "on"]
    assert b"url(" not in files["style.css"]
    assert b"@import" not in files["style.css"]


def test_every_number_has_an_address_of_its_own(pages: dict[str, ReadPage]) -> None:
    for page in pages.values():
        cells = [cell for cell in page.root.iter("td") if "".join(cell.itertext()).strip()]
        assert all(cell.get("id") for cell in cells)
        assert all(row.get("id") for body in page.root.iter("tbody") for row in body)


def test_releases_say_for_whom_and_how(pages: dict[str, ReadPage]) -> None:
    page = pages["releases.html"]
    for version in ("2.20.0", "2.21.0"):
        name = site_documents.wheel_name(version)
        row = address(f"v{version}", "wheels", name)
        assert page.text(f"{row}--SHA-256") == site_documents.sha(name)
        assert page.text(f"{row}--size") == "498.1 MB"
        assert page.text(f"{row}--Python") == "cp312"
        assert page.text(f"{row}--for") == (
            "Apple silicon, macOS 12.0 or later; Intel, macOS 10.15 or later"
        )
    instructions = page.text(
        address("v2.21.0", "wheels", site_documents.wheel_name("2.21.0"), "instruction set")
    )
    assert "x86_64: --config=fork_macos_x86 -mavx2 -mfma" in instructions
    assert "pip install --index-url https://example.org/simple/ tensorflow==2.21.0" in page.text(
        "v2.21.0--commands"
    )
    gates = {gate["name"]: gate for gate in DOCUMENTS["releases/v2.20.0/release.json"]["gates"]}
    for name, gate in gates.items():
        assert page.text(address("v2.20.0", "gates", name, "outcome")) == gate["outcome"]
        assert page.text(address("v2.20.0", "gates", name, "seen")) == gate["why"]


def test_the_evidence_of_a_release_is_counted(pages: dict[str, ReadPage]) -> None:
    page = pages["releases.html"]
    evidence = DOCUMENTS["releases/v2.21.0/evidence.json"]
    name = evidence["wheel"]["name"]
    for machine, leg in {(row["machine"], row["leg"]) for row in evidence["smoke"]}:
        row = address("v2.21.0", "smoke", f"{name} on {machine} as {leg}")
        own = [row for row in evidence["smoke"] if (row["machine"], row["leg"]) == (machine, leg)]
        passed = sum(check["outcome"] == "passed" for check in own)
        assert page.text(f"{row}--passed") == str(passed)
    assert page.text(address("v2.21.0", "findings", name, "warnings")) == "1"
    assert page.text(address("v2.21.0", "findings", name, "errors")) == "0"


@pytest.mark.parametrize("queue", ["tf-2.20", "tf-2.21"])
def test_a_queue_has_its_fates_counts_and_culprits(pages: dict[str, ReadPage], queue: str) -> None:
    page, forecast = pages["queues.html"], DOCUMENTS[f"forecasts/{queue}.json"]
    words = {"upstream-identical": "upstream"}
    for column, revision in enumerate(forecast["revisions"]):
        statuses = [patch["fates"][column]["status"] for patch in forecast["patches"]]
        for patch, status in zip(forecast["patches"], statuses, strict=True):
            cell = address(queue, "patches", patch["name"], revision["ref"])
            assert page.text(cell) == words.get(status, status)
        row = address(queue, "counts", revision["ref"])
        conflicts = statuses.count("conflict")
        assert page.text(f"{row}--conflicts") == str(conflicts)
        assert page.text(f"{row}--clean") == str(statuses.count("clean"))
        distance = page.text(address(queue, "counts", revision["ref"], "commits on"))
        assert distance == f"{revision['distance']:,}"
        verdict = page.text(address("matrix", "queues", queue, revision["ref"]))
        assert verdict == (f"{conflicts} conflict" if conflicts else "moves")
    for culprit in _culprits(forecast):
        row = address(queue, "culprits", culprit["commit"])
        assert page.text(f"{row}--commit") == culprit["commit"][:12]
        assert culprit["subject"] in page.text(row)


def _culprits(forecast: Json) -> Iterator[Json]:
    for patch in forecast["patches"]:
        for fate in patch["fates"]:
            if fate["breaking"]:
                yield fate["breaking"]["commit"]


def test_rounds_and_caches_are_the_documents(pages: dict[str, ReadPage]) -> None:
    page = pages["builds.html"]
    for row in DOCUMENTS["builds/rounds.json"]["rounds"]:
        where = ("rounds of demo", "rounds", f"{row['number']} of {row['plan'][:12]}")
        assert page.text(address(*where, "end")) == row["end"]
        assert page.text(address(*where, "actions run")) == f"{row['run']:,}"
        hits = "not known" if row["hits"] is None else f"{row['hits']:,}"
        assert page.text(address(*where, "from the state")) == hits
    rows = [row.get("id") for row in page.by_id["caches--caches"].iter("tr")][1::2]
    digests = [
        json_sha(DOCUMENTS[f"builds/night-{night}/report.json"])[:12] for night in (1, 2, 10)
    ]
    # In the order of the files' names as people read them: night-2 comes before night-10.
    assert rows == [address("caches", "caches", f"tf-2.21 arm64 {digest}") for digest in digests]
    for night, digest in zip((1, 2, 10), digests, strict=True):
        for wheel in DOCUMENTS[f"builds/night-{night}/report.json"]["thin_wheels"]:
            where = ("caches", "caches", f"tf-2.21 {wheel['architecture']} {digest}")
            assert page.text(address(*where, "from caches")) == f"{wheel['cache_hits']:,}"
            share = 100 * wheel["cache_hits"] / wheel["actions"]
            assert page.text(address(*where, "share")) == f"{share:.1f} %"


def json_sha(body: Json) -> str:
    """Return the SHA-256 of a document as it was written."""
    return site_documents.sha(documents.dumps(body))


def test_the_newest_document_about_a_thing_has_the_plain_address(
    pages: dict[str, ReadPage],
) -> None:
    page = pages["builds.html"]
    newest = DOCUMENTS["builds/night-10/report.json"]["stages"]
    took = {stage["name"]: stage["seconds"] for stage in newest}
    assert page.text(address("tf-2.21", "stages", "verify", "took")) == f"{took['verify']:.1f} s"
    older = "tf-2.21, documents/builds/night-1/report.json"
    assert page.text(address(older, "stages", "build-arm64", "took")) == "4 h 30 min"


def test_smoke_tests_and_sweeps_are_counted(pages: dict[str, ReadPage]) -> None:
    page = pages["smoke.html"]
    tested = DOCUMENTS["smoke/m2.json"]
    name = f"{tested['subject']} on GPU:0"
    for check in tested["checks"]:
        where = (name, "as arm64", check["name"])
        assert page.text(address(*where, "outcome")) == check["outcome"].replace("_", " ")
    passed = sum(check["outcome"] == "passed" for check in tested["checks"])
    assert page.text(address("tests", "tests", name, "passed")) == str(passed)
    for file, device in (("sweep-gpu", "GPU:0"), ("sweep-cpu", "CPU:0")):
        swept = DOCUMENTS[f"smoke/{file}.json"]
        sweep = f"sweep of {swept['subject']} on {device} as arm64"
        for outcome, count in swept["counts"].items():
            assert page.text(address(sweep, "outcomes", outcome, "kernels")) == str(count)
        for op in {row["op"] for row in swept["results"]}:
            kernels = [row["outcome"] for row in swept["results"] if row["op"] == op]
            column = f"{device} as arm64, {swept['tensorflow']}"
            shown = page.text(address("coverage", "ops", op, column))
            assert {(word, int(count)) for count, word in re.findall(r"(\d+) (\w+)", shown)} == {
                (outcome, kernels.count(outcome)) for outcome in kernels
            }


def test_benchmarks_have_their_ratios_and_intervals(pages: dict[str, ReadPage]) -> None:
    page, bench = pages["bench.html"], DOCUMENTS["bench/bench.json"]
    name = "fork, metal beside stock, tiny, on Apple M2"
    for row in bench["rows"]:
        where = (name, "ratios", f"{row['workload']} {'A/A' if row['control'] else row['arm']}")
        for title, key in (("ratio", "ratio"), ("from", "low"), ("to", "high")):
            assert page.text(address(*where, title)) == f"{row['ratio'][key]:.2f}"
        graphic = page.by_id[address(*where, "interval")]
        assert len(list(graphic.iter("rect"))) == 3


def test_plugins_load_or_lack(pages: dict[str, ReadPage]) -> None:
    page, matrix = pages["plugins.html"], DOCUMENTS["plugins/matrix.json"]
    for cell in matrix["cells"]:
        plugin, host = matrix["plugins"][cell["plugin"]], matrix["hosts"][cell["host"]]
        where = (f"plugins-{host['arch']}", "matrix", f"tensorflow-metal {plugin['version']}")
        shown = page.text(address(*where, f"tensorflow {host['version']}"))
        assert shown == ("loads" if cell["loads"] else f"lacks {len(cell['missing'])} symbols")


def test_a_wheels_folders_have_their_sizes(pages: dict[str, ReadPage]) -> None:
    page, contents = pages["wheels.html"], DOCUMENTS["wheels/contents.json"]
    name = f"contents of {contents['wheel']['name']}"
    for folder in contents["folders"]:
        where = (name, "folders", folder["folder"])
        assert page.text(address(*where, "files")) == f"{folder['files']:,}"
        assert page.text(address(*where, "unpacked")) == size(folder["size"])
        assert page.text(address(*where, "in the wheel")) == size(folder["compressed"])
        for arch, count in folder["slices"].items():
            assert page.text(address(*where, arch)) == size(count)
    files = sum(folder["files"] for folder in contents["folders"])
    assert page.text(address(name, "files")) == f"{files:,}"


def test_findings_of_verify_are_counted_by_kind(pages: dict[str, ReadPage]) -> None:
    page, verified = pages["wheels.html"], DOCUMENTS["wheels/verification.json"]
    name = f"verification of {verified['wheel']}"
    codes = [finding["code"] for finding in verified["findings"]]
    for code in codes:
        assert page.text(address(name, "findings", code, "findings")) == str(codes.count(code))
    for severity, count in verified["counts"].items():
        assert page.text(address(name, f"{severity}s")) == f"{count:,}"


def test_a_rebase_says_whom_a_conflict_is_due_to(pages: dict[str, ReadPage]) -> None:
    page, rebased = pages["queues.html"], DOCUMENTS["forecasts/rebase.json"]
    name, ref = "demo onto v2", rebased["onto"]["ref"]
    for patch in rebased["patches"]:
        cell = page.by_id[address(name, "patches", patch["name"], ref)]
        culprits = [
            commit["commit"]
            for conflict in patch["evidence"]["conflicts"]
            for commit in conflict["culprits"]
        ]
        if patch["status"] == "conflict":
            link = cell.find("a")
            assert link is not None
            assert link.get("href") == f"queues.html#{address(name, 'culprits', culprits[0])}"


def test_upstreams_releases_picks_and_conditions_are_those_of_the_document(
    pages: dict[str, ReadPage],
) -> None:
    page, status = pages["upstream.html"], DOCUMENTS["forecasts/upstream.json"]
    name = f"{status['upstream']} since {status['base']['ref']}"
    behind = status["behind"]
    assert page.text(address(name, "distance")) == (
        f"behind by {behind['releases']} release, {behind['commits']} commits,"
        f" {behind['days']} days"
    )
    assert page.text(address(name, "commits of its own")) == str(behind["own"])
    named = [(row["tag"], row) for row in (*status["newer"], *status["previews"])]
    coming = [(row["name"], row) for row in status["branches"] if not row["released"]]
    for ref, row in (*named, *coming, (status["base"]["ref"], status["base"])):
        where = (name, "releases", ref)
        assert page.text(address(*where, "version")) == row["version"]
        assert page.text(address(*where, "date")) == row["date"]
        assert page.text(address(*where, "commit")) == row["commit"][:12]
    states = []
    for row in page.by_id[address(name, "picks")].iter("tr"):
        if row.get("id"):
            states.append(page.text(f"{row.get('id')}--state"))
    assert states == [pick["state"] for pick in status["picks"]]
    for due in status["due"]:
        where = (name, "due", f"{due['name']} {due['condition']}")
        assert page.text(address(*where, "true since")) == due["ref"]


def test_a_base_that_nothing_is_newer_than_is_not_behind(tmp_path: Path) -> None:
    body = {**DOCUMENTS["forecasts/upstream.json"], "behind": None, "newer": [], "due": []}
    files = made(tmp_path, {"status.json": {**body, "picks": []}})
    page = site_files.read(files["upstream.html"])
    name = f"{body['upstream']} since {body['base']['ref']}"
    assert page.text(address(name, "distance")) == "no release is newer"
    assert address(name, "picks") not in page.by_id


def test_every_kind_of_document_has_a_page(pages: dict[str, ReadPage]) -> None:
    kinds = {
        f"{body['schema']['name']}.v{body['schema']['version']}" for body in DOCUMENTS.values()
    }
    assert kinds | {"release-index.v1"} == set(reading.SHOWN)


def test_every_document_is_named_with_its_hash(pages: dict[str, ReadPage]) -> None:
    page = pages["documents.html"]
    for name, body in DOCUMENTS.items():
        where = ("all", "documents", f"documents/{name}")
        assert page.text(address(*where, "SHA-256")) == json_sha(body)


def test_a_site_of_no_documents_has_a_first_page(tmp_path: Path) -> None:
    files = made(tmp_path, {})
    assert sorted(files) == ["documents.html", "index.html", "style.css"]
    assert list(site_files.lost_links(files)) == []


_OWN_LINK = re.compile(r"([a-z]+\.(html|atom))?(#[A-Za-z0-9._+~-]+)?|https://[a-z.]+/[^\"<>]*")

_BOUND = re.compile(r"[0-9a-f]{40,64}|[1-9][0-9]*|\d{4}-\d\d-\d\d")
"""What schemas demand of some texts: an id, a number, a day."""

EVIL = "</td><script>alert(1)</script>&amp;\"'\x1b[31m\x00\u202e--../../etc#"


def _evil(value: Any, kept: frozenset[str]) -> Any:
    """Return a document in which every text that may be anything is hostile."""
    match value:
        case dict():
            return {key: item if key in kept else _evil(item, kept) for key, item in value.items()}
        case list():
            return [_evil(item, kept) for item in value]
        case str() if not _BOUND.fullmatch(value):
            return f"{EVIL}{value}"
        case _:
            return value


_ENUMS = frozenset(
    ("schema", "outcome", "status", "how", "verdict", "end", "severity", "kind", "size", "law")
) | {"tag", "name", "on_conflict", "found_by", "class", "state", "before", "after", "code"}


def test_hostile_words_are_text_and_never_markup(tmp_path: Path) -> None:
    hostile = {
        name: _evil(body, _ENUMS if name.startswith("releases") else _ENUMS - {"name", "tag"})
        for name, body in DOCUMENTS.items()
        if not name.startswith("bench")
    }
    files = made(tmp_path, hostile)
    for page in site_files.pages(files).values():
        assert not list(page.root.iter("script"))
        assert all(_OWN_LINK.fullmatch(link.get("href", "")) for link in page.root.iter("a"))
    text = b"".join(files.values()).decode()
    assert "alert(1)" in text
    assert not re.search("[\x00-\x08\x1b\u202e]", text)
    assert list(site_files.lost_links(files)) == []
    assert all("/" not in name and name.islower() for name in files)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "//example.org/"])
def test_a_commits_link_leads_to_a_web_page_or_nowhere(tmp_path: Path, link: str) -> None:
    text = json.dumps(site_documents.forecast("q", ("a", "b")))
    body = json.loads(re.sub(r'"link": "[^"]*"', f'"link": "{link}"', text))
    files = made(tmp_path, {"forecast.json": body})
    assert link.encode() not in files["queues.html"]
