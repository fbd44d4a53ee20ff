"""The texts that keys of a config may have: what a name, a label, an address or a folder is."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

# Names of folders below build/, dist/ and patches/: no slash, and no dot or dash first.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=100)]
PEP_440 = (
    r"^([0-9]+!)?[0-9]+(\.[0-9]+)*((a|b|rc)[0-9]+)?(\.post[0-9]+)?(\.dev[0-9]+)?"
    r"(\+[a-z0-9]+(\.[a-z0-9]+)*)?$"
)
"""A version in its normal form (PEP 440, appendix B)."""

# Patterns are anchored by hand, for pydantic searches; its regex engine is Rust's, whose `$` does
# not match before a line end at the end of the text, as Python's does.
Text = Annotated[str, StringConstraints(min_length=1)]
MacosVersion = Annotated[str, StringConstraints(pattern=r"^1[0-9](\.[0-9]+)?$|^2[0-9](\.[0-9]+)?$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# Bazelisk also takes `latest` and `7.x`, which are other Bazels tomorrow.
BazelVersion = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+){2}$")]
PythonVersion = Annotated[str, StringConstraints(pattern=r"^(host|3\.[0-9]+)$")]
Label = Annotated[str, StringConstraints(pattern=r"^(@[\w.~-]*)?//[^\s:]*(:[^\s:]+)?$")]


def _without_password(flag: str) -> str:
    if re.search(r"://\S*@", flag):
        raise ValueError("a name or password is in its address (docs/farms.md has other ways)")
    if re.match(r"--(remote_\w*header|bes_header)\b", flag):
        raise ValueError("headers hold credentials: see cache.headers and remote.headers")
    return flag


Flag = Annotated[str, StringConstraints(pattern=r"^-"), AfterValidator(_without_password)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Topic = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]


def _inside(pattern: str) -> str:
    if ".." in pattern.split("/"):
        raise ValueError("a pattern must stay inside the wheel")
    return pattern


Glob = Annotated[str, StringConstraints(pattern=r"^[^/]"), AfterValidator(_inside)]


def _without_credentials(address: str) -> str:
    # Command lines are seen by every user of a machine (ps(1)), and logs and events repeat them.
    if "@" in address:
        raise ValueError("a name or password is in it: put them into ~/.netrc, or name a helper")
    if "?" in address or "#" in address:
        raise ValueError("it must end with its path: a query may hold a secret")
    return address


CacheAddress = Annotated[
    str,
    StringConstraints(pattern=r"^(https?|grpcs?)://[^\s/:][^\s/]*(/\S*)?$"),
    AfterValidator(_without_credentials),
]
ExecutorAddress = Annotated[
    str,
    StringConstraints(pattern=r"^grpcs?://[^\s/:][^\s/]*$"),
    AfterValidator(_without_credentials),
]
InstanceName = Annotated[str, StringConstraints(pattern=r"^\S*$", max_length=1000)]
# gRPC takes small letters only; HTTP does not tell them from large ones.
HeaderName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
PropertyName = Annotated[str, StringConstraints(pattern=r"^[^\s=]+$")]


def _below(folder: str) -> str:
    if ".." in folder.split("/"):
        raise ValueError("a folder must be below the project")
    return folder


Folder = Annotated[str, StringConstraints(pattern=r"^[^/~]"), AfterValidator(_below)]
