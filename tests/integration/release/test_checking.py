"""A published release that somebody has changed: each part is told by a message of its own."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import json
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.pipeline.releasing.check import TrustedSigner, check
from tensorflow_macos_build.release import checksums, model, provenance, sbom
from tensorflow_macos_build.release.model import FileKind, Manifest, ReleaseFile
from tensorflow_macos_build.wheels.sbom import with_bill
from tests import command_line
from tests.github_releases import REPOSITORY, TOKEN, github
from tests.servers import serving
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

TAG = "v1.0"
COMMIT = "0123456789" * 4


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def seal(folder: Path, *, manifest: bool = True) -> None:
    """Make SHA256SUMS, and release.json if that is asked for, true of what is there."""
    wheel = next(folder.glob("*.whl"))
    kinds = {wheel.name: FileKind.WHEEL, sbom.NAME: FileKind.SBOM,
             model.PROVENANCE: FileKind.PROVENANCE}  # fmt: skip
    if manifest:
        files = tuple(
            ReleaseFile(name, (folder / name).stat().st_size, digest(folder / name), kind)
            for name, kind in sorted(kinds.items())
        )
        upstream = {"url": "embedded:", "ref": "v1", "commit": COMMIT}
        tool = {"version": "1", "commit": ""}
        made = Manifest("demo", TAG, "demo", "1.0", upstream, tool, (), files)
        (folder / model.MANIFEST).write_text(documents.dumps(model.as_document(made)))
    listed = {name: digest(folder / name) for name in [*kinds, model.MANIFEST]}
    (folder / model.SUMS).write_text(checksums.format_sums(listed))


def attest(folder: Path, wheel: Path, sha256: str) -> None:
    statement = {
        "_type": provenance.STATEMENT,
        "subject": [{"name": wheel.name, "digest": {"sha256": sha256}}],
        "predicateType": provenance.SLSA,
        "predicate": {},
    }
    envelope = {
        "payload": base64.b64encode(json.dumps(statement).encode()).decode(),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": "AAAA"}],
    }
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "dsseEnvelope": envelope,
    }
    (folder / "attestation.sigstore.json").write_text(json.dumps(bundle))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release whose documents are all true, with an attestation and an index."""
    folder = tmp_path / "release"
    folder.mkdir()
    bill = sbom.content(sbom.Materials("demo", "1.0", "embedded:", "v1", COMMIT, (), (), (), "1"))
    wheel = write_wheel(folder, b"x = 1", bill)
    (folder / sbom.NAME).write_bytes(bill)
    write_provenance(folder, COMMIT)
    seal(folder)
    attest(folder, wheel, digest(wheel))
    page = tmp_path / "index/simple/demo"
    page.mkdir(parents=True)
    row = {"filename": wheel.name, "url": "x", "hashes": {"sha256": digest(wheel)}}
    (page / "index.json").write_text(json.dumps({"name": "demo", "files": [row]}))
    (page / "index.html").write_text(
        f'<a href="../../{wheel.name}#sha256={digest(wheel)}">{wheel.name}</a>'
    )
    return folder


def write_wheel(folder: Path, content: bytes, bill: bytes) -> Path:
    """Write the wheel; RECORD names the hash of `x = 1` whatever its module says."""
    path = "demo/__init__.py"
    made = Thin("arm64", {path: content}, lies={path: b"x = 1"})
    thin = folder.parent / "thin"
    thin.mkdir(exist_ok=True)
    return with_bill(made.write(thin), folder, sbom.NAME, bill).wheel


def write_provenance(folder: Path, commit: str) -> None:
    wheel = next(folder.glob("*.whl"))
    origin = provenance.BuildOrigin(
        {"name": "demo"}, {"url": "embedded:", "ref": "v1", "commit": commit}, "", {}, "0" * 40,
        {}, "", {}, [],
    )  # fmt: skip
    file = ReleaseFile(wheel.name, 1, digest(wheel), FileKind.WHEEL)
    statement = documents.dumps(provenance.statement([file], origin))
    (folder / model.PROVENANCE).write_text(statement)


def look(target: Path | str, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return command_line.run("release.verify", target, "--json", *words, env={"PATH": "/bin", **env})


def broken(folder: Path, *words: str | Path) -> dict[str, str]:
    done = look(folder, "--index", folder.parent / "index", *words)
    document = json.loads(done.stdout)
    documents.check(document)
    assert (done.returncode == 0) == document["ok"], done.stderr
    return {row["name"]: row["words"] for row in document["checks"] if row["state"] == "broken"}


def change(folder: Path, name: str, edit: Callable[[bytes], bytes]) -> None:
    path = folder / name
    path.write_bytes(edit(path.read_bytes()))


def spoil_wheel(folder: Path) -> None:
    write_wheel(folder, b"x = 6", (folder / sbom.NAME).read_bytes())


def spoil_attestation(folder: Path) -> None:
    attest(folder, next(folder.glob("*.whl")), "0" * 64)


def spoil_index(folder: Path, form: str) -> None:
    sha256 = digest(next(folder.glob("*.whl"))).encode()
    page = folder.parent / "index/simple/demo"
    change(page, form, lambda content: content.replace(sha256, b"0" * 64))


def reseal(folder: Path, spoil: Callable[[Path], object], *, manifest: bool = True) -> None:
    spoil(folder)
    seal(folder, manifest=manifest)


def lie_about_size(folder: Path) -> None:
    change(folder, model.MANIFEST, lambda text: re.sub(rb'"size": ([0-9])', rb'"size": 9\1', text))
    seal(folder, manifest=False)


def _bill(folder: Path) -> None:
    change(folder, sbom.NAME, lambda content: content.replace(b'"v1"', b'"v2"'))


TAMPERED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "wheel": (spoil_wheel, "checksums", "not the file that SHA256SUMS names"),
    "wheel and checksums": (
        lambda folder: reseal(folder, spoil_wheel, manifest=False),
        "manifest",
        "not the file that release.json names",
    ),
    "wheel and documents": (
        lambda folder: reseal(folder, spoil_wheel), "provenance", "it is of another demo"
    ),
    "bill": (lambda folder: reseal(folder, _bill), "sbom", "not the bill of materials that"),
    "provenance": (
        lambda folder: reseal(folder, lambda inner: write_provenance(inner, "f" * 40)),
        "provenance",
        "another commit",
    ),
    "attestation": (spoil_attestation, "attestation", "it is of another demo"),
    "no attestation": (
        lambda folder: change(folder, "attestation.sigstore.json", lambda _: b"{}"),
        "attestation",
        "it is no attestation",
    ),
    "index": (lambda folder: spoil_index(folder, "index.json"), "index", "another file under"),
    "page": (lambda folder: spoil_index(folder, "index.html"), "index", "another file under"),
    "size": (lie_about_size, "manifest", "bytes that release.json says"),
    "stray": (
        lambda folder: (folder / "evil.whl").write_bytes(b"x"), "manifest", "does not list it"
    ),
    "manifest": (
        lambda folder: change(folder, model.MANIFEST, lambda _: b"[]"), "manifest", "no manifest"
    ),
}  # fmt: skip


def test_a_true_release_holds_and_who_asks_for_a_signature_is_told_that_none_is_proven(
    release: Path,
) -> None:
    assert broken(release) == {}
    assert "was not proven" in broken(release, "--signed")["attestation"]


@pytest.mark.parametrize("name", TAMPERED)
def test_each_change_is_told_by_its_own_message(release: Path, name: str) -> None:
    spoil, check, words = TAMPERED[name]
    spoil(release)
    faults = broken(release)
    assert words in faults[check]
    if check in ("sbom", "index", "attestation"):
        assert set(faults) == {check}
    if name == "wheel and documents":  # RECORD inside the wheel knows it, too
        assert "record-hash" in faults["wheel"]


def test_it_is_looked_at_wherever_it_is(release: Path, tmp_path: Path) -> None:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(release))
    contents = {path.name: path.read_bytes() for path in release.iterdir()}
    with serving(handler, threading.Event()) as address:  # type: ignore[arg-type]
        done = look(address, "--into", tmp_path / "kept")
        assert done.returncode == 0, done.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()} == contents
    with github(digests=False) as server:
        server.add(TAG, draft=False, files=contents)
        server.expected.clear()
        flags = ("--repository", REPOSITORY, "--api", server.address)
        done = look(TAG, *flags, GH_TOKEN=TOKEN)
        assert done.returncode == 0, done.stderr
        assert TOKEN not in done.stdout + done.stderr
        missing: Any = look("v2.0", *flags, GH_TOKEN=TOKEN)
        assert (missing.returncode, "has no release v2.0" in missing.stderr) == (2, True)
        assert not server.wrongs


def test_no_file_is_hashed_twice(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    real = files.sha256

    def counted(path: Path) -> str:
        hashed.append(path.name)
        return real(path)

    monkeypatch.setattr(files, "sha256", counted)
    checked = check(release, TrustedSigner())
    assert checked.ok
    names = {path.name for path in release.iterdir()}
    assert sorted(hashed) == sorted(names - {model.SUMS, "attestation.sigstore.json"})
