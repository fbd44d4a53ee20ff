"""Chains of trees made up by hypothesis: what a queue's patches can look like, odd cases too.

A chain is a base and some commits on it. Contents hold CRLF, no last line end, no line at all,
bytes that are no text, lines that look like a mail's or a diff's; names hold blanks, quotes and
UTF-8; messages hold what `git am` might misread.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tensorflow_macos_build.git.repository import Git

if TYPE_CHECKING:
    from pathlib import Path

File = tuple[str, bytes]
Tree = dict[bytes, File]

LINES = [
    b"one\n",
    b"two\n",
    b"three\n",
    b"\n",
    b"\n",
    b"  }\n",
    b"}\n",
    b"carriage\r\n",
    b"return\r\n",
    b"From 0123 Mon Sep 17 00:00:00 2001\n",
    b"--- a/x\n",
    b"+++ b/x\n",
    b"@@ -1 +1 @@\n",
    b"-- \n",
    b"diff --git a/x b/x\n",
    b"\xff\xfe\n",
    b"\xc3\xa9\n",
    b"\\ No newline at end of file\n",
    b"tab\t\n",
    b"=3D\n",
    b"lone\rcr\n",
    b"x" * 200 + b"\n",
]
NAMES = [
    b"f",
    b"g",
    b"a/f",
    b"a/b/f",
    b"a b/c d",
    b'quo"te',
    b"back\\slash",
    "na\u00efve/\u65e5".encode(),
    b"\xff",
    b"tab\tname",
    b"-dash",
    b"b/a b/a",
    b"x/",
    b"line\nend",
]
SUBJECTS = [
    "Fix it",
    "fix it",
    "[XLA/GPU] Fix it",
    "Re: nothing",
    "[PATCH 1/2] again",
    "a: b",
    "\u00c9t\u00e9 \u65e5\u672c " * 9,
    "word " * 40,
    "=?UTF-8?q?odd?=",
    "x" * 120,
    "..",
    "con",
    "From: me",
    'say "hi" <x@y>',
]
BODY = [
    "Because.",
    "",
    "From: someone <a@b>",
    "Subject: another",
    "[PATCH] not me",
    ">From here",
    "From deadbeef is where it broke",
    f"From {'0' * 40} Mon Sep 17 00:00:00 2001",
    "---",
    "--- a/f",
    "diff --git a/f b/f",
    "Index: f",
    "# comment",
    "-- ",
    "Reason: backport",
    "  indented",
    "Signed-off-by: A <a@b>",
    "caf\u00e9",
    "a = b",
    "Drop-When: upstream >= 2.0",
    "-- >8 --",
    "Upstream: https://example.org/1",
]
AUTHORS = [
    ("A U Thor", "a@example.org"),
    ("Fr\u00e9d\u00e9ric", "f@x"),
    ("O'Connor (Deep Learning)", "c@x"),
    ('J. "Q" Public', "j.q@x.org"),
    ("root", "root"),
    ("\u65e5\u672c" * 9, "n@x"),
    ("a, b", "l@x"),
]


@dataclass(frozen=True)
class Written:
    """A commit as it shall be: its tree and who says what."""

    tree: Tree
    message: str
    author: tuple[str, str]
    seconds: int
    zone: str


@dataclass(frozen=True)
class Chain:
    """The base's files, and the commits on it."""

    base: Tree
    commits: tuple[Written, ...]


def contents() -> st.SearchStrategy[bytes]:
    text = st.lists(st.sampled_from(LINES), max_size=14).map(b"".join)
    bare = text.map(lambda content: content.removesuffix(b"\n"))
    return st.one_of(text, text, bare, st.binary(max_size=60), st.just(bytes(range(256)) * 3))


@st.composite
def chains(draw: st.DrawFn, longest: int = 4) -> Chain:
    """Draw a chain of up to `longest` commits, each of which changes something."""
    tree: Tree = {}
    for _ in range(draw(st.integers(1, 5))):
        _change(draw, tree)
    tree.setdefault(b"f", ("100644", b"".join(LINES[:8])))
    _drop_clashes(tree, b"f")
    base = dict(tree)
    commits: list[Written] = []
    for _ in range(draw(st.integers(1, longest))):
        before = dict(tree)
        for _ in range(draw(st.integers(1, 3))):
            _change(draw, tree)
        if tree == before:
            tree[b"new"] = ("100644", b"%d\n" % len(commits) + tree.get(b"new", ("", b""))[1])
            _drop_clashes(tree, b"new")
        commits.append(_commit(draw, dict(tree)))
    return Chain(base, tuple(commits))


def build(folder: Path, chain: Chain) -> tuple[Git, str, str]:
    """Make the chain's repository; return it with the ids of the base and of the last commit."""
    git = Git(folder)
    git.init()
    stream = [_fast_import(Written(chain.base, "base", ("B", "b@b"), 1, "+0000"), 1)]
    stream += [_fast_import(commit, number) for number, commit in enumerate(chain.commits, 2)]
    subprocess.run(
        ["git", "--git-dir", folder, "fast-import", "--quiet", "--date-format=raw"],
        input=b"".join(stream),
        check=True,
    )
    tip = git.line("rev-parse", "main")
    return git, git.line("rev-parse", f"main~{len(chain.commits)}"), tip


def _commit(draw: st.DrawFn, tree: Tree) -> Written:
    body = "\n".join(draw(st.lists(st.sampled_from(BODY), max_size=5)))
    message = f"{draw(st.sampled_from(SUBJECTS))}\n\n{body}\n"
    zone = draw(st.sampled_from(["+0000", "-0800", "+0530", "+1400", "-0030"]))
    seconds = draw(st.sampled_from([86400, 1600000000, 4000000000, 5000000000]))
    return Written(tree, message, draw(st.sampled_from(AUTHORS)), seconds, zone)


def _change(draw: st.DrawFn, tree: Tree) -> None:
    paths = sorted(tree)
    kind = draw(
        st.sampled_from(["write", "edit", "edit", "edit", "move", "mode", "delete", "link"])
    )
    if kind == "write" or not paths:
        path = draw(st.sampled_from([name for name in NAMES if not name.endswith(b"/")]))
        tree[path] = (draw(st.sampled_from(["100644", "100755"])), draw(contents()))
        _drop_clashes(tree, path)
        return
    path = draw(st.sampled_from(paths))
    mode, content = tree[path]
    if kind == "edit" and mode != "120000":
        lines = content.split(b"\n")
        position = draw(st.integers(0, len(lines)))
        lines[position : position + draw(st.integers(0, 2))] = draw(
            st.lists(st.sampled_from(LINES).map(lambda line: line.rstrip(b"\n")), max_size=2)
        )
        tree[path] = (mode, b"\n".join(lines))
    elif kind == "move":
        target = draw(st.sampled_from([b"moved/here", b"f", b"a b/moved", b"z"]))
        tree[target] = tree.pop(path)
        _drop_clashes(tree, target)
    elif kind == "mode" and mode != "120000":
        tree[path] = ("100755" if mode == "100644" else "100644", content)
    elif kind == "link":
        tree[path] = ("120000", draw(st.sampled_from([b"target", b"../out", b"line\nlink"])))
    elif kind == "delete":
        del tree[path]


def _drop_clashes(tree: Tree, path: bytes) -> None:
    """Take away what cannot be in a tree together with a file at `path`."""
    for other in list(tree):
        if other.startswith(path + b"/") or path.startswith(other + b"/"):
            del tree[other]


def _fast_import(commit: Written, mark: int) -> bytes:
    message = commit.message.encode()
    name, mail = commit.author
    person = f"{name} <{mail}> {commit.seconds} {commit.zone}".encode()
    pieces = [
        b"commit refs/heads/main\nmark :%d\nauthor %s\ncommitter %s\n" % (mark, person, person),
        b"data %d\n%s\ndeleteall\n" % (len(message), message),
    ]
    for path, (mode, content) in sorted(commit.tree.items()):
        quoted = b'"' + b"".join(b"\\%03o" % byte for byte in path) + b'"'
        pieces.append(b"M %s inline %s\ndata %d\n" % (mode.encode(), quoted, len(content)))
        pieces += (content, b"\n")
    return b"".join([*pieces, b"\n"])
