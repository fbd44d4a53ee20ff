"""Tokens: where they come from, and that nobody ever reads them in an error or a log."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_USERINFO = re.compile(r"//[^/\s@]+@")
_SERVICE = "tensorflow-macos-build"


@dataclass(frozen=True)
class Secret:
    """A token that shows itself to nobody.

    Attributes:
        value: the token; it goes into the headers of requests, and nowhere else.
        source: where it comes from, for people.
    """

    value: str = field(repr=False)
    source: str = ""

    def __str__(self) -> str:
        """Return stars."""
        return "***"

    def redacted(self, text: str) -> str:
        """Return a text without the token, and without passwords in addresses."""
        hidden = text.replace(self.value, "***") if self.value else text
        return _USERINFO.sub("//***@", hidden)


def find(variables: Sequence[str], host: str) -> Secret | None:
    """Return the first of some variables that is set, else what the keyring has for a host.

    Raises:
        UsageError: what is there is no token that a header can have.
    """
    for name in variables:
        if value := os.environ.get(name, "").strip():
            return _checked(value, f"${name}")
    if value := _from_keyring(host):
        return _checked(value, f"the keyring's `{_SERVICE}` `{host}`")
    return None


def needed(variables: Sequence[str], host: str) -> Secret:
    """Return what `find` does.

    Raises:
        UsageError: there is none.
    """
    secret = find(variables, host)
    if secret is None:
        raise UsageError(
            f"there is no token for {host}",
            hint=f"set {' or '.join(variables)}, or type: keyring set {_SERVICE} {host}",
        )
    return secret


def _from_keyring(host: str) -> str:
    """Return what a keyring has; "" where there is no such package, no keyring, or nothing."""
    # As a program: backends raise what they like, of packages that need not be here.
    argv = (sys.executable, "-I", "-m", "keyring", "get", _SERVICE, host)
    asked = process.run(argv, expected=())
    return asked.stdout.decode(errors="replace").strip() if asked.status == 0 else ""


def _checked(value: str, source: str) -> Secret:
    # A line end would begin another header (RFC 9112, section 2.2).
    if not value.isascii() or not value.isprintable() or " " in value:
        raise UsageError(f"{source} holds no token", hint="letters, digits and marks, no spaces")
    return Secret(value, source)
