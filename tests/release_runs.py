"""Random runs of publishing against a server that fails: each ends complete, or can be resumed."""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
import warnings
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.release import checksums, model, prepared
from tensorflow_macos_build.release.model import FileKind, Gate, GateOutcome, Manifest, ReleaseFile
from tensorflow_macos_build.release.publishing import engine, github
from tensorflow_macos_build.release.publishing.secrets import Secret
from tensorflow_macos_build.retry import Retry
from tests import github_releases
from tests.github_releases import FAULTS, REPOSITORY, TOKEN, GitHub

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.release.prepared import PreparedFolder

TAG = "v2.17.0"
MOST_RUNS = 60


def make(folder: Path, contents: dict[str, bytes], project: str = "tensorflow") -> PreparedFolder:
    """Write a release's folder with some files, all documents in order."""
    folder.mkdir(parents=True)
    for name, content in {**contents, model.NOTES: b"# Notes\n"}.items():
        (folder / name).write_bytes(content)
    kinds = {model.NOTES: FileKind.NOTES}
    listed = tuple(
        ReleaseFile(
            path.name,
            path.stat().st_size,
            files.sha256(path),
            kinds.get(path.name, FileKind.WHEEL),
        )
        for path in sorted(folder.iterdir())
    )
    upstream = {"url": "embedded:", "ref": TAG, "commit": "0" * 40}
    gates = (Gate("smoked", GateOutcome.PASSED, "1 check passed"),)
    tool = {"version": "1", "commit": ""}
    manifest = Manifest("demo", TAG, project, "2.17.0", upstream, tool, gates, listed)
    (folder / model.MANIFEST).write_text(documents.dumps(model.as_document(manifest)))
    sums = {path.name: files.sha256(path) for path in folder.iterdir()}
    (folder / model.SUMS).write_text(checksums.format_sums(sums))
    return prepared.read(folder)


def digests(release: PreparedFolder) -> dict[str, str]:
    """Return the SHA-256 of each file that is to be published, by name."""
    return {file.name: file.sha256 for file in release.files}


def door(server: GitHub, token: str = TOKEN) -> github.GitHubReleases:
    """Return the door to a server."""
    api = github.api(server.address, Secret(token, "a test"))
    return github.GitHubReleases(api, server.address, REPOSITORY, TAG)


IMPATIENT = engine.Patience(Retry(attempts=6, first_pause=0.0), wait=lambda _: None)
"""Waits for nothing: the server counts requests, and not seconds."""


def random_run(seed: int, folder: Path) -> int:
    """Publish a random release with random faults until it is done; return how many runs it took.

    Raises:
        AssertionError: something wrong was public, the token turned up, or it never ends.
    """
    chance = random.Random(seed)
    release = make(folder / "release", _contents(chance))
    faults = _faults(chance)
    settings = {"immutable": chance.random() < 0.5, "digests": chance.random() < 0.7}
    with github_releases.github(fault=lambda number: faults.get(number, ""), **settings) as server:
        server.expected[TAG] = digests(release)
        _prepare(server, release, chance)
        log = folder / "log"
        runs = 0
        while _child(server, release, log):
            runs += 1
            assert not server.wrongs, (seed, server.wrongs)
            assert TOKEN.encode() not in log.read_bytes(), seed
            assert runs < MOST_RUNS, (seed, log.read_text()[-2000:])
        _check(server, release, seed)
    return runs + 1


def _contents(chance: random.Random) -> dict[str, bytes]:
    sizes = [chance.choice((1, 100, 70_000, 300_000)) for _ in range(chance.randint(1, 7))]
    return {f"tensorflow-2.17.0+x{at}.whl": chance.randbytes(size) for at, size in enumerate(sizes)}


def _faults(chance: random.Random) -> dict[int, str]:
    density = chance.choice((0.0, 0.05, 0.2, 0.5))
    return {number: chance.choice(FAULTS) for number in range(400) if chance.random() < density}


def _prepare(server: GitHub, release: PreparedFolder, chance: random.Random) -> None:
    """Let the repository have a history."""
    server.add("v1", draft=False, files={"old.whl": b"old"})
    mark = f"<!-- tensorflow-macos-build release {release.mark} -->"
    other = f"<!-- tensorflow-macos-build release {'0' * 64} -->"
    first = release.files[0]
    match chance.randrange(5):
        case 1:
            server.add(TAG, draft=True, body=other, files={"stray.whl": b"x", first.name: b"y"})
        case 2:
            for _ in range(2):
                server.add(TAG, draft=True, body=mark, files={first.name: first.path.read_bytes()})
        case 3:
            draft = server.add(TAG, draft=True, body=mark, files={})
            server.add_asset(draft, first.name, b"", "starter")
        case _:
            pass


def _child(server: GitHub, release: PreparedFolder, log: Path) -> int:
    """Run `publish` in a process that the server can kill; return its exit status."""
    server.idle()
    with warnings.catch_warnings():
        # No thread of the server is at work, so none holds a lock that the child could wait for.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _publish(server, release, log)
    server.client = child
    _, status = os.waitpid(child, 0)
    server.client = 0
    server.idle()
    return os.waitstatus_to_exitcode(status)


def _publish(server: GitHub, release: PreparedFolder, log: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    status = 99
    with log.open("a") as stream:
        try:
            engine.publish(
                release, door(server), IMPATIENT, note=lambda text: print(text, file=stream)
            )
            status = 0
        except MacosBuildError as error:
            print(error, file=stream)
            status = int(error.exit_code)
        except BaseException:
            traceback.print_exc(file=stream)
        stream.flush()
        sys.stdout.flush()
    os._exit(status)


def _check(server: GitHub, release: PreparedFolder, seed: int) -> None:
    """See that all is published, nothing else is left, and another run changes nothing."""
    server.fault = lambda _: ""
    public = server.public(TAG)
    assert public is not None, seed
    assert not [row for row in server.releases.values() if row["draft"]], seed
    before = len(server.requests)
    outcome = engine.publish(release, door(server), IMPATIENT)
    assert outcome.done == 0
    assert {request.split()[0] for request in server.requests[before:]} == {"GET"}
    assert not server.wrongs, (seed, server.wrongs)
