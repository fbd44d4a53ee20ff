"""Which releases a requirement needs on each kind of Mac, and which wheels there are of them.

uv resolves, because it evaluates environment markers for the Mac that it is asked about; pip takes
those of the machine it runs on, whatever --platform says (pypa/pip#11664). Its answer is a lock
file (pylock.toml, PEP 751) with the address, size and hash of every wheel that fits.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from tensorflow_macos_build import dependency_groups, process, temporary
from tensorflow_macos_build.errors import UsageError, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.wheelhouse.target import Target

# The module came with Python 3.11; before that it is the package tomli.
tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

_ROUNDS = 40
"""How often common versions are looked for; each round lowers at least one."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A wheel that an index offers.

    Attributes:
        url: where it is; `file:` for one on this machine.
        sha256: 64 lower-case hexadecimal digits.
        size: its bytes; None where the index does not say.
    """

    url: str
    sha256: str
    size: int | None

    @property
    def name(self) -> str:
        """Its file name."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class ResolvedPackage:
    """A release that a target needs, with its wheels that run there."""

    name: str
    version: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class ResolvedPackages:
    """What each target needs.

    Attributes:
        packages: by target, then by name.
        lowered: for each package whose newest release one target cannot have: its name, the
            version taken, and the one that a target alone would have.
    """

    packages: Mapping[Target, Mapping[str, ResolvedPackage]]
    lowered: tuple[tuple[str, str, str], ...]


def resolve(
    requirements: Sequence[str],
    targets: Sequence[Target],
    *,
    index: str | None,
    cache: Path,
    ticker: Ticker,
) -> ResolvedPackages:
    """Resolve requirements for all targets, at versions that all of them can have.

    Raises:
        UsageError: a requirement is malformed.
        WorkFailed: they cannot be met on some target, or not by common versions.
    """
    for text in requirements:
        _refuse_malformed(text)
    bounds: dict[str, str] = {}
    alone: dict[str, str] = {}
    for turn in range(_ROUNDS):
        ticker(turn, None, f"for {len(targets)} kinds of Mac")
        packages = {
            target: _resolve(requirements, target, bounds, index, cache) for target in targets
        }
        differing = _differing(packages)
        if not differing:
            return ResolvedPackages(packages, _lowered(packages, alone))
        # The lower version is one that a target can have at most; the others may have it, too.
        for name, versions in differing.items():
            alone.setdefault(name, str(max(versions)))  # of the first round: without any bound
            bounds[name] = str(min(versions))
    raise WorkFailed(
        f"no common versions were found in {_ROUNDS} rounds",
        where=", ".join(sorted(differing)),
        hint="give requirements that pin them",
    )


def _refuse_malformed(text: str) -> None:
    try:
        Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(
            f"`{text}` is no requirement: {str(error).splitlines()[0]}",
            hint="write it like tensorflow==2.16.2; see PyPA's dependency specifiers",
        ) from None


def _differing(
    resolved: Mapping[Target, Mapping[str, ResolvedPackage]],
) -> dict[str, set[Version]]:
    """Return the packages that targets have at different versions."""
    versions: dict[str, set[Version]] = {}
    for packages in resolved.values():
        for name, package in packages.items():
            versions.setdefault(name, set()).add(Version(package.version))
    return {name: several for name, several in sorted(versions.items()) if len(several) > 1}


def _lowered(
    resolved: Mapping[Target, Mapping[str, ResolvedPackage]], alone: Mapping[str, str]
) -> tuple[tuple[str, str, str], ...]:
    taken = {
        name: package.version
        for packages in resolved.values()
        for name, package in packages.items()
    }
    return tuple(
        (name, taken[name], highest) for name, highest in sorted(alone.items()) if name in taken
    )


def _resolve(
    requirements: Sequence[str],
    target: Target,
    bounds: Mapping[str, str],
    index: str | None,
    cache: Path,
) -> dict[str, ResolvedPackage]:
    with temporary.scratch("resolve") as scratch:
        requested, limits = scratch / "wanted.txt", scratch / "constraints.txt"
        requested.write_text("".join(f"{text}\n" for text in requirements), encoding="utf-8")
        limits.write_text(
            "".join(f"{name}<={highest}\n" for name, highest in bounds.items()), encoding="utf-8"
        )
        done = process.run(
            [*_command(target, index), "--constraints", limits, requested],
            env={
                # --python-platform names no version; uv takes macOS 13.0 unless this says another.
                "MACOSX_DEPLOYMENT_TARGET": target.deployment_target,
                "UV_CACHE_DIR": str(cache / "uv"),
                "TMPDIR": str(scratch),
            },
            # A failure is the answer that the requirements cannot be met, and uv's words say why.
            expected=(),
        )
    if done.status != 0:
        raise _unmet(target, done, bounds)
    lock = tomllib.loads(done.stdout.decode())
    return {package.name: package for package in map(_package, lock["packages"])}


def _command(target: Target, index: str | None) -> list[str]:
    return [
        # --no-config: no uv.toml of this user or folder decides what a wheelhouse holds.
        *(dependency_groups.uv(), "pip", "compile", "--quiet", "--no-header", "--no-config"),
        # No interpreter of the target's version is needed, but one there must be.
        *("--python", sys.executable, "--no-python-downloads"),
        *("--python-platform", target.uv_platform),
        *("--python-version", ".".join(map(str, target.python))),
        # Nothing is built here: a source distribution's needs are known only to its build.
        *("--only-binary", ":all:", "--format", "pylock.toml"),
        *(["--default-index", index] if index else []),
    ]


def _unmet(target: Target, done: process.Completed, bounds: Mapping[str, str]) -> WorkFailed:
    limits = ", ".join(f"{name}<={highest}" for name, highest in sorted(bounds.items()))
    also = f", with versions that both kinds of Mac can have ({limits})" if limits else ""
    return WorkFailed(
        f"the requirements cannot be met on {target.arch} with macOS {target.deployment_target}"
        + also,
        detail=done.stderr.decode("utf-8", "replace"),
        hint="loosen a requirement, or raise the lowest macOS by --macos-x86-64 or --macos-arm64",
    )


def _package(entry: Mapping[str, Any]) -> ResolvedPackage:
    offers = []
    for wheel in entry.get("wheels", []):
        # For a wheel on this machine PEP 751 has `path` in the place of `url`.
        url = wheel.get("url") or Path(wheel["path"]).resolve().as_uri()
        # PEP 503 lets an index leave the hash out of a link, and PEP 691 out of a file's entry.
        sha256 = wheel.get("hashes", {}).get("sha256")
        if sha256 is None:
            raise WorkFailed(
                "the index gives no SHA-256 of a wheel", where=url, hint="use an index that does"
            )
        offers.append(Offer(url, sha256, wheel.get("size")))
    return ResolvedPackage(entry["name"], entry["version"], tuple(offers))
