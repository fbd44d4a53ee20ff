"""A real C++ project through the whole walk: Abseil for both kinds of Mac, fused and verified.

    .venv/bin/python -m benchmarks.abseil REPOSITORY FOLDER [TAG]

REPOSITORY has Abseil's history; FOLDER does not exist, and its path has no space. Upstream is that
history with one commit more: zig as a C++ toolchain for Bazel, the rules that Bazel 4 would fetch,
a target that packs a few libraries into a wheel, and the miniature's `configure`. It is built by
`build` on an empty disk cache, and once more in another folder from that cache.

TAG is 20211102.0 by default: later ones need an archive from elsewhere for what is built here.
Prints what was built, what came from where, how long it took, and what llvm-lipo and llvm-nm find
in the libraries.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import measure
from tensorflow_macos_build.pipeline import tools

ROOT = Path(__file__).resolve().parents[1]
FILES = Path(__file__).resolve().parent / "mac_wheel"
MINIATURE = ROOT / "tensorflow_macos_build" / "upstream" / "embedded" / "source"
NAME = "abseil"
CACHE = "build/actions"

CONFIG = f"""\
extends: base
upstream:
  url: {{upstream}}
  ref: mac-wheel
bazel:
  target: //mac_wheel:wheel
architectures:
  arm64:
    bazel_config: macos_arm64
  x86_64:
    bazel_config: macos_x86_64
cache:
  disk: {CACHE}
smoke:
  module: abseil
"""

_BORROWED = (
    "configure",
    "configure.py",
    "third_party/py/python_configure.bzl",
    "third_party/zig/zig_configure.bzl",
)
"""What is the miniature's; its cc.bzl only compiles C."""


def make_upstream(repository: Path, tag: str, folder: Path) -> None:
    """Make a repository with Abseil's tag, and the commit on top of it."""
    clone = ("clone", "--quiet", "--shared", "--no-checkout")
    _git(folder.parent, *clone, str(repository), folder.name)
    _git(folder, "switch", "--quiet", "--create", "mac-wheel", tag)
    shutil.copytree(FILES, folder / "mac_wheel")
    for name, path in {"WORKSPACE": "WORKSPACE", "dot.bazelrc": ".bazelrc"}.items():
        (folder / "mac_wheel" / name).replace(folder / path)
    (folder / ".bazelignore").write_text("mac_wheel/rules_cc\nmac_wheel/rules_java\n")
    build = folder / "mac_wheel" / "BUILD"
    build.write_text(build.read_text(encoding="utf-8").replace("VERSION", tag), encoding="utf-8")
    for path in _BORROWED:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(MINIATURE / path, folder / path)
    for package in ("third_party/py", "third_party/zig"):
        (folder / package / "BUILD").touch()
    who = ("-c", "user.name=A Benchmark", "-c", "user.email=benchmark@example.invalid")
    _git(folder, "add", "--all", "--force")
    _git(folder, *who, "commit", "--quiet", "--message=Build wheels for Macs")


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


@dataclass(frozen=True)
class AbseilProject:
    """A folder in which the wheels are built."""

    folder: Path

    def make(self, upstream: Path) -> None:
        """Write its configs."""
        configs = self.folder / "build_configs"
        configs.mkdir(parents=True)
        shutil.copy(ROOT / "build_configs" / "base.yaml", configs)
        (configs / f"{NAME}.yaml").write_text(CONFIG.format(upstream=upstream), encoding="utf-8")

    def build(self) -> tuple[dict[str, Any], float]:
        """Build; return the result of each stage, and how long it took."""
        # The preflight knows no compiler for Macs on Linux but the miniature's.
        words = ("build", "--config", NAME, "--ignore", "host", "--json")
        argv = [sys.executable, "-m", "tensorflow_macos_build", *words]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        begun = time.monotonic()
        run = subprocess.run(argv, cwd=self.folder, env=env, stdout=subprocess.PIPE, check=True)
        seconds = time.monotonic() - begun
        rows = json.loads(run.stdout)["stages"]
        return {row["stage"]: {**row["result"], "seconds": row["seconds"]} for row in rows}, seconds

    @property
    def wheel(self) -> Path:
        """The universal2 wheel."""
        (path,) = (self.folder / "dist" / NAME).glob("*.whl")
        return path

    def thin(self, architecture: str) -> Path:
        """Return one architecture's wheel."""
        (path,) = (self.folder / "build" / NAME).glob(f"build-{architecture}/*/*.whl")
        return path


def report(stages: dict[str, Any], seconds: float) -> None:
    """Print what the build of each architecture, fuse and verify say of themselves."""
    print(f"{seconds:.0f} s in all")
    for architecture in ("arm64", "x86_64"):
        row = stages[f"build:{architecture}"]
        effort = row["effort"]
        print(
            f"{architecture}: {row['seconds']:.0f} s, {effort['actions']} actions, "
            f"{effort['needed'] - effort['actions']} of {effort['needed']} reused, "
            f"{effort['cache_hits']} hits; {effort['runners']}"
        )
        for step in effort["time"]["critical_path"]:
            print(f"    {step['seconds']:7.1f} s  {step['description']}")
    findings = [finding["code"] for finding in stages["verify"]["findings"]]
    print(f"verify: {len(findings)} findings {sorted(set(findings))}")


def judge(project: AbseilProject, folder: Path) -> None:
    """Take the fused libraries apart by LLVM's tools, and compare them with what was fused."""
    universal = _unpacked(project.wheel, folder / "universal")
    for library in sorted((universal / "abseil" / "lib").glob("*.dylib")):
        inside = library.relative_to(universal)
        sizes = []
        for architecture in ("arm64", "x86_64"):
            thin = _unpacked(project.thin(architecture), folder / architecture) / inside
            cut = folder / "cut"
            _llvm("llvm-lipo", library, "-thin", architecture, "-output", cut)
            assert cut.read_bytes() == thin.read_bytes(), f"{inside} has another {architecture}"
            sizes.append(len(_llvm("llvm-nm", "-gU", "--arch", architecture, library).splitlines()))
        archs = _llvm("llvm-lipo", "-archs", library).split()
        print(f"{inside.name}: {' '.join(archs)}, {sizes[0]} and {sizes[1]} symbols, slices equal")


def _unpacked(wheel: Path, folder: Path) -> Path:
    if not folder.exists():
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def _llvm(name: str, *words: str | Path) -> str:
    program = tools.locate(name)
    assert program is not None, f"there is no {name}"
    return subprocess.run([program, *words], check=True, capture_output=True, text=True).stdout


def main(repository: Path, folder: Path, tag: str) -> None:
    """Build twice, and have the result judged."""
    print(measure.machine(), flush=True)
    folder.mkdir(parents=True)
    make_upstream(repository, tag, folder / "upstream")
    first, second = (AbseilProject(folder / name) for name in ("first", "second"))
    for project in (first, second):
        project.make(folder / "upstream")
    report(*first.build())
    judge(first, folder / "judged")
    (second.folder / CACHE).parent.mkdir(parents=True)
    (first.folder / CACHE).rename(second.folder / CACHE)
    print("in another folder, from the cache:")
    report(*second.build())
    assert first.wheel.read_bytes() == second.wheel.read_bytes(), "another wheel"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]).absolute(), *[*sys.argv[3:], "20211102.0"][:1])
