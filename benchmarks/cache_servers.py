"""The servers that `benchmarks.caches` builds with: nginx and BuildGrid, on 127.0.0.1 only."""

from __future__ import annotations

import abc
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_START_SECONDS = 60.0

_BOT = "buildgrid_bot.py"

NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {folder}/bodies;
  proxy_temp_path {folder}/unused; fastcgi_temp_path {folder}/unused;
  uwsgi_temp_path {folder}/unused; scgi_temp_path {folder}/unused;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/files;
    dav_methods PUT;
    create_full_put_path on;
  }}
}}
"""

BUILDGRID = """\
server:
  - !channel {{address: "127.0.0.1:{port}", insecure-mode: true}}
# Its default is five a processor: with two of them it refuses uploads ("Concurrent RPC limit
# exceeded"), and Bazel then runs the action here.
thread-pool-size: 100
storages:
  - !disk-storage &storage {{path: {folder}/files}}
caches:
  - !lru-action-cache &actions
    storage: *storage
    max-cached-refs: 100000
    allow-updates: true
{scheduler}
instances:
  - name: ""
    services:
      - !action-cache {{cache: *actions}}
      - !cas {{storage: *storage}}
      - !bytestream {{storage: *storage}}
{execution}
"""

_SCHEDULER = """\
connections:
  - !sql-connection &sql {{connection-string: "{database}"}}
schedulers:
  - !sql-scheduler &scheduler
    sql: *sql
    storage: *storage
    action-cache: *actions
    property-set: !dynamic-property-set {{match-property-keys: [OSFamily]}}
    assigners: [!priority-age-assigner {{count: 2, interval: 0.1}}]
"""


class Server(abc.ABC):
    """A server of one port, which keeps what it holds in one folder.

    Attributes:
        scheme: the beginning of its address.
        killed_at: the number of files at which it dies in mid-build: some actions are done then.
    """

    scheme: str
    killed_at = 12

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def settings(self) -> tuple[str, ...]:
        """What of the config makes a build use it."""
        return (f"cache.address={self.address}",)

    @property
    def files(self) -> Path:
        """The folder of what it holds."""
        return self.folder / "files"

    @abc.abstractmethod
    def argv(self) -> Sequence[str | Path]:
        """Write the server's own config, and return its command line."""

    def __enter__(self) -> Server:
        """Start it with nothing in it, and wait until it takes connections."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.files.mkdir(parents=True)
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(self.argv(), stdout=log, stderr=log)
        wait_for_port(self.port)
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.kill()

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def count(self) -> int:
        """Return how many files it holds."""
        return sum(len(names) for _, _, names in os.walk(self.files))


class Nginx(Server):
    """nginx as an HTTP cache: its own module for WebDAV, and no other."""

    scheme = "http"

    def __init__(self, folder: Path, program: Path) -> None:
        super().__init__(folder)
        self._program = program

    def argv(self) -> Sequence[str | Path]:
        """Write nginx.conf, and return the command line."""
        config = self.folder / "nginx.conf"
        config.write_text(NGINX.format(folder=self.folder, port=self.port), encoding="utf-8")
        return [self._program, "-p", self.folder, "-e", self.folder / "error.log", "-c", config]


class BuildGrid(Server):
    """BuildGrid as a gRPC cache."""

    scheme = "grpc"
    scheduler = execution = ""

    def __init__(self, folder: Path, program: Path) -> None:
        super().__init__(folder)
        self._program = program

    def argv(self) -> Sequence[str | Path]:
        """Write BuildGrid's config, and return the command line."""
        config = self.folder / "buildgrid.yaml"
        text = BUILDGRID.format(
            folder=self.folder,
            port=self.port,
            scheduler=self.scheduler,
            execution=self.execution,
        )
        config.write_text(text, encoding="utf-8")
        return [self._program, "server", "start", config]


class Farm(BuildGrid):
    """BuildGrid as a farm, with two workers of this benchmark's."""

    killed_at = 80  # inputs of actions are files, too

    execution = "      - !execution {scheduler: *scheduler}"

    def __init__(self, folder: Path, program: Path, database: str) -> None:
        super().__init__(folder, program)
        self.scheduler = _SCHEDULER.format(database=database)
        self._bot: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> tuple[str, ...]:
        """What of the config makes a build use it."""
        return (f"remote.address={self.address}", "remote.platform={OSFamily: linux}")

    def __enter__(self) -> Server:
        """Start it and its workers."""
        super().__enter__()
        with (self.folder / "bot.log").open("wb") as log:
            # Another environment's, which has the protocols.
            python, bot = self._program.with_name("python"), Path(__file__).with_name(_BOT)
            argv: list[str | Path] = [
                python,
                bot,
                f"127.0.0.1:{self.port}",
                self.folder / "work",
                "2",
            ]
            self._bot = subprocess.Popen(argv, stdout=log, stderr=log)
        return self

    def kill(self) -> None:
        """End it and its workers at once."""
        super().kill()
        if self._bot is not None:
            self._bot.kill()
            self._bot.wait()


def free_port() -> int:
    """Return a port at which nobody listens now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def wait_for_port(port: int) -> None:
    """Wait until a server takes connections.

    Raises:
        TimeoutError: it does not.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.05)
    raise TimeoutError(f"no server listens at port {port}")
