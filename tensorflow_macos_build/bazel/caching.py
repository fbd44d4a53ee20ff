"""The caches of a config: as Bazel's flags, and whether they have been of use.

No credentials are among the flags. Bazel itself reads $NETRC or ~/.netrc for a remote cache
(bazelbuild/bazel#12130; 4.2.3 was seen to), or starts a credential helper.
"""

from __future__ import annotations

import socket
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.bazel.driver import BuildResult
    from tensorflow_macos_build.config import Cache

_RETRIES = 1
"""How often Bazel asks a gRPC cache again. With its default of 5 a build of 20 actions whose cache
died took 35 s in place of 9 s (4.2.3)."""

_HELPER_SINCE, _HELPER_NAMED = (5, 4), (7,)
_COMPRESSION_SINCE, _COMPRESSION_NAMED = (5,), (8,)
"""The Bazel that had a flag first, as `--experimental_…`, and one that knows it without. 8 and 9
still take the old name of the compression, and warn."""

_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}

_PROBE_SECONDS = 5.0
"""How long a cache has to take a connection when it is looked whether it is there."""


@dataclass(frozen=True)
class CacheFlags:
    """What decides the flags of a config's caches.

    Attributes:
        cache: that section of the config.
        version: the Bazel that builds, such as `6.5.0`; None where the config does not say it.
        root: the folder that the helper's path counts from.
        disk: the disk cache's folder.
    """

    cache: Cache
    version: str | None
    root: Path
    disk: Path | None

    def argv(self) -> tuple[str, ...]:
        """Return the flags of `bazel build`.

        Raises:
            UsageError: the config's Bazel has not got one of them.
        """
        disk = (f"--disk_cache={self.disk}",) if self.disk else ()
        return (*(self._remote() if self.cache.address else ()), *disk)

    def _remote(self) -> Iterator[str]:
        cache = self.cache
        yield f"--remote_cache={cache.address}"
        yield f"--{'' if cache.upload else 'no'}remote_upload_local_results"
        yield f"--remote_timeout={cache.timeout_s}s"
        # Without it Bazel ends with status 34 where a gRPC cache is down at the start (4.2.3).
        yield "--remote_local_fallback"
        yield f"--remote_retries={_RETRIES}"
        # The default since Bazel 7 leaves most files in the cache, and a build whose cache is then
        # lost fails (status 39).
        yield "--remote_download_outputs=all"
        if cache.compression:
            self._refuse_before(_COMPRESSION_SINCE, "cache.compression")
            yield self._named("remote_cache_compression", _COMPRESSION_NAMED)
        if cache.credential_helper:
            self._refuse_before(_HELPER_SINCE, "cache.credential_helper")
            name = self._named("credential_helper", _HELPER_NAMED)
            yield f"{name}={self._helper(cache.credential_helper)}"

    def _helper(self, program: str) -> str:
        # A bare name is looked up on PATH by Bazel, as a shell does.
        return str(self.root / program) if "/" in program else program

    @property
    def _bazel(self) -> tuple[int, ...]:
        return tuple(map(int, self.version.split("."))) if self.version else ()

    def _refuse_before(self, since: tuple[int, ...], key: str) -> None:
        if self._bazel < since:
            oldest = ".".join(map(str, since))
            known = f"Bazel {self.version} is older" if self.version else "bazel.version is empty"
            hint = f"set bazel.version, or leave {key} out; ~/.netrc needs neither"
            raise UsageError(f"it needs Bazel {oldest} or newer, and {known}", where=key, hint=hint)

    def _named(self, flag: str, named: tuple[int, ...]) -> str:
        """Return a flag by the name that the config's Bazel knows."""
        return f"--{flag}" if self._bazel >= named else f"--experimental_{flag}"


class CacheWatch:
    """Looks whether a remote cache is there before and after a build, and whether it was of use.

    A connection that is taken or refused says it. Bazel only prints it, in words that changed from
    version to version, and goes on.
    """

    def __init__(self, cache: Cache) -> None:
        self._address = cache.address
        self._silence = silence(cache.address) if cache.address else ""

    def before(self) -> str:
        """Return what people should know when the build begins; nothing where all is well."""
        if not self._silence:
            return ""
        return (
            f"warning: the cache {self._address} does not answer ({self._silence}); "
            "the build goes on without it"
        )

    def after(self, result: BuildResult) -> str:
        """Return what people should know when the build has succeeded."""
        if not self._address or self._silence:
            return ""
        if lost := silence(self._address):
            return (
                f"warning: the cache {self._address} answered at the start and does not now "
                f"({lost}); what it did not give was built here, and not all of that is in it"
            )
        built = sum(count for name, count in result.runners.items() if name != "internal")
        if result.cache_hits or not built:
            return ""
        return (
            f"warning: none of {built:,} actions came from the cache {self._address}. Where it "
            "should have had them, check: the WARNING lines of Bazel's log (credentials in "
            "~/.netrc, a wrong path), that `cache.upload` was on when it was filled, and that "
            "compilers, Python, flags and Bazel are the same as then"
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
