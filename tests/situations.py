"""A queue on the miniature's first release that holds every situation a rebase meets.

Each patch states what becomes of it on the later releases, and which upstream commits (by subject)
are the evidence: the truth that rebases are checked against. `DEMO` is the same for patches/demo.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.upstream import embedded
from tensorflow_macos_build.upstream.embedded import history, stream
from tensorflow_macos_build.upstream.embedded.edits import (
    Cut,
    Delete,
    Edit,
    EmbeddedCommit,
    Mode,
    Move,
    Person,
    Replace,
    SetMode,
    Tree,
    Write,
    apply,
)
from tests.truth import CLEAN, Status, Truth, both

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git

__all__ = ["BASE", "BRANCH", "DEMO", "SITUATIONS", "Situation", "Status", "commits", "write"]

BASE = "v2.16.0"
BRANCH = "refs/heads/situations"


@dataclass(frozen=True)
class Situation:
    """One patch of the queue.

    Attributes:
        subject: the first line of its message.
        edits: what it does.
        onto: its truth on each later release.
        body: the rest of its message, before the trailers.
        context: lines of context in the patch file.
    """

    subject: str
    edits: tuple[Edit, ...]
    onto: Mapping[str, Truth]
    body: str = ""
    trailers: tuple[str, ...] = ("Reason: fork-only", "Drop-When: never")
    context: int = 3
    author: Person = field(default=Person("Ines Duarte", "ines.duarte@example.org"))

    @property
    def name(self) -> str:
        """The patch file's name."""
        return re.sub(r"\W+", "-", self.subject.lower()).strip("-") + ".patch"


def _upstream(number: int) -> tuple[str, ...]:
    link = f"https://example.org/tensorflow/pull/{number}"
    return "Reason: upstreaming", f"Upstream: {link}", "Drop-When: upstream >= v2.18"


_CI = "tensorflow/tools/ci_build"
_SGD = "tensorflow/python/keras/optimizers/sgd.py"
_FIRST_CAUSE = "Train ten times faster"

SITUATIONS = (
    Situation(
        "Mention Macs in the release notes",
        (
            Replace(
                "RELEASE.md",
                "* Variables cannot be saved.\n",
                "* Variables cannot be saved.\n* Macs compute on their CPU.\n",
            ),
        ),
        both(CLEAN),
    ),
    Situation(
        "Explain what configure asks on a Mac",
        (
            Replace(
                "tensorflow/g3doc/install.md",
                "It asks how to build.\n",
                "It asks how to build.\nOn a Mac it also asks for iOS.\n",
            ),
        ),
        both(Truth(Status.ADAPTED, ("Give the guide to installing a folder",))),
    ),
    Situation(
        "Add a delegate for Metal",
        (
            Write(
                "tensorflow/lite/experimental/delegates/metal.c",
                '#include "delegate.h"\n\nconst TfLiteDelegate metal_delegate = {"metal", 0};\n',
            ),
        ),
        both(Truth(Status.CONFLICT, ("Move the delegates out of experimental",))),
        body="Its folder is renamed upstream; git's own default is to ask a person where it goes.",
    ),
    Situation(
        _FIRST_CAUSE,
        (Replace(_SGD, "learning_rate=0.01):", "learning_rate=0.1):"),),
        both(Truth(Status.CONFLICT, ("Optimizers have names",))),
    ),
    Situation(
        "Count the learning rate in hundredths",
        (Replace(_SGD, "learning_rate=0.1):", "learning_rate=10 / 100):"),),
        both(Truth(Status.CLEAN_AFTER, (_FIRST_CAUSE,))),
    ),
    Situation(
        "Say which line of an op definition is too long",
        (
            Replace(
                "tensorflow/tools/op_gen/op_gen.c",
                "  while (fgets(line, sizeof(line), in)) Translate(line, out);\n",
                "  for (int number = 1; fgets(line, sizeof(line), in); ++number) {\n"
                "    if (strchr(line, '\\n') == NULL && !feof(in)) {\n"
                '      fprintf(stderr, "%s:%d: the line is too long\\n", argv[1], number);\n'
                "      return 1;\n"
                "    }\n"
                "    Translate(line, out);\n"
                "  }\n",
            ),
        ),
        both(
            Truth(Status.IDENTICAL, ("PR #62844: Say which line of an op definition is too long",))
        ),
        trailers=_upstream(62844),
    ),
    Situation(
        "Sum in the order of memory",
        (
            Replace(
                "tensorflow/core/kernels/reduction_ops.c",
                "  for (int64_t i = 0; i < count; ++i) total += tensor->data[i];\n",
                "  const float *end = tensor->data + count;\n"
                "  for (const float *at = tensor->data; at < end; ++at) total += *at;\n",
            ),
        ),
        {
            "v2.17.0": Truth(Status.IDENTICAL, ("PR #62901: Sum in the order of memory",)),
            "v2.18.0": CLEAN,
        },
        body="Upstream took it for 2.17, and took it back for 2.18.",
        trailers=_upstream(62901),
    ),
    Situation(
        "Let tests ask for oneDNN",
        (
            Replace(
                "tensorflow/python/framework/test_util.py",
                "    return _pywrap_util_port.IsBuiltWithXLA()\n",
                "    return _pywrap_util_port.IsBuiltWithXLA()\n\n\n"
                "def is_built_with_mkl():\n"
                "    return bool(_pywrap_util_port.IsMklEnabled())\n",
            ),
        ),
        both(Truth(Status.CHANGED, ("PR #63150: Let tests ask for oneDNN",))),
        body="Upstream took it over with a docstring, and holds all of its lines.",
        trailers=_upstream(63150),
    ),
    Situation(
        "Quote the paths in all scripts",
        (
            Replace(f"{_CI}/rename_wheels.sh", "cd $1\n", 'cd "$1"\n'),
            Replace(f"{_CI}/rename_wheels.sh", "  case $wheel in\n", '  case "$wheel" in\n'),
            Replace(f"{_CI}/rename_wheels.sh", "$(echo $wheel |", '$(echo "$wheel" |'),
            Replace(f"{_CI}/rename_wheels.sh", "mv $wheel $published", 'mv "$wheel" "$published"'),
            Replace(f"{_CI}/verify_wheel.sh", "(wc -c < $1)", '(wc -c < "$1")'),
            Replace(f"{_CI}/upload_wheel.sh", "mkdir -p $2\n", 'mkdir -p "$2"\n'),
            Replace(f"{_CI}/upload_wheel.sh", "cp $1 $2\n", 'cp "$1" "$2"\n'),
        ),
        {
            "v2.17.0": Truth(
                Status.PART,
                ("Quote the paths in rename_wheels.sh", "Quote the paths in verify_wheel.sh"),
            ),
            "v2.18.0": Truth(
                Status.IDENTICAL,
                (
                    "Quote the paths in rename_wheels.sh",
                    "Quote the paths in verify_wheel.sh",
                    "Quote the paths in upload_wheel.sh",
                ),
            ),
        },
    ),
    Situation(
        "Make the saxpy example larger",
        (Replace("tensorflow/examples/saxpy.py", "constant(2.0)", "constant(200.0)"),),
        {"v2.17.0": CLEAN, "v2.18.0": Truth(Status.CONFLICT, ("Remove the saxpy example",))},
    ),
    Situation(
        "Let anyone run install_deps.sh",
        (SetMode(f"{_CI}/install_deps.sh", Mode.EXECUTABLE),),
        {
            "v2.17.0": CLEAN,
            "v2.18.0": Truth(Status.IDENTICAL, ("Make install_deps.sh executable",)),
        },
    ),
    Situation(
        "An icon for Macs",
        (Write("tensorflow/g3doc/icon.png", b"\x89PNG\r\n\x1a\n" + bytes(range(64)) * 5),),
        {"v2.17.0": CLEAN, "v2.18.0": Truth(Status.CONFLICT, ("A new icon",))},
    ),
    Situation(
        "Windows: Say that this is no Mac",
        (
            Replace(
                f"{_CI}/setup_windows.bat",
                "set BAZEL_VERSION=6.5.0\r\n",
                "set BAZEL_VERSION=6.5.0\r\nset MAC=no\r\n",
            ),
        ),
        both(Truth(Status.ADAPTED, ("Windows: Prepare Python 3.12",))),
    ),
    Situation(
        "はじめに: Mac でのインストールについて、もう少し詳しく、読む人が迷わないように書く",
        (
            Replace(
                "tensorflow/g3doc/ja/はじめに.md",
                "`pip install` でホイールを入れます。\n",
                "`pip install` でホイールを入れます。\nMac でも同じです。\n",
            ),
        ),
        both(CLEAN),
        body="From the guide in English.\nFrom deadbeef on, lines begin as a mailbox's do.",
        author=Person("Łukasz Wójcik", "lukasz.wojcik@example.org"),
    ),
    Situation(
        "Train the line for longer, under a shorter name",
        (
            Move("tensorflow/examples/linear_fit.py", "tensorflow/examples/line.py"),
            Replace("tensorflow/examples/line.py", "epochs=100", "epochs=200"),
        ),
        both(Truth(Status.ADAPTED, ("The example of a line prints the line",))),
    ),
    Situation(
        "Build the images on Debian testing",
        (Write(f"{_CI}/image.txt", "debian:testing"),),
        {"v2.17.0": CLEAN, "v2.18.0": Truth(Status.CONFLICT, ("Build the images on Debian 13",))},
    ),
    Situation(
        "Describe the fork",
        (Write("tensorflow/g3doc/apple.md", "# The fork for Macs\n\nIt uses ML Compute.\n"),),
        {
            "v2.17.0": CLEAN,
            "v2.18.0": Truth(Status.CONFLICT, ("Say where TensorFlow runs on Macs",)),
        },
    ),
    Situation(
        "Drop the delegate for Core ML",
        (Delete("tensorflow/lite/experimental/delegates/coreml.c"),),
        both(
            Truth(
                Status.CONFLICT,
                ("Move the delegates out of experimental", "Delegates tell their version"),
            )
        ),
    ),
    Situation(
        "Link the README into the guides",
        (Write("tensorflow/g3doc/README.md", "../../README.md", Mode.LINK),),
        both(CLEAN),
    ),
    Situation(
        "Leave Windows out of the first lines",
        (Cut(f"{_CI}/setup_windows.bat", "@echo off\r\n", "rem "),),
        both(Truth(Status.ADAPTED, ("Windows: Prepare Python 3.12",))),
    ),
    Situation(
        "Promise convolutions",
        (
            Replace(
                "RELEASE.md",
                "* Convolutions are not supported.\n",
                "* Convolutions are not supported yet.\n",
            ),
        ),
        both(CLEAN),
        body="Without context its place is its base: a line number elsewhere means nothing.",
        context=0,
    ),
)
"""The queue, in order."""

_DEMO_FIRST_CAUSE = "Place ops on the device MLC where it has a kernel"
_DEMO_UPSTREAM = Truth(
    Status.IDENTICAL, ("PR #63012: Give zeros for the bias gradient of an empty batch",)
)

DEMO: dict[str, dict[str, Truth]] = {
    "00100-give-zeros-for-the-bias-gradient-of-an-empty-batch.patch": both(_DEMO_UPSTREAM),
    "00200-report-whether-ml-compute-is-compiled-in.patch": both(CLEAN),
    "00300-add-the-device-mlc-and-its-matrix-product.patch": both(CLEAN),
    "00400-register-the-kernels-of-the-device-mlc.patch": both(
        Truth(Status.ADAPTED, ("Say what each group of kernels is for",))
    ),
    "00500-place-ops-on-the-device-mlc-where-it-has-a-kernel.patch": {
        "v2.17.0": Truth(Status.ADAPTED, ("Accept device names in lower case",)),
        "v2.18.0": Truth(Status.CONFLICT, ("Look at a device's kernels only when its name fits",)),
    },
    "00600-say-which-ops-ml-compute-runs-when-tf_mlc_logging-is-set.patch": {
        "v2.17.0": CLEAN,
        "v2.18.0": Truth(Status.CLEAN_AFTER, (_DEMO_FIRST_CAUSE,)),
    },
    "00700-let-python-ask-for-ml-compute.patch": both(
        Truth(Status.ADAPTED, ("Move the wrapper of port.h into a folder of its own",))
    ),
    "00800-add-tensorflow.python.compiler.mlcompute.patch": both(CLEAN),
}
"""The truth of patches/demo: by patch file, then by release."""


def commits(git: Git) -> list[str]:
    """Put the queue's commits on `BRANCH` of the miniature; return their ids, in order.

    The repository must not be shared: it gets a branch that the miniature does not have.
    """
    tree = _tree_at(BASE)
    parts = [f"reset {BRANCH}\nfrom {embedded.TAGS[BASE]}\n\n".encode()]
    for number, situation in enumerate(SITUATIONS):
        paragraphs = (situation.subject, situation.body, "\n".join(situation.trailers))
        commit = EmbeddedCommit(
            situation.subject,
            situation.author,
            f"2024-04-{number + 1:02}T12:00:00+01:00",
            situation.edits,
            body="\n\n".join(filter(None, paragraphs[1:])),
        )
        changed = apply(situation.edits, tree)
        parts += stream.commit_of(BRANCH, commit, tree, changed)
        tree = changed
    git.run("fast-import", "--quiet", stdin=b"".join(parts))
    return git.line("rev-list", "--reverse", f"{embedded.TAGS[BASE]}..{BRANCH}").split()


def write(git: Git, folder: Path) -> Path:
    """Write the queue as queue.yaml, series and patch files; return the folder."""
    folder.mkdir(parents=True)
    for situation, commit in zip(SITUATIONS, commits(git), strict=True):
        (folder / situation.name).write_bytes(_patch(git, situation, commit))
    names = [f"{situation.name}\n" for situation in SITUATIONS]
    (folder / "series").write_text("".join(names), encoding="utf-8")
    (folder / "queue.yaml").write_text(
        f"upstream: 'embedded:'\nref: {BASE}\ncommit: {embedded.TAGS[BASE]}\n",
        encoding="utf-8",
    )
    return folder


def _tree_at(tag: str) -> Tree:
    tree: Tree = {}
    for item in history.HISTORY:
        if isinstance(item, EmbeddedCommit):
            tree = apply(item.edits, tree)
        elif item.tag == tag:
            return apply(tuple(edit for commit in item.commits for edit in commit.edits), tree)
    raise AssertionError(tag)


def _patch(git: Git, situation: Situation, commit: str) -> bytes:
    """One patch file, by git; index lines stay where a binary patch needs them."""
    argv = git.argv(
        "format-patch", "-1", "--stdout", "--zero-commit", "--no-signature", "--no-stat",
        "--keep-subject", "--full-index", "--binary", "-M", f"-U{situation.context}", commit,
    )  # fmt: skip
    text = subprocess.run(argv, check=True, capture_output=True).stdout
    if b"\nGIT binary patch\n" in text:
        return text
    return re.sub(rb"(?m)^index [0-9a-f]+\.\.[0-9a-f]+( \d+)?\n", b"", text)
