"""Publishing to an S3-compatible server, and to an index by uv and twine, each a real one.

    python -m benchmarks.publishing_elsewhere --s3 http://127.0.0.1:5000 [--runs 200]
    python -m benchmarks.publishing_elsewhere --index http://127.0.0.1:8080

The servers are the caller's, such as `moto_server` and `pypi-server run -P . -a .`. Between the
program and the first stands a proxy that cuts connections at any byte, in either direction, and
kills the program; a run starts it again until the release is there, whole.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.release.publishing import destinations, engine, s3, signing
from tensorflow_macos_build.release.publishing.http import Api
from tensorflow_macos_build.release.publishing.secrets import Secret
from tests.release_runs import IMPATIENT, make
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.release.prepared import PreparedFolder

_BUCKET = "releases"
_MOST_STARTS = 200
_SECRET = "benchmark-secret-0123456789"


class CuttingProxy:
    """Hands bytes on to a server, and cuts connections or kills the client at random bytes."""

    def __init__(self, server: str, chance: random.Random, density: float) -> None:
        self._server = (urlsplit(server).hostname or "", urlsplit(server).port or 80)
        self._chance, self._density = chance, density
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.client = 0
        self.seen = bytearray()
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        is_cut = self._chance.random() < self._density
        left = self._chance.choice((1, 200, 2_000, 100_000)) if is_cut else 1 << 60
        with client, socket.create_connection(self._server) as server:
            back = threading.Thread(target=self._hand_on, args=(server, client, left), daemon=True)
            back.start()
            self._hand_on(client, server, left)
            back.join()

    def _hand_on(self, source: socket.socket, target: socket.socket, left: int) -> None:
        with contextlib.suppress(OSError):
            while left > 0 and (piece := source.recv(min(left, 1 << 16))):
                self.seen += piece if b"Authorization" in piece else b""
                target.sendall(piece)
                left -= len(piece)
            if left == 0 and self._chance.random() < 0.3 and self.client:
                os.kill(self.client, signal.SIGKILL)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _release(folder: Path, chance: random.Random) -> PreparedFolder:
    content = chance.randbytes(chance.choice((10, 5_000, 200_000)))
    folder.mkdir(parents=True)
    wheel = Thin("arm64", {"tensorflow/data.bin": content}, "tensorflow", "2.17.0").write(folder)
    more = {f"more-{at}.json": chance.randbytes(100) for at in range(chance.randint(0, 4))}
    return make(folder / "release", {wheel.name: wheel.read_bytes(), **more})


def _bucket(release: PreparedFolder, address: str, prefix: str) -> s3.S3Bucket:
    server, secret = urlsplit(address).netloc, Secret(_SECRET, "benchmark")
    signer = signing.S3Signer("key", secret, None, "us-east-1", server)
    api = Api(secret, {server}, idle=20.0, auth=signer)
    return s3.S3Bucket(api, f"{address}/{_BUCKET}/{prefix}/v1/", release)


@contextlib.contextmanager
def _proxy(server: str, chance: random.Random) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(server, chance, chance.choice((0.0, 0.05, 0.1, 0.2)))
    try:
        yield proxy
    finally:
        proxy.close()


def _s3_run(server: str, seed: int, folder: Path) -> int:
    chance = random.Random(seed)
    release, prefix = _release(folder, chance), f"run-{seed}-{time.time_ns()}"
    starts, status = 0, 1
    with _proxy(server, chance) as proxy:
        while status:
            starts += 1
            status = _start(release, proxy, prefix, folder / "log")
            _check_public(server, prefix, release)
            if starts > _MOST_STARTS:
                raise AssertionError((seed, (folder / "log").read_text()[-1000:]))
        if _SECRET.encode() in proxy.seen + (folder / "log").read_bytes():
            raise AssertionError((seed, "the secret key was sent or shown"))
    done = engine.publish(release, _bucket(release, server, prefix), IMPATIENT).done
    if done:
        raise AssertionError((seed, "a second run did something"))
    return starts


def _start(release: PreparedFolder, proxy: CuttingProxy, prefix: str, log: Path) -> int:
    child = os.fork()
    if child == 0:
        status = 99
        with log.open("a") as stream, contextlib.suppress(BaseException):
            try:
                engine.publish(release, _bucket(release, proxy.address, prefix), IMPATIENT)
                status = 0
            except MacosBuildError as error:
                print(error, file=stream, flush=True)
                status = int(error.exit_code)
        os._exit(status)
    proxy.client = child
    _, ended = os.waitpid(child, 0)
    proxy.client = 0
    return ended


def _check_public(server: str, prefix: str, release: PreparedFolder) -> None:
    """See that where SHA256SUMS is, everything is, as it should be."""
    base = f"{server}/{_BUCKET}/{prefix}/v1"
    sums = next(file for file in release.files if file.name == "SHA256SUMS").path.read_bytes()
    there = requests.get(f"{base}/SHA256SUMS", timeout=30)
    # moto's server keeps the part of a file that came before a cut, which S3 does not.
    is_part = sums.startswith(there.content) and there.content != sums
    if there.status_code == 200 and not is_part:
        for file in release.files:
            content = requests.get(f"{base}/{file.name}", timeout=30).content
            if content != file.path.read_bytes():
                raise AssertionError(f"{file.name} is public with other bytes")


def _run_s3(server: str, runs: int, seed: int) -> None:
    requests.put(f"{server}/{_BUCKET}", timeout=30)
    starts, begun = Counter[int](), time.monotonic()
    for number in range(seed, seed + runs):
        with tempfile.TemporaryDirectory() as folder:
            starts[_s3_run(server, number, Path(folder) / "run")] += 1
    print(f"S3: {runs} runs, all complete; {time.monotonic() - begun:.0f} s")
    print(f"starts until complete: {dict(sorted(starts.items()))}")


def _run_index(server: str) -> None:
    for at, uploader in enumerate(("uv", "twine")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "run"
            folder.mkdir()
            project = f"demo{at}_{time.time_ns()}"
            wheel = Thin("arm64", {"demo/x.py": b"x"}, project, "1.0").write(folder)
            release = make(folder / "release", {wheel.name: wheel.read_bytes()}, project)
            request = destinations.PublishRequest(
                release, f"index:{server}", simple=f"{server}/simple/", uploader=uploader
            )
            destination = destinations.of(request.to)
            steps = [len(destination.plan(request).actions)]
            for _ in range(2):
                done = destination.publish(request, silent, print)
                steps.append(len(done.actions))
            print(f"index by {uploader}: actions planned before, after, after another run: {steps}")


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--s3")
    parser.add_argument("--index")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.s3:
        _run_s3(given.s3, given.runs, given.seed)
    if given.index:
        _run_index(given.index)
    return 0


if __name__ == "__main__":
    sys.exit(main())
