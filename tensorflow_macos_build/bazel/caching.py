"""The caches and the farm of a config as Bazel's flags.

No credentials are among the flags. Bazel itself reads $NETRC or ~/.netrc for a remote cache
(bazelbuild/bazel#12130; 4.2.3 was seen to), or starts a credential helper; headers are in a file
(private_headers.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.bazel.private_headers import PrivateHeader, PrivateHeaders
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.config import Cache, Remote

_RETRIES = 1
"""How often Bazel asks a gRPC cache again. With its default of 5 a build of 20 actions whose cache
died took 35 s in place of 9 s (4.2.3)."""

_HELPER_SINCE, _HELPER_NAMED = (5, 4), (7,)
_COMPRESSION_SINCE, _COMPRESSION_NAMED = (5,), (8,)
"""The Bazel that had a flag first, as `--experimental_…`, and one that knows it without. 8 and 9
still take the old name of the compression, and warn."""

SILO = "cache-silo-key"
"""The property of a platform that parts what unlike toolchains built, as BuildBuddy names it."""


@dataclass(frozen=True)
class CacheFlags:
    """What decides the flags of a config's caches and farm.

    Attributes:
        cache: that section of the config.
        remote: that section of the config.
        version: the Bazel that builds, such as `6.5.0`; None where the config does not say it.
        root: the folder that the helper's path counts from.
        disk: the disk cache's folder.
        toolchain: what tells the building machine's compilers from others.
    """

    cache: Cache
    remote: Remote
    version: str | None
    root: Path
    disk: Path | None
    toolchain: str

    def local(self) -> tuple[str, ...]:
        """Return the flags that count without a server, too: the disk cache, and keys' parts."""
        disk = (f"--disk_cache={self.disk}",) if self.disk else ()
        return (*self._properties(), *disk)

    def argv(self) -> tuple[str, ...]:
        """Return the flags on servers.

        Raises:
            UsageError: the config's Bazel has not got one of them, or two of them contradict.
        """
        if not (self.cache.address or self.remote.address):
            return ()
        self._refuse_contradictions()
        return (*self._addresses(), *self._manners(), *self._extras())

    def headers(self, rc: Path) -> PrivateHeaders | None:
        """Return the headers that hold credentials, for which `rc` is the file; None: no such."""
        both = self.cache.address and self.remote.address
        # An HTTP cache gets those of the first flag only (4.2.3); beside a farm there is none.
        flags = ("remote_cache_header", "remote_exec_header") if both else ("remote_header",) * 2
        headers = (
            *self._private(flags[0], self.cache.address, self.cache.headers),
            *self._private(flags[1], self.remote.address, self.remote.headers),
        )
        return PrivateHeaders(headers, rc) if headers else None

    def _private(
        self, flag: str, address: str | None, headers: dict[str, str]
    ) -> Iterator[PrivateHeader]:
        if address:
            for name, variable in sorted(headers.items()):
                yield PrivateHeader(flag, name, variable)

    def _properties(self) -> Iterator[str]:
        """Yield what becomes a part of each action's key beside its command and its files.

        They are the properties of a platform that has none of its own, which is the building
        machine's: neither its compilers nor its SDK are inputs of actions.
        """
        properties = dict(self.remote.platform)
        if not self.remote.address:
            # A farm would look for a worker that has this; its workers are told apart by platform.
            properties = {SILO: self.toolchain} if self.cache.address or self.disk else {}
        for name, value in sorted(properties.items()):
            yield f"--remote_default_exec_properties={name}={value}"

    def _addresses(self) -> Iterator[str]:
        if self.remote.address:
            yield f"--remote_executor={self.remote.address}"
            # Bazel's default where there is a farm, which upstream's .bazelrc may have changed.
            yield "--spawn_strategy=remote,worker,sandboxed,local"
        if self.cache.address:
            yield f"--remote_cache={self.cache.address}"
        if instance := self.remote.instance or self.cache.instance:
            yield f"--remote_instance_name={instance}"

    def _manners(self) -> Iterator[str]:
        # A farm's workers put their own results into its cache. What is built here in their place,
        # by other compilers, would be found there under the same key.
        uploads = self.cache.upload and not self.remote.address
        yield f"--{'' if uploads else 'no'}remote_upload_local_results"
        seconds = self.remote.timeout_s if self.remote.address else self.cache.timeout_s
        yield f"--remote_timeout={seconds}s"
        # Without it Bazel ends with status 34 where a gRPC cache is down at the start (4.2.3).
        yield "--remote_local_fallback"
        yield f"--remote_retries={_RETRIES}"
        # The default since Bazel 7 leaves most files in the cache, and a build whose cache is then
        # lost fails (status 39).
        yield "--remote_download_outputs=all"

    def _extras(self) -> Iterator[str]:
        cache = self.cache
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

    def _refuse_contradictions(self) -> None:
        cache, remote = self.cache, self.remote
        if not remote.address:
            return
        if cache.address and cache.address.startswith("http"):
            hint = "leave it out: a farm has a cache of its own; or name its gRPC address"
            raise UsageError(
                "Bazel takes no HTTP cache beside a farm", where="cache.address", hint=hint
            )
        if cache.instance and cache.instance != remote.instance:
            what = "Bazel has one flag for it and remote.instance, which is another"
            raise UsageError(what, where="cache.instance", hint="leave cache.instance out")
        if self.disk and self.version and self._bazel < (5,):
            what = f"Bazel {self.version} takes no disk cache beside a farm"
            raise UsageError(what, where="cache.disk", hint="leave it out")

    def _refuse_before(self, since: tuple[int, ...], key: str) -> None:
        if self._bazel < since:
            oldest = ".".join(map(str, since))
            known = f"Bazel {self.version} is older" if self.version else "bazel.version is empty"
            hint = f"set bazel.version, or leave {key} out; ~/.netrc needs neither"
            raise UsageError(f"it needs Bazel {oldest} or newer, and {known}", where=key, hint=hint)

    def _named(self, flag: str, named: tuple[int, ...]) -> str:
        """Return a flag by the name that the config's Bazel knows."""
        return f"--{flag}" if self._bazel >= named else f"--experimental_{flag}"
