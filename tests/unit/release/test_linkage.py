"""Which archive is in which library of a wheel: what is certain, and what is said to be unknown."""

from __future__ import annotations

from tensorflow_macos_build.release import linkage
from tensorflow_macos_build.release.linkage import BuiltOf
from tensorflow_macos_build.release.sbom import ExternalArchive

ZLIB, EIGEN = ExternalArchive("zlib", ("https://z.example/z",)), ExternalArchive("eigen")
LIBRARIES = linkage.libraries(
    [
        "tensorflow/libtensorflow_cc.2.dylib",
        "tensorflow/python/_pywrap.so",
        "tensorflow/a/twin.so",
        "tensorflow/__init__.py",
        "tensorflow/some.so.txt",
    ]
)


def test_libraries_are_known_by_their_path_or_by_the_one_name_that_fits() -> None:
    arm64 = BuiltOf(
        [ZLIB, EIGEN],
        {"tensorflow/libtensorflow_cc.2.17.0.dylib": ["eigen"], "elsewhere/_pywrap.so": ["zlib"]},
    )
    x86_64 = BuiltOf([ZLIB], {"tensorflow/libtensorflow_cc.2.17.0.dylib": ["zlib"]})
    eigen, zlib = linkage.archives(LIBRARIES, [arm64, x86_64])
    assert (eigen.name, eigen.linked_into) == ("eigen", ("tensorflow/libtensorflow_cc.2.dylib",))
    assert (zlib.urls, zlib.linked_into) == (
        ZLIB.urls,
        ("tensorflow/libtensorflow_cc.2.dylib", "tensorflow/python/_pywrap.so"),
    )
    assert linkage.archives(LIBRARIES, [x86_64, arm64]) == (eigen, zlib)


def test_a_library_that_was_seen_in_part_does_not_look_whole() -> None:
    part = BuiltOf([ZLIB], {LIBRARIES[1]: ["zlib"], LIBRARIES[0]: []}, (LIBRARIES[1],))
    assert linkage.unknown(LIBRARIES[:2], {"arm64": part}) == (
        f"arm64: what else is linked into {LIBRARIES[1]}",
    )


def test_a_library_that_may_be_either_of_two_is_unknown_and_so_is_all_without_an_answer() -> None:
    twins = BuiltOf([ZLIB], {"b/twin.so": ["zlib"], "c/twin.so": []})
    assert [archive.linked_into for archive in linkage.archives(LIBRARIES, [twins])] == [()]
    words = linkage.unknown(LIBRARIES, {"x86_64": None, "arm64": twins})
    assert words == (
        *(f"arm64: what is linked into {library}" for library in LIBRARIES),
        "x86_64: what Bazel fetched, and what is linked into what",
    )
