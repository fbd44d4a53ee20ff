"""The table of plugins: from a folder and an index alike, with as little fetched as may be."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.retry import Retry
from tensorflow_macos_build.views import matrix as view
from tensorflow_macos_build.views import matrix_picture
from tensorflow_macos_build.wheels.matrix import MatrixRequest, index, make, range_file
from tensorflow_macos_build.wheels.wheelhouse.fetch import NotFetched
from tests.dripping import Drip, dripping
from tests.package_index import package_index
from tests.plugin_wheels import ARM64, EXPORTED, PLUGIN, PluginMaker
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.wheels.matrix import Matrix
    from tests.machos import Toolchain
    from tests.package_index import Index

USES = "extern int TF_One(void), TF_Two(void); int use(void) { return TF_One() + TF_Two(); }"
WEAK = (
    "extern int TF_One(void), TF_Two(void) __attribute__((weak_import));"
    " int use(void) { return TF_One() + (TF_Two ? TF_Two() : 0); }"
)
ONE = "int TF_One(void) { return 1; }"
SOON = Retry(attempts=3, first_pause=0.0, grace=0.2)


@pytest.fixture(scope="module")
def folder(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two releases of TensorFlow, one of them twice and one empty, and two plugins."""
    folder = tmp_path_factory.mktemp("wheels")
    maker = PluginMaker(toolchain, folder)
    # So that most of the wheel is what nobody needs to read.
    ballast = {"tensorflow/data.bin": bytes(range(256)) * 4000}
    maker.tensorflow(maker.core(ONE), ballast, version="2.20.0")
    maker.tensorflow(maker.core(EXPORTED), ballast, version="2.20.1")
    maker.tensorflow(maker.core(ONE), ballast, version="2.21.0")
    WheelFiles({"tensorflow/__init__.py": b""}, "tensorflow", "2.22.0", ARM64).write(folder)
    for version, source in (("1.0", USES), ("1.1", WEAK)):
        content = maker.image(source, maker.core()).read_bytes()
        WheelFiles({PLUGIN: content}, "plug", version, ARM64).write(folder)
    return folder


def requested(cache: Path, **changes: Any) -> MatrixRequest:
    given: dict[str, Any] = {
        "plugins": ("plug",), "hosts": ("tensorflow>=2.5",), "arches": ("arm64", "x86_64"),
        "cache": cache, "retry": SOON,
    }  # fmt: skip
    return MatrixRequest(**{**given, **changes})


def verdicts(matrix: Matrix) -> dict[tuple[str, str], str]:
    return {(cell.plugin.version, cell.host.version): view.in_words(cell) for cell in matrix.cells}


EXPECTED = {
    ("1.0", "2.20.1"): "loads",
    ("1.0", "2.21.0"): "1",
    ("1.1", "2.20.1"): "loads",
    ("1.1", "2.21.0"): "loads, 1 null",
}


def test_a_folder_of_wheels_makes_the_table(folder: Path, tmp_path: Path) -> None:
    matrix = make(requested(tmp_path, folder=folder), silent)
    assert verdicts(matrix) == EXPECTED
    assert matrix.passed_over == (f"tensorflow-2.22.0-{ARM64}.whl",)
    lacking = next(cell for cell in matrix.cells if not cell.loads)
    assert lacking.missing == {"_TF_Two"}
    assert {host.version: names for host, names in matrix.exported.items()} == {
        "2.20.1": {"_TF_One", "_TF_Two"}, "2.21.0": {"_TF_One"},
    }  # fmt: skip
    assert all(matrix.taken(plugin) == {"_TF_One", "_TF_Two"} for plugin in matrix.plugins)


def test_every_release_counts_where_it_is_asked_for(folder: Path, tmp_path: Path) -> None:
    matrix = make(requested(tmp_path, folder=folder, every=True), silent)
    assert [host.version for host in matrix.hosts] == ["2.20.0", "2.20.1", "2.21.0"]


def test_the_document_holds_to_its_schema_and_tells_what_it_is_made_of(
    folder: Path, tmp_path: Path
) -> None:
    matrix = make(requested(tmp_path, folder=folder), silent)
    document = view.as_document(matrix)
    documents.check(document)
    assert document["hosts"][1]["exported"] == [[0, 0]]
    assert view.as_document(make(requested(tmp_path, folder=folder), silent)) == document
    assert "| 2.21.0 | 1 | loads, 1 null |" in view.as_markdown(matrix)
    assert matrix_picture.draw(matrix).count("<rect") == 1 + 1 + 4 + 4


@pytest.mark.parametrize("ranges", [True, False])
def test_an_index_makes_the_same_table(folder: Path, tmp_path: Path, ranges: bool) -> None:
    with package_index(folder) as served:
        served.ranges = ranges
        matrix = make(requested(tmp_path, index=served.url), silent)
        assert verdicts(matrix) == EXPECTED
        fetched(served, tmp_path)


def fetched(served: Index, cache: Path) -> None:
    """Check that a second run asks for no wheel of TensorFlow, which the cache knows."""
    served.requests.clear()
    make(requested(cache, index=served.url), silent)
    assert {name for name, _ in served.requests if name.startswith("tensorflow")} == set()


def test_a_range_file_reads_what_is_asked_for_and_little_else(folder: Path, tmp_path: Path) -> None:
    name = f"tensorflow-2.21.0-{ARM64}.whl"
    content = (folder / name).read_bytes()
    big = tmp_path / name
    big.write_bytes(content + bytes(3_000_000))
    with package_index(tmp_path) as served:
        url = f"{served.url.removesuffix('/simple')}/files/{name}"
        with range_file.RangeFile(url, SOON) as file:
            file.seek(-10, 2)
            assert file.read() == bytes(10)
            file.seek(5)
            assert file.read(300) == content[5:305]
            file.seek(0)
            assert io.BufferedReader(file).read(100) == content[:100]
            assert file.fetched < 500_000


def test_a_range_that_is_cut_off_is_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(bytes(range(250)) * 4000)
    with package_index(tmp_path) as served:
        served.cut = 2
        url = f"{served.url.removesuffix('/simple')}/files/large.bin"
        with range_file.RangeFile(url, SOON) as file:
            assert file.read(250) == bytes(range(250))


@pytest.mark.parametrize("fault", ["busy", "cut"])
def test_a_server_that_fails_for_a_while_is_asked_again(
    folder: Path, tmp_path: Path, fault: str
) -> None:
    with package_index(folder) as served:
        setattr(served, fault, 2)
        assert verdicts(make(requested(tmp_path, index=served.url), silent)) == EXPECTED


def test_a_server_that_stays_down_is_an_error_with_its_address(
    folder: Path, tmp_path: Path
) -> None:
    with package_index(folder) as served:
        served.busy = 1000
        with pytest.raises(NotFetched) as error:
            make(requested(tmp_path, index=served.url), silent)
    assert served.url.removesuffix("/simple") in error.value.where


@pytest.mark.parametrize("drip", [Drip.HEADERS, Drip.BODY, Drip.RANGE])
def test_a_page_or_a_wheel_that_drips_is_left(drip: Drip) -> None:
    with dripping(drip) as address:
        with pytest.raises(NotFetched, match=r"does not end|too slowly"):
            index.of_index(address, "demo", SOON)
        with pytest.raises(NotFetched, match=r"does not end|too slowly"):
            range_file.RangeFile(address, SOON)


def test_pages_of_both_kinds_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "a" * 64
    pages = {
        "application/vnd.pypi.simple.v1+json": json.dumps({"files": [
            {"url": "../files/p-1-py3-none-any.whl", "hashes": {"sha256": digest}},
            {"url": "p-2-py3-none-any.whl", "hashes": {"sha256": digest}, "yanked": "bad"},
            {"url": "p-3.tar.gz", "hashes": {"sha256": digest}},
            {"url": "p-4-py3-none-any.whl", "hashes": {}},
            {"url": "file:///etc/p-5-py3-none-any.whl", "hashes": {"sha256": digest}},
        ]}),
        "text/html": f'<a href="../files/p-1-py3-none-any.whl#sha256={digest}">p</a>'
        f'<a data-yanked="" href="p-2-py3-none-any.whl#sha256={digest}">p</a><a>nothing</a>',
    }  # fmt: skip
    for kind, page in pages.items():
        answer = (page, kind, "https://example.org/simple/p/")
        monkeypatch.setattr(index, "_page", lambda *_, answer=answer: answer)
        (offer,) = index.of_index("https://example.org/simple", "P", SOON)
        assert offer.url == "https://example.org/simple/files/p-1-py3-none-any.whl"
        assert offer.sha256 == digest


@pytest.mark.parametrize("page", ["", "[]", '{"files": 3}', '{"files": [{"url": 1}]}'])
def test_a_page_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    answer = (page, "application/vnd.pypi.simple.v1+json", "https://example.org/")
    monkeypatch.setattr(index, "_page", lambda *_: answer)
    with pytest.raises(NotFetched, match="no page of an index"):
        index.of_index("https://example.org", "p", SOON)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"plugins": ("not a requirement!",)}, "no requirement"),
        ({"index": "ftp://example.org"}, "begins with http"),
    ],
)
def test_a_malformed_request_is_wrong_usage(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        make(requested(tmp_path, **changes), silent)


def test_what_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match="no wheel of other"):
        make(requested(tmp_path, folder=folder, plugins=("other",)), silent)
    with pytest.raises(UsageError, match="no such folder"):
        make(requested(tmp_path, folder=tmp_path / "nowhere"), silent)


@pytest.mark.parametrize("spoil", ["truncate", "no-zip", "bad-member"])
def test_a_broken_wheel_is_named(folder: Path, tmp_path: Path, spoil: str) -> None:
    broken = tmp_path / f"plug-1.0-{ARM64}.whl"
    content = (folder / broken.name).read_bytes()
    if spoil == "bad-member":
        with zipfile.ZipFile(folder / broken.name) as archive:
            at = archive.getinfo(PLUGIN).header_offset + 60
        content = content[:at] + bytes(50) + content[at + 50 :]
    broken.write_bytes({"truncate": content[:-100], "no-zip": b"x" * 99}.get(spoil, content))
    core = folder / f"tensorflow-2.21.0-{ARM64}.whl"
    (tmp_path / core.name).write_bytes(core.read_bytes())
    with pytest.raises(WorkFailed) as error:
        make(requested(tmp_path / "cache", folder=tmp_path), silent)
    assert broken.name in error.value.where


def test_a_cache_of_rubbish_is_made_anew(folder: Path, tmp_path: Path) -> None:
    make(requested(tmp_path, folder=folder), silent)
    for cached in tmp_path.glob("*.json"):
        cached.write_text('{"cells": {"x": []}}', encoding="utf-8")
    assert verdicts(make(requested(tmp_path, folder=folder), silent)) == EXPECTED
