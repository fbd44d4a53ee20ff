"""Bazel's answers on external repositories: what is read in them, and what is kept out."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.bazel import externals
from tensorflow_macos_build.bazel.link_actions import (
    LinkedContent,
    linked_contents,
    merged_objects,
)
from tensorflow_macos_build.errors import WorkFailed

SHA = "ab" * 32
ACTIONS = """\
action 'Linking tensorflow/libx.2.dylib'
  Mnemonic: CppLink
  Inputs: [bazel-out/darwin_arm64-opt/bin/external/zlib/libzlib.a, external/pre~1.0/made.o, \
bazel-out/darwin_arm64-opt/bin/external/shared/libs.dylib, external/tools/link.sh]
  Outputs: [bazel-out/darwin_arm64-opt/bin/tensorflow/libx.2.dylib]

action 'Linking tensorflow/libtool.so [for host]'
  Mnemonic: CppLink
  Inputs: [bazel-out/host/bin/external/hosts/h.lo]
  Outputs: [bazel-out/host/bin/tensorflow/libx.2.dylib]

action 'Linking tensorflow/libtool.so [for tool]'
  Mnemonic: CppLink
  Inputs: [bazel-out/k8-opt-exec-2B5CBBC6/bin/external/hosts/h.lo]
  Outputs: [bazel-out/k8-opt-exec-2B5CBBC6/bin/tensorflow/libx.2.dylib]

action 'Copying tensorflow/copied.so'
  Mnemonic: Genrule
  Inputs: [bazel-out/darwin_arm64-opt/bin/external/zlib/libzlib.a]
  Outputs: [bazel-out/darwin_arm64-opt/bin/tensorflow/copied.so]

action 'Linking a/merging.so'
  Mnemonic: ObjcLink
  Inputs: [bazel-out/darwin_arm64-opt/bin/a/libover.a, bazel-out/darwin_arm64-opt/bin/a/libown.a]
  Outputs: [bazel-out/darwin_arm64-opt/bin/a/merging.so]

action 'Archiving'
  Mnemonic: CppArchive
  Inputs: [bazel-out/darwin_arm64-opt/bin/a/_objs/own/own.o]
  Outputs: [bazel-out/darwin_arm64-opt/bin/a/libown.a]

action 'Merging'
  Mnemonic: CppTransitiveArchive
  Inputs: [bazel-out/darwin_arm64-opt/bin/a/libmerged.a]
  Outputs: [bazel-out/darwin_arm64-opt/bin/a/libover.a]

action 'Merging'
  Mnemonic: Genrule
  Inputs: [bazel-out/darwin_arm64-opt/bin/external/deep/libdeep.a, tools/merge.sh]
  Outputs: [bazel-out/darwin_arm64-opt/bin/a/libmerged.a]

action 'Linking a/objects.so'
  Mnemonic: CppLink
  Inputs: [bazel-out/darwin_arm64-opt/bin/external/tree/_objs/x/generated, \
bazel-out/darwin_arm64-opt/bin/a/_objs/x/generated]
  Outputs: [bazel-out/darwin_arm64-opt/bin/a/objects.so]

action 'Linking a/folder.so'
  Mnemonic: CppLink
  Inputs: [bazel-out/darwin_arm64-opt/bin/a/folder, external/made.o/made.o]
  Outputs: [bazel-out/darwin_arm64-opt/bin/a/folder.so]

action 'Linking a/blob.so'
  Mnemonic: CppLink
  Inputs: [bazel-out/darwin_arm64-opt/bin/a/blob.o]
  Outputs: [bazel-out/darwin_arm64-opt/bin/a/blob.so]

action 'Making a blob'
  Mnemonic: Genrule
  Inputs: [a/blob.tar]
  Outputs: [bazel-out/darwin_arm64-opt/bin/a/blob.o]
"""
DECLARED = f"""\
<?xml version="1.1" encoding="UTF-8" standalone="no"?>
<query version="2">
  <rule class="_tf_http_archive" name="//external:zlib">
    <list name="urls"><string value="https://me:secret@z.example/z?token=secret"/></list>
    <string name="sha256" value="{SHA}"/>
  </rule>
  <rule class="http_archive" name="//external:sri">
    <string name="url" value="https://s.example/s"/>
    <string name="integrity" value="sha256-{"q6ur" * 10 + "q6s="}"/>
  </rule>
  <rule class="cc_autoconf" name="//external:local_config_cc"/>
</query>
"""


def content(*names: str, is_whole: bool = True) -> LinkedContent:
    return LinkedContent(frozenset(names), is_whole)


def answered() -> dict[str, LinkedContent]:
    lines = ACTIONS.splitlines()
    return linked_contents(lines, merged_objects(lines))


def test_a_library_has_what_is_linked_statically_and_tools_of_the_build_have_no_say() -> None:
    contents = answered()
    assert contents["tensorflow/libx.2.dylib"] == content("pre~1.0", "zlib")
    assert "tensorflow/copied.so" not in contents


def test_a_merged_archive_has_what_its_parts_have_and_a_folder_may_have_anything() -> None:
    contents = answered()
    assert contents["a/merging.so"] == content("deep")
    assert contents["a/objects.so"] == content("tree")
    assert contents["a/folder.so"] == content("made.o", is_whole=False)
    assert contents["a/blob.so"] == content(is_whole=False)


def test_declared_addresses_and_digests_are_read_without_credentials() -> None:
    declared = externals.declared_repositories(DECLARED)
    assert declared["zlib"].urls == ("https://z.example/z",)
    assert declared["zlib"].sha256 == declared["sri"].sha256 == SHA
    with pytest.raises(WorkFailed, match="no XML"):
        externals.declared_repositories("<query")
    with pytest.raises(WorkFailed, match="declares"):
        externals.declared_repositories('<!DOCTYPE q [<!ENTITY e "e">]><query>&e;</query>')


def test_what_is_fetched_or_linked_counts_and_what_this_machine_makes_does_not() -> None:
    labels = "//x:y (1)\n@zlib//:z (2)\n@@new~2//:n (null)\n@local_config_cc//:c\n@platforms//os:os"
    needed = externals.needed_repositories(labels.splitlines())
    linked = {"b.so": content(is_whole=False), "a.so": content("unheard")}
    answer = externals.combined(needed, linked, externals.declared_repositories(DECLARED))
    assert [each.name for each in answer.repositories] == ["new~2", "unheard", "zlib"]
    assert [bool(each.urls) for each in answer.repositories] == [False, False, True]
    assert (answer.links, answer.partly_seen) == ({"a.so": ("unheard",), "b.so": ()}, ("b.so",))


def test_options_tell_what_repositories_are_and_where_results_came_from() -> None:
    options = [
        "--action_env=A=1",
        "--action_env=FROM_OUTSIDE",
        "--repo_env=B=2",
        "--remote_cache=grpc://upstream",
        "--remote_cache=grpcs://me:secret@cache.example/x?key=secret",
        "--remote_executor=grpc://farm",
        "--remote_executor=",
        "--disk_cache=/somewhere",
    ]
    assert externals.repository_flags(options) == ("--repo_env=A=1", "--repo_env=B=2")
    assert externals.cache_origins(options) == ("disk", "grpcs://cache.example/x")
    bare = ["--remote_cache=me:secret@cache.example:80", "--remote_executor=unix:/run/farm"]
    assert externals.cache_origins(bare) == ("cache.example:80", "unix:/run/farm")
