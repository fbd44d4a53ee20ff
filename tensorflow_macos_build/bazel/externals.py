"""What Bazel brings in from elsewhere for a target, and into which libraries it links that.

It is asked of the server that has just built the target: with the same flags its analysis still
holds, and an answer takes a moment.

Source: https://bazel.build/query/aquery and https://bazel.build/query/cquery
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import re
import tempfile
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from xml.etree import ElementTree

from tensorflow_macos_build import process
from tensorflow_macos_build.bazel import link_actions
from tensorflow_macos_build.errors import WorkFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.bazel.invocation import Invocation
    from tensorflow_macos_build.bazel.link_actions import LinkedContent

_TIMEOUT = 900.0
"""Seconds for all answers, which in the end only describe a wheel that is built."""

_LONGEST_XML = 1 << 26
"""Characters of an answer that is read as a whole; of a longer one nothing is believed."""

_LABEL = re.compile(r"@@?([\w.~+-]+)//")

_OF_BAZEL = frozenset({"bazel_tools", "local_config_platform", "platforms"})
"""What is a part of Bazel itself, or only describes machines."""

_REPOSITORY_FLAGS = (
    "--repo_env=",
    "--override_repository=",
    "--enable_bzlmod",
    "--noenable_bzlmod",
)


@dataclass(frozen=True)
class ExternalRepository:
    """A repository that a target needs beside the one that it is in.

    Attributes:
        name: what Bazel calls it.
        urls: where it is fetched from, without credentials; empty where Bazel does not say.
        sha256: the SHA-256 of the archive; "" where none is pinned.
    """

    name: str
    urls: tuple[str, ...] = ()
    sha256: str = ""


@dataclass(frozen=True)
class Externals:
    """What a target has from elsewhere.

    Attributes:
        repositories: those that are fetched or linked, by name.
        links: for each library that is linked, by its path below Bazel's folder of outputs, the
            repositories whose objects and static libraries are in it; sorted.
        partly_seen: the libraries that may have more in them than `links` says.
    """

    repositories: tuple[ExternalRepository, ...]
    links: Mapping[str, tuple[str, ...]]
    partly_seen: tuple[str, ...] = ()


def ask(invocation: Invocation, options: Sequence[str]) -> Externals:
    """Return what the targets of a build that has just succeeded have from elsewhere.

    Args:
        invocation: the build.
        options: all options that it had, those of rc files too.

    Raises:
        WorkFailed: Bazel does not answer, or not as is known of it.
    """
    wanted = f"deps({' + '.join(invocation.targets)})"
    ask_for = functools.partial(_asked, invocation, time.monotonic() + _TIMEOUT)
    with ask_for("cquery", invocation.flags, wanted) as answer:
        needed = needed_repositories(answer)
    brief = ("--noinclude_commandline", *invocation.flags)
    with ask_for("aquery", brief, link_actions.expression(wanted)) as answer:
        merged = link_actions.merged_objects(answer)
        answer.seek(0)
        linked = link_actions.linked_contents(answer, merged)
    flags = ("--output=xml", *repository_flags(options))
    with ask_for("query", flags, "//external:*") as answer:
        declared = declared_repositories(answer.read(_LONGEST_XML))
    return combined(needed, linked, declared)


@contextlib.contextmanager
def _asked(
    invocation: Invocation, deadline: float, command: str, flags: Iterable[str], expression: str
) -> Iterator[IO[str]]:
    argv = [*invocation.startup_argv(), command, "--color=no", *flags, "--", expression]
    # A file, for `aquery` names every input of every link. Not in /tmp, which may be memory.
    with tempfile.TemporaryFile(
        "w+", encoding="utf-8", errors="replace", dir=invocation.files.events.parent
    ) as answer:
        process.run(
            argv,
            cwd=invocation.workspace,
            env=invocation.env,
            inherited=invocation.inherited,
            stdout=answer,
            timeout=max(0.0, deadline - time.monotonic()),
        )
        answer.seek(0)
        yield answer


def combined(
    needed: Iterable[str],
    linked: Mapping[str, LinkedContent],
    declared: Mapping[str, ExternalRepository],
) -> Externals:
    """Return which of the needed repositories come from elsewhere; a linked one always counts."""
    inside = {name for content in linked.values() for name in content.repositories}
    # What is declared without an address is made on the machine, by a rule of its own.
    fetched = {name for name in needed if name not in declared or declared[name].urls}
    names = sorted((fetched - _OF_BAZEL) | inside)
    return Externals(
        tuple(declared.get(name, ExternalRepository(name)) for name in names),
        {path: tuple(sorted(content.repositories)) for path, content in sorted(linked.items())},
        tuple(path for path, content in sorted(linked.items()) if not content.is_whole),
    )


def needed_repositories(answer: Iterable[str]) -> frozenset[str]:
    """Return the repositories of the labels that `cquery` prints, one in a line."""
    labels = map(_LABEL.match, answer)
    return frozenset(label[1] for label in labels if label)


def declared_repositories(answer: str) -> dict[str, ExternalRepository]:
    """Return the repositories that WORKSPACE declares, of the XML that `query` prints.

    Raises:
        WorkFailed: it is none, or declares entities.
    """
    # Bazel says it is XML 1.1, which Python's parser need not know.
    plain = answer.replace('version="1.1"', 'version="1.0"', 1)
    if "<!DOCTYPE" in plain:  # Bazel writes none: within a value it has `&lt;`
        raise WorkFailed("Bazel's answer on external repositories declares what may be in it")
    try:
        # Safe: entities, which can grow or read files, are declared in a DOCTYPE only.
        rules = ElementTree.fromstring(plain).findall("rule")  # noqa: S314
    except ElementTree.ParseError as error:
        raise WorkFailed(f"Bazel's answer on external repositories is no XML: {error}") from None
    repositories = map(_declared, rules)
    return {repository.name: repository for repository in repositories}


def _declared(rule: ElementTree.Element) -> ExternalRepository:
    texts = {str(at.get("name")): str(at.get("value", "")) for at in rule.findall("string")}
    lists = {
        str(at.get("name")): [str(item.get("value", "")) for item in at.findall("string")]
        for at in rule.findall("list")
    }
    single = [texts[name] for name in ("url", "remote") if texts.get(name)]
    urls = dict.fromkeys(map(without_credentials, [*lists.get("urls", ()), *single]))
    name = str(rule.get("name")).rpartition(":")[2]
    return ExternalRepository(name, tuple(urls), _sha256(texts))


def _sha256(attributes: Mapping[str, str]) -> str:
    """Return the digest in hexadecimal, be it stated so or as Subresource Integrity has it."""
    kind, _, encoded = attributes.get("integrity", "").partition("-")
    if stated := attributes.get("sha256", ""):
        return stated.lower() if re.fullmatch(r"[0-9a-fA-F]{64}", stated) else ""
    try:
        digest = base64.b64decode(encoded, validate=True) if kind == "sha256" else b""
    except (binascii.Error, ValueError):
        return ""
    return digest.hex() if len(digest) == 32 else ""


def without_credentials(url: str) -> str:
    """Return an address without a user's name, a password, a query and a fragment.

    >>> without_credentials("https://user:secret@example.org/a.tgz?token=1")
    'https://example.org/a.tgz'
    """
    # Not urlsplit: Bazel takes addresses without a scheme, where a name would pass for one.
    plain = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, separator, rest = plain.partition("://") if "://" in plain else ("", "", plain)
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def repository_flags(options: Iterable[str]) -> tuple[str, ...]:
    """Return the options that decide what repositories are, as `query` takes them.

    `query` reads no `build` lines of rc files; with other values it would fetch repositories anew.
    """
    # Repository rules see the variables of --action_env, too.
    as_repo = (re.sub(r"^--action_env=(?=[^=]+=)", "--repo_env=", option) for option in options)
    return tuple(option for option in as_repo if option.startswith(_REPOSITORY_FLAGS))


def cache_origins(options: Iterable[str]) -> tuple[str, ...]:
    """Return where a build may have had results of others from.

    They are `disk`, and the addresses of a cache and of a farm, without credentials.
    """
    # The last of two counts, and an empty one takes back what an rc file says.
    last = dict(option.partition("=")[::2] for option in options if "=" in option)
    disk = ("disk",) if last.get("--disk_cache") else ()
    servers = (last.get(name, "") for name in ("--remote_cache", "--remote_executor"))
    return (*disk, *sorted({without_credentials(address) for address in servers if address}))
