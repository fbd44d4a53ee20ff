"""The variables of the caller's that Bazel gets, and that what works with it gets.

There are no others but those that a config sets or names: Bazel hands its client's environment on
to repository rules, and some of it to actions, so that CC, LD_LIBRARY_PATH or a TF_… that someone
has exported would decide what is built and be in no key.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = (
    "PATH",  # where tools are
    "HOME",  # where .netrc and Bazelisk's downloads are
    "USER",  # without it the client ends where the system has no name for the user (containers)
    "XDG_CACHE_HOME",
    # What reaches servers decides whether a file can be had. What is in the file, a digest decides.
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SSH_AUTH_SOCK",
    "NETRC",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "BAZELISK_BASE_URL",
    "BAZELISK_GITHUB_TOKEN",
    "BAZELISK_HOME",
)
"""USE_BAZEL_VERSION, DEVELOPER_DIR and TMPDIR are set by the build; MACOSX_DEPLOYMENT_TARGET and
the like by flags."""


def inherited(further: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names of those, and of `further` ones, that the caller has set."""
    return tuple(name for name in (*NAMES, *further) if name in os.environ)
