"""Bazel's answers on external repositories: what is read in them, and what is kept out."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.bazel import externals
from tensorflow_macos_build.errors import WorkFailed

SHA = "ab" * 32
ACTIONS = """\
action 'Linking tensorflow/libx.2.dylib'
  Mnemonic: CppLink
  Inputs: [bazel-out/darwin_arm64-opt/bin/external/zlib/libzlib.a, external/pre~1.0/made.o, \
bazel-out/darwin_arm64-opt/bin/external/shared/libs.dylib, external/tools/link.sh]
  Outputs: [bazel-out/darwin_arm64-opt/bin/tensorflow/libx.2.dylib]

action 'Linking tensorflow/libtool.so [for host]'
  Inputs: [bazel-out/host/bin/external/hosts/h.lo]
  Outputs: [bazel-out/host/bin/tensorflow/libx.2.dylib]

action 'Linking tensorflow/libtool.so [for tool]'
  Inputs: [bazel-out/k8-opt-exec-2B5CBBC6/bin/external/hosts/h.lo]
  Outputs: [bazel-out/k8-opt-exec-2B5CBBC6/bin/tensorflow/libx.2.dylib]
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


def test_a_library_has_what_is_linked_statically_and_tools_of_the_build_have_no_say() -> None:
    links = externals.linked_repositories(ACTIONS.splitlines())
    assert links == {"tensorflow/libx.2.dylib": ("pre~1.0", "zlib")}


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
    links = {"a.so": ("unheard",)}
    answer = externals.combined(needed, links, externals.declared_repositories(DECLARED))
    assert [each.name for each in answer.repositories] == ["new~2", "unheard", "zlib"]
    assert [bool(each.urls) for each in answer.repositories] == [False, False, True]


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
