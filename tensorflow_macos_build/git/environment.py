"""What git is run with, so that nobody's settings change what it answers.

Neither the system's nor the user's configuration is read, no attributes file outside the repository
counts, no replacement objects, no pager, no prompt. Of the caller's `GIT_*` variables only those
count that say how a server is reached. What is left is the repository's own configuration; the few
keys of it that matter to what is asked here are overridden on the command line.
"""

from __future__ import annotations

import os
import re

_PINNED: dict[str, str | None] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # an id names what it names (git-replace(1))
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "true",
    "GIT_OPTIONAL_LOCKS": "0",  # `git status` would rewrite the index it reads
}

_OF_SERVERS = re.compile(
    r"GIT_(ASKPASS|SSH|SSH_COMMAND|SSH_VARIANT|PROXY_COMMAND"
    r"|HTTP_[A-Z_]+|SSL_[A-Z_]+|PROXY_SSL_[A-Z_]+)"
)
"""The caller's variables that every git gets: they decide how a server is reached, no result."""

_OF_TRACES = re.compile(
    r"GIT_TRACE(2|2_EVENT|2_PERF|_CURL|_FSMONITOR|_PACKET|_PACKFILE|_PACK_ACCESS|_PERFORMANCE"
    r"|_REFS|_SETUP|_SHALLOW)?"
)
"""Variables that make git write a log. One to a file is the user's own business; one to a
descriptor (`1`, `2`, `true`) would end up in what is read from git here (git(1), GIT_TRACE)."""

_OF_CONFIG = re.compile(r"GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|PARAMETERS|(KEY|VALUE)_[0-9]+)")
"""Variables that say where git's configuration is, or hold some of it (git-config(1))."""

_NETWORK_KEYS = re.compile(
    r"core\.(askpass|gitproxy|sshcommand)|ssh\.variant|(credential|http)\..*|url\..*\.insteadof",
    re.DOTALL,
)
"""Keys of the user's configuration that say how a server is reached, as git lists them."""

OFFLINE: dict[str, str | None] = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
"""Keeps git from asking a server for what it finds missing, object by object and without patience.

GIT_NO_LAZY_FETCH came with 2.39.4 and 2.44; before, no transport is allowed to the fetch."""

_FETCHING: dict[str, str | None] = {
    "GIT_NO_LAZY_FETCH": None,
    "GIT_ALLOW_PROTOCOL": "git:http:https:ssh",  # `ext::` runs any program (git-remote-ext(1))
}

KEEPING_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # the most that there may be
}
"""Lets a git that goes on running use the memory of one file for the next (mallopt(3); glibc's).

By default it goes back to the kernel each time, which takes a fifth of the time of merges."""

_OVERRIDES = {
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.commentChar": "#",
    "core.eol": "lf",
    "core.excludesFile": os.devnull,
    "core.fsmonitor": "false",  # or a program, which git would run
    "core.hooksPath": os.devnull,
    "core.precomposeUnicode": "false",  # on a Mac git would compose (NFC) the names of files
    "core.quotePath": "true",
    "core.safecrlf": "false",
    "diff.suppressBlankEmpty": "false",
    "gc.auto": "0",  # what no reference reaches yet must stay
    "i18n.commitEncoding": "UTF-8",
    "i18n.logOutputEncoding": "UTF-8",
    "maintenance.auto": "false",
}

OVERRIDES = tuple(word for key, value in _OVERRIDES.items() for word in ("-c", f"{key}={value}"))
"""Options of git itself that come before its command."""


def pinned() -> dict[str, str | None]:
    """Return the changes to the environment that every git process gets (git(1), ENVIRONMENT)."""
    dropped = {name: None for name, value in os.environ.items() if not _is_kept(name, value)}
    return {**dropped, **_PINNED}


def with_users_configuration() -> dict[str, str | None]:
    """Return the changes to a pinned environment that let git see the user's configuration."""
    users = {name: value for name, value in os.environ.items() if _OF_CONFIG.fullmatch(name)}
    return {"GIT_CONFIG_NOSYSTEM": None, "GIT_CONFIG_GLOBAL": None, **users}


def fetching(listed: bytes) -> dict[str, str | None]:
    """Return the changes to a pinned environment that let git talk to servers as the user does.

    Proxies, credentials, keys and `url.*.insteadOf` are handed over one by one, so that no other
    setting of the user's decides what is fetched.

    Args:
        listed: the user's configuration, as `git config --list --null` prints it.
    """
    settings = _network_settings(listed)
    variables: dict[str, str | None] = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**variables, **_FETCHING}


def _network_settings(listed: bytes) -> list[tuple[str, str]]:
    records = listed.decode("utf-8", "surrogateescape").split("\0")[:-1]
    # a key without a value (`[http] sslVerify`) is listed without a line end, and means true
    pairs = [
        (key, value if line_end else "true")
        for key, line_end, value in (record.partition("\n") for record in records)
    ]
    return [(key, value) for key, value in pairs if _NETWORK_KEYS.fullmatch(key)]


def _is_kept(name: str, value: str) -> bool:
    if _OF_TRACES.fullmatch(name):
        return value.startswith("/")
    return not name.startswith("GIT_") or _OF_SERVERS.fullmatch(name) is not None
