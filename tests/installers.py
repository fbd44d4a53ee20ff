"""pip and uv as judges of wheels: whether they install or download what a test made.

Starting pip takes it longer than a small wheel does, so one process of pip serves a whole session.
"""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

import uv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

_PIP_SERVER = """
import gc, json, os, sys
from pip._internal.cli.main import main
from pip._internal.commands import download, install

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
gc.collect()
gc.freeze()  # as in tests/command_line.py
for line in sys.stdin:
    child = os.fork()
    if not child:
        code = 1
        try:
            code = main(json.loads(line))
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
"""
"""Runs the command lines of pip that it is sent, each in a child: pip keeps the pages of an index
as long as its process lives. Its output goes to stderr, the exit codes do not."""

_QUIET = ("-qqq", "--isolated", "--no-cache-dir", "--disable-pip-version-check", "--no-input")


class Pip:
    """A pip that stays; to be used in a `with` statement."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PIP_SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Pip:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, *args: str | Path) -> int:
        """Run a command line of pip; return its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([*map(str, args)]), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def installs(self, wheel: Path, folder: Path) -> bool:
        """Whether pip installs a wheel into a folder."""
        flags = ("--no-index", "--no-deps", "--no-compile", "--target", folder)
        return self.run("install", *_QUIET, *flags, wheel) == 0

    def downloads(self, platform: str, source: Sequence[str | Path], folder: Path) -> str | None:
        """Return the name of the wheel of `demo` that pip takes for a platform; None for none.

        Args:
            platform: the tag of the machine that asks.
            source: pip's flags on where to look.
            folder: where the wheel goes.
        """
        host = ("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311")
        what = ("--no-deps", "--only-binary", ":all:", "--platform", platform, *host)
        before = set(folder.iterdir()) if folder.exists() else set()
        if self.run("download", *_QUIET, *what, *source, "--dest", folder, "demo"):
            return None
        (wheel,) = set(folder.iterdir()) - before
        return wheel.name


def uv_installs(wheel: Path, folder: Path) -> bool:
    """Whether uv installs a wheel into a folder."""
    return _uv("--no-index", "--no-deps", "--target", folder, wheel)


def _uv(*args: str | Path, **env: str) -> bool:
    argv = [uv.find_uv_bin(), "pip", "install", "-q", "--no-cache", "--no-config"]
    # uv finds the Python to install for by VIRTUAL_ENV, which its module sets.
    environment = {**os.environ, "VIRTUAL_ENV": sys.prefix, **env}
    done = subprocess.run([*argv, *args], check=False, capture_output=True, env=environment)
    return done.returncode == 0


class Index:
    """An index of one project, `demo`, on 127.0.0.1; to be used in a `with` statement."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "simple" / "demo"
        self._folder.mkdir(parents=True)
        handler = partial(_Quiet, directory=str(root))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/simple/"

    def __enter__(self) -> Index:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def publish(self, wheels: Sequence[Path]) -> None:
        """Put just these wheels into the index, listed in this order."""
        for old in self._folder.iterdir():
            old.unlink()
        for wheel in wheels:
            (self._folder / wheel.name).write_bytes(wheel.read_bytes())
        links = "".join(f'<a href="{wheel.name}">{wheel.name}</a><br>' for wheel in wheels)
        page = f"<!DOCTYPE html><html><body>{links}</body></html>"
        (self._folder / "index.html").write_text(page)

    def uv_takes(self, platform: str, target: str, folder: Path) -> bool:
        """Whether uv would install the wheel on a platform with a deployment target."""
        host = ("--python-platform", platform, "--python-version", "3.11")
        where = ("--index-url", self.address, "--target", folder)
        flags = (*host, "--only-binary", ":all:", *where, "demo")
        return _uv(*flags, MACOSX_DEPLOYMENT_TARGET=target)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""
