"""A patch with a million of anything ends in bounded time and memory, in a process with limits."""

from __future__ import annotations

import subprocess
import sys

import pytest

MILLION = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (900 << 20, 900 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from tensorflow_macos_build.patchqueue.formats import patch
from tensorflow_macos_build.patchqueue.formats.refused import Refused
from tests.unit.patchqueue.formats.test_hostile import HEAD
kind, count = sys.argv[1], 1_000_000
if kind == "hunks":
    body = b"".join(b"@@ -%d +%d @@\\n-a\\n+b\\n" % (n, n) for n in range(1, count))
    text = b"diff --git a/f b/f\\n--- a/f\\n+++ b/f\\n" + body
elif kind == "files":
    text = b"diff --git a/f b/f\\nold mode 100644\\nnew mode 100755\\n" * count
elif kind == "headers":
    text = b"--- a/f\\n+++ b/f\\n" * count
elif kind == "from":
    text = b"From x 00:00:00 2001\\n" * count
else:
    text = b"@@ -1,%d +1,%d @@\\n" % (count, count) + b" \\0\\n" * (count - 1)
    text = b"diff --git a/f b/f\\n--- a/f\\n+++ b/f\\n" + text
try:
    patch.parse(HEAD + text, "evil.patch")
except Refused as error:
    print(error.what)
else:
    print("taken")
"""


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("hunks", "hunks"),
        ("files", "more than 100000 files"),
        ("headers", "taken"),
        ("from", "taken"),
        ("lines", "short of what it states"),
    ],
)
def test_a_million_of_anything_ends_in_bounded_time_and_memory(kind: str, reason: str) -> None:
    argv = [sys.executable, "-c", MILLION, kind]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert reason in done.stdout
