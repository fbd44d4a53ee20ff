"""Real Bazel tells which archive it has fetched, and into which library that is linked."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import bazel
from tensorflow_macos_build.console import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WORKSPACE = """\
load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")
load(":local.bzl", "local")
local(name = "made_here")
[http_archive(name = name, urls = ["{url}"], sha256 = "{sha256}") for name in ("zeta", "unused")]
"""

LOCAL = """\
def _local(ctx):
    ctx.file("BUILD", "exports_files([\\"runs\\"])")
    ctx.file("runs", ctx.os.environ.get("ANSWER", ""))

local = repository_rule(implementation = _local, environ = ["ANSWER"])
"""

LINK = """\
def _link(ctx):
    out = ctx.actions.declare_file(ctx.attr.out)
    inputs = " ".join([file.path for file in ctx.files.srcs])
    ctx.actions.run_shell(
        inputs = ctx.files.srcs,
        outputs = [out],
        command = "find %s -type f > %s" % (inputs, out.path),
        mnemonic = "TinyLink",
    )
    return [DefaultInfo(files = depset([out]))]

def _folder(ctx):
    out = ctx.actions.declare_directory("folder")
    ctx.actions.run_shell(outputs = [out], command = "echo 1 > %s/blob.o" % out.path)
    return [DefaultInfo(files = depset([out]))]

folder = rule(_folder)
link = rule(_link, attrs = {"srcs": attr.label_list(allow_files = True), "out": attr.string()})
"""

BUILD = """\
load(":link.bzl", "folder", "link")
link(name = "with", out = "lib/libwith.1.2.dylib", srcs = ["@zeta//:z.a", "@made_here//:runs"])
link(name = "without", out = "without.so", srcs = ["BUILD"])
genrule(name = "merged", outs = ["merged.a"], srcs = ["@zeta//:z.a"], cmd = "cp $< $@")
link(name = "over", out = "over.so", srcs = [":merged"])
folder(name = "folder")
link(name = "opaque", out = "opaque.so", srcs = [":folder"])
filegroup(name = "both", srcs = [":with", ":without", ":over", ":opaque"])
"""


def archive(path: Path) -> str:
    """Write an archive of a repository; return its SHA-256."""
    with tarfile.open(path, "w") as tar:
        for name, content in {
            "WORKSPACE": b"",
            "BUILD": b'exports_files(["z.a"])',
            "z.a": b"z",
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def invocation(tmp_path: Path, tool: Callable[[str], Path]) -> Iterator[bazel.Invocation]:
    """A build of two libraries, one of which has an external archive in it."""
    tool("bazel")
    source, zeta = tmp_path / "source", tmp_path / "zeta.tar"
    source.mkdir()
    workspace = WORKSPACE.format(url=zeta.as_uri(), sha256=archive(zeta))
    texts = {"WORKSPACE": workspace, "local.bzl": LOCAL, "link.bzl": LINK, "BUILD": BUILD}
    for name, text in {**texts, ".bazelrc": "build --action_env=ANSWER=42\n"}.items():
        (source / name).write_text(text)
    files = bazel.BuildFiles.at(tmp_path / "now")
    made = bazel.Invocation(source, tmp_path / "base", files, ("//:both",))
    yield made
    bazel.shutdown(made)


def test_bazel_tells_what_it_fetched_and_what_is_linked_and_builds_nothing_anew(
    invocation: bazel.Invocation, tmp_path: Path
) -> None:
    log, zeta = tmp_path / "log", tmp_path / "zeta.tar"
    result = bazel.build(invocation, ticker=silent, log=log)
    externals = bazel.externals_of(invocation, result.options)
    (repository,) = externals.repositories
    assert (repository.name, repository.urls) == ("zeta", (zeta.as_uri(),))
    assert repository.sha256 == hashlib.sha256(zeta.read_bytes()).hexdigest()
    assert externals.links == {
        "lib/libwith.1.2.dylib": ("zeta",),
        "opaque.so": (),
        "over.so": ("zeta",),
        "without.so": (),
    }
    assert externals.partly_seen == ("opaque.so",)
    zeta.unlink()
    again = bazel.build(invocation, ticker=silent, log=log)
    assert bazel.externals_of(invocation, again.options) == externals
    assert (tmp_path / "base/external/made_here/runs").read_text() == "42"
