"""Relocation with real binaries: libraries outside the wheel come in, whole and signed, or not."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.relocate import relocators
from tensorflow_macos_build.wheels.relocate.engine import relocate
from tensorflow_macos_build.wheels.thin.engine import thin
from tensorflow_macos_build.wheels.verify import VerifyOptions, verify
from tests import command_line
from tests.machos import TARGETS, Toolchain, llvm
from tests.wheel_files import FUSED_TAG, WheelFiles
from tests.wheelmaker import unpacked

if TYPE_CHECKING:
    from collections.abc import Callable

DEP = "int dep(void) { return 7; }"
MOD = "int dep(void); int mod(void) { return dep(); }"
THIN_TAG = {"arm64": "cp311-cp311-macosx_12_0_arm64", "x86_64": "cp311-cp311-macosx_10_15_x86_64"}


def both(make: Callable[[str], Path], toolchain: Toolchain) -> Path:
    return toolchain.universal(*(make(arch) for arch in TARGETS))


def outside_library(toolchain: Toolchain, folder: Path, *archs: str) -> Path:
    """Return the path of a new library in a folder, whose install name it is."""
    folder.mkdir()
    library = folder / "libdep.dylib"
    thin = [toolchain.dylib("libdep.dylib", DEP, arch, install_name=str(library)) for arch in archs]
    shutil.copyfile(toolchain.universal(*thin) if len(thin) > 1 else thin[0], library)
    return library


def module(toolchain: Toolchain, arch: str, name: str, *flags: str) -> Path:
    """Link a module against a library that will be looked for by `name`."""
    dep = toolchain.dylib("libdep.dylib", DEP, arch, install_name=name)
    room = "-headerpad_max_install_names"
    return toolchain.bundle("mod.so", MOD, arch, dep, *(flags or (room,)))


def loads(path: Path, arch: str) -> list[str]:
    listed = llvm("llvm-otool", "-arch", arch, "-L", path).splitlines()[1:]
    return [line.split()[0] for line in listed]


def test_a_wheel_that_needs_nothing_is_passed_through_untouched(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    inner = both(lambda arch: toolchain.dylib("libin.dylib", DEP, arch), toolchain)
    mod = both(
        lambda arch: module(toolchain, arch, "@rpath/libin.dylib", "-rpath", "@loader_path/lib"),
        toolchain,
    )
    wheel = WheelFiles(
        {"tiny/mod.so": mod.read_bytes(), "tiny/lib/libin.dylib": inner.read_bytes()}
    ).write(tmp_path)
    done = relocate(wheel, tmp_path / "out")
    assert (done.changed, done.copied) == (False, ())
    assert done.wheel.samefile(wheel)
    assert relocate(wheel, tmp_path).wheel == wheel


@pytest.mark.parametrize(
    "name",
    ["@rpath/_pywrap_internal.so", "@rpath/elsewhere/libin.dylib", "/usr/lib/libz.1.dylib"],
    ids=["an install name in the wheel", "a file of that name in the wheel", "the system"],
)
def test_what_another_image_has_loaded_or_the_system_has_is_no_need(
    name: str, toolchain: Toolchain, tmp_path: Path
) -> None:
    inner = toolchain.dylib("libin.dylib", DEP, "arm64", install_name="@rpath/_pywrap_internal.so")
    mod = module(toolchain, "arm64", name)
    files = {"tiny/mod.so": mod.read_bytes(), "tiny/deep/libin.dylib": inner.read_bytes()}
    wheel = WheelFiles(files, tag=THIN_TAG["arm64"]).write(tmp_path)
    assert not relocate(wheel, tmp_path / "out").changed


def test_a_library_of_another_distribution_is_no_need(toolchain: Toolchain, tmp_path: Path) -> None:
    rpath = ("-rpath", "@loader_path/../tensorflow")
    mod = module(toolchain, "arm64", "@rpath/libtensorflow_framework.2.dylib", *rpath)
    wheel = WheelFiles({"tiny/mod.so": mod.read_bytes()}, tag=THIN_TAG["arm64"]).write(tmp_path)
    assert not relocate(wheel, tmp_path / "out").changed


def universal_wheel(toolchain: Toolchain, folder: Path, name: str) -> Path:
    mod = both(lambda arch: module(toolchain, arch, name), toolchain)
    files = {"tiny/__init__.py": b"import os\n" * 50, "tiny/mod.so": mod.read_bytes()}
    return WheelFiles(files).write(folder)


def test_a_library_from_outside_comes_in_for_both_architectures(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    library = outside_library(toolchain, tmp_path / "opt", "x86_64", "arm64")
    wheel = universal_wheel(toolchain, tmp_path, str(library))
    before = hashlib.sha256(wheel.read_bytes()).hexdigest()
    done = relocate(wheel, tmp_path / "out")
    assert done.changed
    assert [copied.archs for copied in done.copied] == [("arm64", "x86_64")]
    assert done.copied[0].users == ("tiny/mod.so",)
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == before
    with zipfile.ZipFile(done.wheel) as made:
        made.extractall(tmp_path / "unpacked")
        assert made.namelist()[-1] == "tiny-1.0.dist-info/RECORD"
    for arch in TARGETS:
        loaded = loads(tmp_path / "unpacked/tiny/mod.so", arch)
        assert "@loader_path/.dylibs/libdep.dylib" in loaded
        assert str(library) not in loaded
    assert verify(done.wheel, VerifyOptions()).ok


def test_a_library_is_found_in_a_folder_that_is_named(toolchain: Toolchain, tmp_path: Path) -> None:
    outside_library(toolchain, tmp_path / "opt", "x86_64", "arm64")
    wheel = universal_wheel(toolchain, tmp_path, "/nowhere/lib/libdep.dylib")
    with pytest.raises(WorkFailed, match="not on this machine") as caught:
        relocate(wheel, tmp_path / "out")
    assert "/nowhere/lib/libdep.dylib, loaded by tiny/mod.so (arm64)" in caught.value.detail
    assert not (tmp_path / "out").exists()
    done = relocate(wheel, tmp_path / "out", lib_dirs=(tmp_path / "opt",))
    assert [Path(copied.library).name for copied in done.copied] == ["libdep.dylib"]


def test_a_thin_library_of_a_universal_wheel_is_refused_by_name(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    library = outside_library(toolchain, tmp_path / "opt", "x86_64")
    wheel = universal_wheel(toolchain, tmp_path, str(library))
    with pytest.raises(WorkFailed, match="only for x86_64") as caught:
        relocate(wheel, tmp_path / "out")
    assert caught.value.where == str(library)
    assert "arm64" in caught.value.hint
    assert "tiny/mod.so" in caught.value.what
    assert not list(tmp_path.glob("out/*.whl"))


def test_no_room_for_a_longer_name_is_refused_and_not_written_over_code(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    library = outside_library(toolchain, tmp_path / "opt", "arm64")
    library.rename(library.with_name("d"))
    mod = module(toolchain, "arm64", "/d", "-headerpad", "0")
    wheel = WheelFiles({"tiny/mod.so": mod.read_bytes()}, tag=THIN_TAG["arm64"]).write(tmp_path)
    with pytest.raises(WorkFailed, match="cannot move") as caught:
        relocate(wheel, tmp_path / "out", lib_dirs=(tmp_path / "opt",))
    assert "headerpad" in caught.value.hint
    assert not list(tmp_path.glob("out/*.whl"))


def test_the_same_wheel_gives_the_same_bytes(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = outside_library(toolchain, tmp_path / "opt", "x86_64", "arm64")
    wheel = universal_wheel(toolchain, tmp_path, str(library))
    results = set()
    for seed in ("0", "1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        old = os.umask(0o077 if seed == "1" else 0o022)
        try:
            done = relocate(wheel, tmp_path / seed)
        finally:
            os.umask(old)
        results.add((done.wheel.name, hashlib.sha256(done.wheel.read_bytes()).hexdigest()))
    assert results == {next(iter(results))}
    assert next(iter(results))[0] == f"tiny-1.0-{FUSED_TAG}.whl"


def test_a_fused_wheel_is_read_by_its_record_and_without_it_alike(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    library = outside_library(toolchain, tmp_path / "opt", "x86_64", "arm64")
    thin = []
    for arch, tag in THIN_TAG.items():
        mod = module(toolchain, arch, str(library) if arch == "arm64" else "/usr/lib/libz.1.dylib")
        thin.append(WheelFiles({"tiny/mod.so": mod.read_bytes()}, tag=tag).write(tmp_path))
    fused = fuse(thin[0], thin[1], tmp_path / "fused", FuseOptions()).wheel
    done = relocate(fused, tmp_path / "out")
    assert [Path(copied.library) for copied in done.copied] == [library]
    assert verify(done.wheel, VerifyOptions()).ok


@pytest.mark.parametrize("minimum", ["", "14.0"], ids=["as-tagged", "later"])
def test_thin_takes_the_halves_out_of_a_wheel_that_was_relocated(
    toolchain: Toolchain, tmp_path: Path, minimum: str
) -> None:
    """The record of a fused wheel is renewed: llvm-lipo, `wheel` and pip judge the halves."""
    (tmp_path / "opt").mkdir()
    library = tmp_path / "opt" / "libdep.dylib"
    slices = [
        toolchain.dylib(
            "libdep.dylib", DEP, arch, install_name=str(library), minimum=minimum or None
        )
        for arch in TARGETS
    ]
    shutil.copyfile(toolchain.universal(*slices), library)
    halves = {arch: _half(toolchain, arch, library) for arch in THIN_TAG}
    first, second = (half.write(tmp_path) for half in halves.values())
    fused = fuse(first, second, tmp_path / "fused", FuseOptions()).wheel
    done = relocate(fused, tmp_path / "out")
    assert done.changed
    assert verify(done.wheel).ok
    whole = unpacked(done.wheel)
    for arch, half in halves.items():
        thinned = thin(done.wheel, arch, tmp_path / "thin").wheel
        tag = f"macosx_14_0_{arch}" if minimum else half.tag.rpartition("-")[2]
        assert thinned.name == f"tiny-1.0-cp311-cp311-{tag}.whl"
        assert verify(thinned).ok
        content = unpacked(thinned)
        own = {*half.contents(), "tiny/.dylibs/libdep.dylib"}
        assert set(content) == own
        for name in ("tiny/mod.so", "tiny/.dylibs/libdep.dylib"):
            assert content[name] == cut(whole[name], arch, tmp_path)
        same = own - {"tiny/mod.so", "tiny/.dylibs/libdep.dylib"}
        for name in same - {f"{half.dist_info}/RECORD", f"{half.dist_info}/WHEEL"}:
            assert content[name] == half.files.get(name, content[name]), name
        installs(thinned, tag, tmp_path / f"installed-{arch}")


def _half(toolchain: Toolchain, arch: str, library: Path) -> WheelFiles:
    mod = module(toolchain, arch, str(library)).read_bytes()
    sbom = f'{{"serialNumber": "{arch}"}}'.encode()
    files = {
        "tiny/__init__.py": b"",
        "tiny/mod.so": mod,
        "tiny/size.h": arch.encode(),
        f"tiny/only_{arch}.txt": b"",
        "tiny-1.0.dist-info/sboms/tiny.cdx.json": sbom,
    }
    return WheelFiles(files, tag=THIN_TAG[arch])


def cut(content: bytes, arch: str, folder: Path) -> bytes:
    """Take an architecture's slice by llvm-lipo."""
    (folder / "fat").write_bytes(content)
    llvm("llvm-lipo", folder / "fat", "-thin", arch, "-output", folder / "thin-slice")
    return (folder / "thin-slice").read_bytes()


def installs(wheel: Path, platform: str, folder: Path) -> None:
    """Unpack by `wheel`, which checks RECORD, and install by pip for a platform."""
    target = ["--target", str(folder / "pip"), "--platform", platform, "--python-version", "3.11"]
    alone = ["--no-deps", "--isolated", "--no-index", "--no-cache-dir", "--only-binary", ":all:"]
    for argv in (
        ["wheel", "unpack", str(wheel), "-d", str(folder / "unpacked")],
        ["pip", "install", "--disable-pip-version-check", *alone, *target, str(wheel)],
    ):
        subprocess.run([sys.executable, "-m", *argv], check=True, capture_output=True)


def test_a_folder_of_libraries_that_is_there_already_is_refused_in_a_sentence(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    library = outside_library(toolchain, tmp_path / "opt", "x86_64", "arm64")
    mod = both(lambda arch: module(toolchain, arch, str(library)), toolchain)
    inner = both(lambda arch: toolchain.dylib("libin.dylib", DEP, arch), toolchain)
    files = {"tiny/mod.so": mod, "tiny/.dylibs/libin.dylib": inner}
    contents = {name: path.read_bytes() for name, path in files.items()}
    wheel = WheelFiles({"tiny/__init__.py": b"", **contents}).write(tmp_path)
    with pytest.raises(WorkFailed, match="cannot move the libraries in") as caught:
        relocate(wheel, tmp_path / "out")
    assert "already exists in wheel" in caught.value.detail
    assert not list(tmp_path.glob("out/*"))


def test_a_static_archive_in_a_universal_file_needs_no_library(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    archives = [toolchain.archive("l.a", toolchain.object(DEP, arch)) for arch in TARGETS]
    mod = both(lambda arch: toolchain.dylib("mod.so", DEP, arch), toolchain)
    fat = toolchain.universal(*archives).read_bytes()
    wheel = WheelFiles({"tiny/l.a": fat, "tiny/mod.so": mod.read_bytes()}).write(tmp_path)
    assert not relocate(wheel, tmp_path / "out").changed


def test_on_a_mac_delocate_is_called_so() -> None:
    job = relocators.RelocationJob("delocate", "/in/a.whl", "/out/a.whl", ("arm64", "x86_64"))
    called: list[dict[str, object]] = []

    def delocate_wheel(**arguments: object) -> dict[str, dict[str, str]]:
        called.append(arguments)
        return {"/opt/lib/libdep.dylib": {"tiny/b.so": "@rpath/x", "tiny/a.so": "@rpath/x"}}

    outcome = relocators.perform(job, delocate_wheel, (ValueError,))
    assert called == [
        {
            "in_wheel": "/in/a.whl",
            "out_wheel": "/out/a.whl",
            "ignore_missing": True,
            "require_archs": ["arm64", "x86_64"],
        }
    ]
    assert outcome.copied == {"/opt/lib/libdep.dylib": ["tiny/a.so", "tiny/b.so"]}
    real, _ = relocators.tool("delocate")
    inspect.signature(real).bind(**called[0])


def test_the_tool_finds_this_package_where_it_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots: list[Path] = []

    def run(argv: list[object], *, env: dict[str, str]) -> None:
        roots.append(Path(env["PYTHONPATH"].split(os.pathsep)[0]))
        Path(str(argv[-1])).write_text('{"copied": {}, "refused": ""}')

    monkeypatch.setattr("tensorflow_macos_build.process.run", run)
    relocators.relocate(relocators.RelocationJob("delocate", "a", "b", ()), (), tmp_path)
    assert (roots[0] / Path(*relocators.__name__.split("."))).with_suffix(".py").is_file()


def test_the_task_prints_a_valid_document(toolchain: Toolchain, tmp_path: Path) -> None:
    library = outside_library(toolchain, tmp_path / "opt", "x86_64", "arm64")
    wheel = universal_wheel(toolchain, tmp_path, str(library))
    words = ("relocate", wheel, "--out", tmp_path / "out")
    document = json.loads(command_line.run(*words, "--json").stdout)
    documents.check(document)
    assert document["changed"] is True
    assert document["copied"][0]["archs"] == ["arm64", "x86_64"]
    shown = command_line.run(*words)
    assert "libdep.dylib" in shown.stdout
