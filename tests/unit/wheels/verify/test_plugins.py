"""A plugin is linked dry as dyld would: every kind of binding, and what each lack is called."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.verify import Code, Severity, VerifyOptions, verify
from tests.machos import llvm
from tests.plugin_wheels import EXPORTED, MODULE, PLUGIN, PluginMaker

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.wheels.verify import Verification
    from tensorflow_macos_build.wheels.verify.plugin_link import PluginLink
    from tests.machos import Toolchain

FIXUPS = ("-fixup_chains", "-no_fixup_chains")
USES = "extern int TF_One(void), TF_Two(void); int use(void) { return TF_One() + TF_Two(); }"
WEAK = (
    "extern int TF_One(void), TF_Two(void) __attribute__((weak_import));"
    " int use(void) { return TF_One() + (TF_Two ? TF_Two() : 0); }"
)
ONE = "int TF_One(void) { return 1; }"
FLAT = ("-U", "_TF_One", "-U", "_TF_Two")


@pytest.fixture
def maker(toolchain: Toolchain, tmp_path: Path) -> PluginMaker:
    return PluginMaker(toolchain, tmp_path)


def beside(wheel: Path, *plugins: Path) -> Verification:
    return verify(wheel, VerifyOptions(plugins=plugins, workers=1))


def only_link(verification: Verification) -> PluginLink:
    (plugin,) = verification.plugins
    (link,) = plugin.links
    return link


def missing(link: PluginLink) -> dict[str, str]:
    """Return the missing symbols, each with the library that it is expected from."""
    return {symbol.name: symbol.library for symbol in link.missing}


def codes(verification: Verification) -> set[Code]:
    """Return what was found of plugins."""
    return {finding.code for finding in verification.findings if finding.file.startswith("plug-")}


@pytest.mark.parametrize("fixups", FIXUPS)
def test_a_two_level_symbol_comes_from_its_library(maker: PluginMaker, fixups: str) -> None:
    plugin = maker.plugin(maker.image(USES, fixups, maker.core()))
    link = only_link(beside(maker.tensorflow(), plugin))
    assert (link.loads, set(link.bound), link.missing) == (True, {"_TF_One", "_TF_Two"}, ())
    verification = beside(maker.tensorflow(maker.core(ONE)), plugin)
    link = only_link(verification)
    assert not link.loads
    assert missing(link) == {"_TF_Two": "@rpath/libtensorflow_framework.2.dylib"}
    assert codes(verification) == {Code.PLUGIN_SYMBOL}
    assert not verification.ok


@pytest.mark.parametrize("fixups", FIXUPS)
def test_a_two_level_symbol_of_another_library_is_missing(maker: PluginMaker, fixups: str) -> None:
    other = maker.tools.dylib("libother.dylib", EXPORTED, "arm64")
    wheel = maker.tensorflow(maker.core(ONE), {"tensorflow/libother.dylib": other.read_bytes()})
    link = only_link(beside(wheel, maker.plugin(maker.image(USES, fixups, maker.core()))))
    assert [symbol.elsewhere for symbol in link.missing] == [("tensorflow/libother.dylib",)]


def test_re_exports_are_followed(maker: PluginMaker) -> None:
    inner = maker.tools.dylib("libinner.dylib", EXPORTED, "arm64")
    here = ("-rpath", "@loader_path")
    # lld would bind to the library behind it, if it could look through.
    hollow = maker.tools.dylib("libinner.dylib", "int hollow;", "arm64")
    core = maker.core("int own;", "arm64", *here, "-reexport_library", hollow)
    wheel = maker.tensorflow(core, {"tensorflow/libinner.dylib": inner.read_bytes()})
    plugin = maker.plugin(maker.image(USES, maker.core()))
    assert set(only_link(beside(wheel, plugin)).bound) == {"_TF_One", "_TF_Two"}


@pytest.mark.parametrize("fixups", FIXUPS)
def test_a_flat_symbol_comes_from_any_image_that_others_load(
    maker: PluginMaker, fixups: str
) -> None:
    plugin = maker.plugin(maker.image(USES, fixups, *FLAT))
    assert only_link(beside(maker.tensorflow(), plugin)).loads
    link = only_link(beside(maker.tensorflow(maker.core(ONE)), plugin))
    assert missing(link) == {"_TF_Two": ""}


def test_a_module_that_python_opens_is_hidden_from_flat_lookups(maker: PluginMaker) -> None:
    source = "extern int TF_Hidden(void); int use(void) { return TF_Hidden(); }"
    plugin = maker.plugin(maker.image(source, "-U", "_TF_Hidden"))
    link = only_link(beside(maker.tensorflow(), plugin))
    assert [symbol.elsewhere for symbol in link.missing] == [(MODULE,)]


@pytest.mark.parametrize("fixups", FIXUPS)
def test_an_image_without_a_two_level_namespace_takes_from_any(
    maker: PluginMaker, fixups: str
) -> None:
    image = maker.image(USES, fixups, "-flat_namespace", "-undefined", "dynamic_lookup")
    link = only_link(beside(maker.tensorflow(maker.core(ONE)), maker.plugin(image)))
    assert missing(link) == {"_TF_Two": ""}


@pytest.mark.parametrize("fixups", FIXUPS)
@pytest.mark.parametrize("flat", [False, True])
def test_a_weak_import_that_is_missing_is_no_error(
    maker: PluginMaker, fixups: str, flat: bool
) -> None:
    how = FLAT if flat else (maker.core(),)
    verification = beside(
        maker.tensorflow(maker.core(ONE)), maker.plugin(maker.image(WEAK, fixups, *how))
    )
    link = only_link(verification)
    assert link.loads
    assert [(symbol.name, symbol.is_weak) for symbol in link.missing] == [("_TF_Two", True)]
    assert codes(verification) == {Code.PLUGIN_SYMBOL_WEAK}
    assert verification.ok


def test_what_macos_and_python_give_is_assumed(maker: PluginMaker) -> None:
    names = ("PyList_New", "objc_msgSend", "_ZNSt3__14coutE", "_Znwm")
    declared = "".join(f"extern int {name}(void);" for name in names)
    source = f"{declared} int use(void) {{ return {' + '.join(f'{n}()' for n in names)}; }}"
    flags = [flag for name in names for flag in ("-U", f"_{name}")]
    link = only_link(beside(maker.tensorflow(), maker.plugin(maker.image(source, *flags))))
    assert (link.loads, link.missing) == (True, ())
    assert link.others >= len(names)


def test_a_c_plus_plus_name_is_not_assumed(maker: PluginMaker) -> None:
    name = "_ZN6google8protobuf5ArenaC1Ev"
    source = f"extern int {name}(void); int use(void) {{ return {name}(); }}"
    link = only_link(
        beside(maker.tensorflow(), maker.plugin(maker.image(source, "-U", f"_{name}")))
    )
    assert list(missing(link)) == [f"_{name}"]


def test_a_lost_library_ends_the_load(maker: PluginMaker) -> None:
    old = maker.tools.dylib("_pywrap_old.so", EXPORTED, "arm64")
    verification = beside(maker.tensorflow(), maker.plugin(maker.image(USES, old)))
    link = only_link(verification)
    assert link.lost == ("@rpath/_pywrap_old.so",)
    assert [symbol.elsewhere for symbol in link.missing] == [
        ("tensorflow/libtensorflow_framework.2.dylib",)
    ] * 2
    assert Code.PLUGIN_LIBRARY in codes(verification)


def test_a_library_is_found_by_the_rpath_of_what_opens_the_plugin(maker: PluginMaker) -> None:
    other = maker.tools.dylib("libother.dylib", EXPORTED, "arm64")
    image = maker.tools.dylib("libplug.dylib", USES, "arm64", other)
    others = {"tensorflow/deep/libother.dylib": other.read_bytes()}
    core = maker.core(EXPORTED, "arm64", "-rpath", "@loader_path/deep")
    verification = beside(maker.tensorflow(core, others), maker.plugin(image))
    assert only_link(verification).loads
    assert codes(verification) == {Code.RPATH_INHERITED}
    # Without it dyld would find it only if it was loaded before under that name.
    bare = beside(maker.tensorflow(others=others), maker.plugin(image))
    assert codes(bare) == {Code.RPATH_MISSES}


def test_a_plugin_for_the_other_architecture_alone_is_refused(maker: PluginMaker) -> None:
    image = maker.image("int use;", arch="x86_64")
    verification = beside(maker.tensorflow(), maker.plugin(image))
    assert codes(verification) == {Code.PLUGIN_ARCHITECTURE}
    assert not verification.ok


def test_both_slices_of_a_universal_plugin_are_linked(maker: PluginMaker) -> None:
    thin = [maker.image(USES, maker.core(arch=arch), arch=arch) for arch in ("x86_64", "arm64")]
    core = maker.tools.universal(maker.core(ONE, "x86_64"), maker.core(EXPORTED, "arm64"))
    (plugin,) = beside(maker.tensorflow(core), maker.plugin(maker.tools.universal(*thin))).plugins
    assert {link.arch: link.loads for link in plugin.links} == {"arm64": True, "x86_64": False}


def test_what_tensorflow_does_not_open_is_no_plugin(maker: PluginMaker) -> None:
    plugin = maker.plugin(maker.image("int use;"), "tensorflow-plugins/libplug.so")
    assert codes(beside(maker.tensorflow(), plugin)) == {Code.PLUGIN_NONE}


def test_a_plugin_for_another_version_is_refused(maker: PluginMaker) -> None:
    plugin = maker.plugin(maker.image("int use;"), requires="tensorflow==2.20.*")
    assert Code.PLUGIN_REQUIRES in codes(beside(maker.tensorflow(), plugin))
    fitting = maker.plugin(maker.image("int use;"), requires="tensorflow==2.21.*")
    assert codes(beside(maker.tensorflow(), fitting)) == set()


def test_a_file_of_both_is_a_clash(maker: PluginMaker) -> None:
    wheel = maker.tensorflow(others={PLUGIN: b"x"})
    assert Code.PLUGIN_CLASH in codes(beside(wheel, maker.plugin(maker.image("int use;"))))


def test_several_plugins_are_each_linked_alone(maker: PluginMaker) -> None:
    giving = maker.plugin(maker.image("int TF_Two(void) { return 2; }"))
    giving = giving.rename(giving.with_name(giving.name.replace("plug-0.1", "plug-0.2")))
    taking = maker.plugin(maker.image(USES, *FLAT))
    verification = beside(maker.tensorflow(maker.core(ONE)), giving, taking)
    loads = {plugin.wheel.name: plugin.links[0].loads for plugin in verification.plugins}
    assert loads == {giving.name: True, taking.name: False}


def test_a_finding_of_a_plugin_is_accepted_by_its_file(maker: PluginMaker) -> None:
    plugin = maker.plugin(maker.image(USES, *FLAT))
    wheel = maker.tensorflow(maker.core(ONE))
    allow = ("plugin-symbol:plug-*.whl/*",)
    assert verify(wheel, VerifyOptions(plugins=(plugin,), allow=allow)).ok


@pytest.mark.parametrize("content", [b"", b"\xcf\xfa\xed\xfe", b"\xcf\xfa\xed\xfe" * 99])
def test_a_plugin_of_rubbish_is_refused(maker: PluginMaker, content: bytes) -> None:
    verification = beside(maker.tensorflow(), maker.plugin(content))
    assert not verification.ok
    assert codes(verification) & {Code.PLUGIN_NONE, Code.MACHO_MALFORMED}


def test_a_plugin_that_is_no_wheel_is_a_finding_and_none_a_wrong_usage(
    maker: PluginMaker, tmp_path: Path
) -> None:
    plugin = tmp_path / "plug-0.1-py3-none-any.whl"
    with pytest.raises(UsageError, match="no such plugin"):
        beside(maker.tensorflow(), plugin)
    plugin.write_bytes(b"no zip")
    verification = beside(maker.tensorflow(), plugin)
    assert codes(verification) == {Code.ARCHIVE_BROKEN}
    assert {finding.severity for finding in verification.findings} == {Severity.ERROR}


def by_llvm_nm(plugin: Path, core: Path) -> set[str]:
    """Return what is missing, as llvm-nm sees both files."""
    exported = set(llvm("llvm-nm", "-gUj", core).split())
    line = r"\(undefined\) (?:weak )?external (\S+) \((?:from (\S+)|dynamically looked up)\)"
    undefined = re.findall(line, llvm("llvm-nm", "-m", plugin))
    return {name for name, library in undefined if library != "libSystem"} - exported


@pytest.mark.parametrize("seed", range(4))
def test_what_is_missing_is_what_llvm_nm_says(maker: PluginMaker, seed: int) -> None:
    chosen = random.Random(seed)
    names = [f"TF_{number}" for number in range(12)]
    given = [name for name in names if chosen.random() < 0.6]
    needed = [name for name in names if chosen.random() < 0.7]
    flat = [name for name in needed if chosen.random() < 0.5]
    weak = {name for name in needed if chosen.random() < 0.3}
    linked = maker.core("".join(
        f"int {name}(void) {{ return 1; }}" for name in names if name not in flat
    ) + "int own;")  # fmt: skip
    core = maker.core("".join(f"int {name}(void) {{ return 1; }}" for name in given) + "int own;")
    declared = "".join(
        f"extern int {name}(void){' __attribute__((weak_import))' if name in weak else ''};"
        for name in needed
    )
    source = f"{declared} int use(void) {{ return 0{''.join(f' + {n}()' for n in needed)}; }}"
    flags = [flag for name in flat for flag in ("-U", f"_{name}")]
    image = maker.image(source, chosen.choice(FIXUPS), linked, *flags)
    link = only_link(beside(maker.tensorflow(core), maker.plugin(image)))
    assert set(missing(link)) == by_llvm_nm(image, core)
    assert link.loads == all(f"_{name}" not in missing(link) for name in set(needed) - weak)
