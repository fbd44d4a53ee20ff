"""Whether a build's cache and farm are there, and whether they have been of use.

A connection that is taken or refused says it. Bazel only prints it, in words that changed from
version to version, and goes on.
"""

from __future__ import annotations

import socket
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.bazel.driver import BuildResult
    from tensorflow_macos_build.config import Cache, Remote

_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}

_PROBE_SECONDS = 5.0
"""How long a server has to take a connection when it is looked whether it is there."""

_LOCAL = "internal"
"""How Bazel names the runner of what it does itself, and no cache or farm could."""

_REMOTE = "remote"
"""How Bazel names a farm among its runners."""


@dataclass(frozen=True)
class _Server:
    """A cache or a farm: what people call it, and where it is."""

    kind: str
    address: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.address}"


class ServerWatch:
    """Looks whether a cache and a farm are there before and after a build, and were of use."""

    def __init__(self, cache: Cache, remote: Remote) -> None:
        servers = (("cache", cache.address), ("farm", remote.address))
        self._servers = [_Server(kind, address) for kind, address in servers if address]
        self._silences = {server: silence(server.address) for server in self._servers}

    def before(self) -> Iterator[str]:
        """Yield what people should know when the build begins; nothing where all is well."""
        for server, why in self._silences.items():
            if why:
                yield f"warning: {server} does not answer ({why}); the build goes on without it"

    def after(self, result: BuildResult) -> Iterator[str]:
        """Yield what people should know when the build has succeeded."""
        for server in self._servers:
            if self._silences[server]:
                continue
            if lost := silence(server.address):
                yield (
                    f"warning: {server} answered at the start and does not now "
                    f"({lost}); what it did not give was built here"
                )
            elif sentence := _of_no_use(server, result):
                yield f"warning: {sentence}"


def _of_no_use(server: _Server, result: BuildResult) -> str:
    """Return a sentence on a server that answers, and from which nothing came; "" otherwise."""
    ran = sum(count for name, count in result.runners.items() if name != _LOCAL)
    if result.cache_hits or not ran:
        return ""
    if server.kind == "cache":
        return (
            f"none of {ran:,} actions came from {server}. Where it should have had them, check: "
            "the WARNING lines of Bazel's log (credentials, a wrong path), that `cache.upload` was "
            "on when it was filled, and that compilers, Python, flags and Bazel are as then"
        )
    if result.runners.get(_REMOTE, 0):
        return ""
    return (
        f"none of {ran:,} actions ran on {server}: see the WARNING lines of Bazel's log "
        "(credentials, an unknown instance, a platform that no worker has)"
    )


def silence(address: str) -> str:
    """Return why a server takes no connection; "" when it does."""
    try:
        parts = urllib.parse.urlsplit(address)
        peer = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
        socket.create_connection(peer, _PROBE_SECONDS).close()
    except (OSError, ValueError) as error:  # of a port or a bracket that is none
        return getattr(error, "strerror", None) or str(error)
    return ""
