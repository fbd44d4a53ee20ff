"""The dry link follows re-exports, rpaths and install schemes as dyld does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.dist_info.install_paths import (
    expanded,
    installed,
    is_system,
    owner,
)
from tensorflow_macos_build.wheels.dist_info.tags import promises
from tensorflow_macos_build.wheels.verify import Code, verify
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.wheels.verify import Verification
    from tests.machos import Toolchain

ARM64 = "cp311-cp311-macosx_12_0_arm64"
BASE = "int base(void) { return 1; }"
USER = "extern int base(void); int use(void) { return base(); }"
HERE = ("-rpath", "@loader_path")


def verified(folder: Path, files: dict[str, Path]) -> Verification:
    contents = {name: path.read_bytes() for name, path in files.items()}
    return verify(WheelFiles(contents, tag=ARM64).write(folder))


def besides(verification: Verification) -> list[Code]:
    """Return what was found besides lld's two load commands for a re-exported library."""
    return [
        finding.code
        for finding in verification.findings
        if finding.code is not Code.LIBRARY_DUPLICATE
    ]


def re_exporting(toolchain: Toolchain, name: str, other: str) -> Path:
    """Make a dylib that re-exports one of that name; lld sees an empty one in its stead."""
    empty = toolchain.dylib(other, "int empty;", "arm64")
    return toolchain.dylib(name, "int own;", "arm64", *HERE, "-reexport_library", empty)


@pytest.mark.parametrize("chained", ["-fixup_chains", "-no_fixup_chains"])
def test_a_symbol_is_found_through_re_exports(
    toolchain: Toolchain, tmp_path: Path, chained: str
) -> None:
    base = toolchain.dylib("libbase.dylib", BASE, "arm64")
    inner = re_exporting(toolchain, "libinner.dylib", "libbase.dylib")
    outer = re_exporting(toolchain, "libouter.dylib", "libinner.dylib")
    # lld follows re-exports to the library that defines a symbol; a stub hides that one from it.
    stub = toolchain.dylib("libouter.dylib", BASE, "arm64")
    mod = toolchain.dylib("mod.so", USER, "arm64", *HERE, chained, stub)
    files = {"a/libouter.dylib": outer, "a/libinner.dylib": inner, "a/mod.so": mod}
    verification = verified(tmp_path, {**files, "a/libbase.dylib": base})
    assert besides(verification) == []
    assert verification.symbols.bound == 1
    hollow = toolchain.dylib("libbase.dylib", "int nothing;", "arm64")
    verification = verified(tmp_path, {**files, "a/libbase.dylib": hollow})
    assert besides(verification) == [Code.SYMBOL_MISSING]


def test_libraries_that_re_export_each_other_end(toolchain: Toolchain, tmp_path: Path) -> None:
    first = re_exporting(toolchain, "libfirst.dylib", "libsecond.dylib")
    second = re_exporting(toolchain, "libsecond.dylib", "libfirst.dylib")
    stub = toolchain.dylib("libfirst.dylib", BASE, "arm64")
    mod = toolchain.dylib("mod.so", USER, "arm64", *HERE, stub)
    files = {"a/libfirst.dylib": first, "a/libsecond.dylib": second, "a/mod.so": mod}
    verification = verified(tmp_path, files)
    assert besides(verification) == [Code.SYMBOL_MISSING]
    assert "_base" in verification.findings[0].message


def test_a_library_in_the_data_scheme_is_found_from_platlib(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    base = toolchain.dylib("libbase.dylib", BASE, "arm64")
    mod = toolchain.dylib("mod.so", USER, "arm64", "-rpath", "@loader_path/../../../../lib", base)
    where = "tiny-1.0.data"
    verification = verified(tmp_path, {f"{where}/data/lib/libbase.dylib": base,
                              f"{where}/platlib/tiny/mod.so": mod})  # fmt: skip
    assert verification.findings == ()
    assert verification.symbols.bound == 1


def test_a_re_exported_library_of_the_system_is_trusted(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    system = toolchain.dylib("libsys.dylib", "int s;", "arm64", install_name="/usr/lib/libs.dylib")
    outer = toolchain.dylib("libouter.dylib", "int o;", "arm64", "-reexport_library", system)
    stub = toolchain.dylib("libouter.dylib", BASE, "arm64")
    mod = toolchain.dylib("mod.so", USER, "arm64", *HERE, stub)
    assert besides(verified(tmp_path, {"a/libouter.dylib": outer, "a/mod.so": mod})) == []


def test_a_pure_wheel_has_no_finding(tmp_path: Path) -> None:
    wheel = WheelFiles({"tiny/__init__.py": b"", "tiny/data.bin": bytes(99)}, tag="py3-none-any")
    verification = verify(wheel.write(tmp_path))
    assert (verification.findings, verification.binaries, verification.members) == ((), 0, 5)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/usr/lib/libSystem.B.dylib", True),
        ("/usr/lib", True),
        ("/System/Library/Frameworks/Accelerate.framework/Accelerate", True),
        ("/usr/lib/../local/lib/libgomp.dylib", False),
        ("/System/Library/../../opt/homebrew/lib/libomp.dylib", False),
        ("/usr/libexec/libx.dylib", False),
        ("@rpath/usr/lib/libx.dylib", False),
    ],
)
def test_the_system_s_libraries_are_those_in_its_folders(path: str, expected: bool) -> None:
    assert is_system(path) == expected


def test_members_go_where_installers_put_them() -> None:
    assert installed("a/b.so") == "lib/python/site-packages/a/b.so"
    assert installed("t-1.data/platlib/a/b.so") == "lib/python/site-packages/a/b.so"
    assert installed("t-1.data/data/lib/b.dylib") == "lib/b.dylib"
    assert installed("t-1.data/scripts/run") == "bin/run"
    assert expanded("@loader_path/../lib/x", installed("a/b/c.so")) == (
        "lib/python/site-packages/a/lib/x"
    )
    assert expanded("@loader_path", installed("a/c.so")) == "lib/python/site-packages/a"
    assert expanded("@executable_path/../lib", "x") is None
    assert owner("lib/python/site-packages/a/b") == "a"
    assert owner("lib/libx.dylib") is None


@pytest.mark.parametrize(
    ("platforms", "promised"),
    [
        (["macosx_10_15_x86_64", "macosx_12_0_arm64"], {"arm64": (12, 0), "x86_64": (10, 15)}),
        (["macosx_10_9_universal2"], {"arm64": (11, 0), "x86_64": (10, 9)}),
        (["macosx_12_0_arm64", "macosx_11_0_arm64"], {"arm64": (11, 0)}),
        (["macosx_10_6_intel"], {"i386": (10, 6), "x86_64": (10, 6)}),
        (["any"], {}),
        (["manylinux_2_17_x86_64"], {}),
    ],
)
def test_tags_promise_architectures_and_their_oldest_system(
    platforms: list[str], promised: dict[str, tuple[int, int]]
) -> None:
    assert promises(platforms) == promised


def test_a_library_is_found_by_rpaths_in_their_order(toolchain: Toolchain, tmp_path: Path) -> None:
    hollow = toolchain.dylib("libbase.dylib", "int nothing;", "arm64")
    base = toolchain.dylib("libbase.dylib", BASE, "arm64")
    for order, ok in ((("one", "two"), True), (("two", "one"), False)):
        rpaths = [word for name in order for word in ("-rpath", f"@loader_path/{name}")]
        mod = toolchain.dylib("mod.so", USER, "arm64", *rpaths, base)
        files = {"a/one/libbase.dylib": base, "a/two/libbase.dylib": hollow, "a/mod.so": mod}
        assert verified(tmp_path, files).ok == ok


@pytest.mark.parametrize(
    "install_name",
    ["@rpath/sub/libbase.dylib", "@rpath/../a/sub/libbase.dylib", "@rpath/./sub/libbase.dylib",
     "@loader_path/sub/libbase.dylib", "@loader_path/../a/./sub/libbase.dylib"],
)  # fmt: skip
def test_install_names_with_folders_are_followed(
    toolchain: Toolchain, tmp_path: Path, install_name: str
) -> None:
    base = toolchain.dylib("libbase.dylib", BASE, "arm64", install_name=install_name)
    mod = toolchain.dylib("mod.so", USER, "arm64", *HERE, base)
    verification = verified(tmp_path, {"a/sub/libbase.dylib": base, "a/mod.so": mod})
    assert [
        finding for finding in verification.findings if finding.code is not Code.RPATH_DEAD
    ] == []
    assert verification.symbols.bound == 1


def test_what_a_file_says_is_shown_without_commands_for_a_terminal(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    name = "@rpath/\x1b[31m" + "x" * 9000
    base = toolchain.dylib("libbase.dylib", BASE, "arm64", install_name=name)
    mod = toolchain.dylib("mod.so", USER, "arm64", *HERE, base)
    (finding,) = verified(tmp_path, {"a/mod.so": mod}).findings
    assert finding.code is Code.LIBRARY_MISSING
    assert "\\x1b[31mxxx" in finding.message
    assert len(finding.message) < 5000
