"""What fusing two wheels costs, beside the bare work in it and beside delocate-merge.

    python -m benchmarks.fuse A.whl B.whl [A2.whl B2.whl …] [--rule GLOB=VERDICT …]
        [--rounds N] [--threads N] [--peer] [--check]

For each pair, arms run in turn, each in a process of its own: `fuse`; the bare cost (every content
that a fusion has to read, inflated by zlib-ng and hashed by SHA-256, in the same number of threads,
the largest first); what is owed; and with `--peer` delocate-merge. Figures are medians, of
wall-clock and of processor time; targets: at most 1.35 times the bare cost, under 256 MB, at least
15 times as fast as delocate-merge for TensorFlow. What is owed is the bare cost and the hashes that
it leaves out: what is joined is hashed twice, as the half's RECORD and the new one ask, and the new
wheel as a whole, for locks. No fusion that checks its input and fills its output costs less.

delocate-merge wants Apple's tools. Stand-ins in a temporary folder: `lipo` is llvm-lipo, with the
words that delocate expects when a file is no object; `codesign` does nothing; `otool` is
llvm-otool. `--check` compares each universal file of the fused wheel with llvm-lipo's.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import bare_cost, measure
from tensorflow_macos_build.pipeline.tools import install_line, locate
from tensorflow_macos_build.wheels.fuse.engine import Fused, FuseOptions, Verdict, fuse
from tensorflow_macos_build.wheels.fuse.rules import parse_rule
from tensorflow_macos_build.wheels.inflate import engine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    Payload = list[tuple[Path, zipfile.ZipInfo]]

_PIECE = 1 << 18

_LIPO = """#!/bin/sh
[ "$1" = -create ] || exec {lipo} "$@"
{lipo} "$@" 2>/dev/null && exit 0
echo "fatal error: lipo: can't figure out the architecture type of: $2" >&2
exit 1
"""


def payload(first: Path, second: Path) -> Payload:
    """Return what a fusion has to read: all of both wheels, what is equal in both once."""
    inflated: set[tuple[str, int, int]] = set()
    contents = []
    for wheel in (first, second):
        with zipfile.ZipFile(wheel) as archive:
            for info in archive.infolist():
                key = (info.filename, info.file_size, info.CRC)
                if key not in inflated:
                    contents.append((wheel, info))
                inflated.add(key)
    return sorted(contents, key=lambda item: -item[1].file_size)


def bare(work: Payload, threads: int, joined: Collection[str] = ()) -> None:
    """Inflate and hash, and nothing else; what is joined is hashed twice."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        descriptors = {wheel: os.open(wheel, os.O_RDONLY) for wheel, _ in work}

        def read(item: tuple[Path, zipfile.ZipInfo]) -> None:
            wheel, info = item
            times = 2 if info.filename in joined else 1
            bare_cost.inflate(descriptors[wheel], info, times=times)

        list(pool.map(read, work))


def owed(work: Payload, threads: int, fused: Fused) -> None:
    """Do what every fusion of two wheels that says what it has read and written must do."""
    bare(work, threads, frozenset(fused.files[Verdict.UNIVERSAL]))
    with fused.wheel.open("rb") as stream:
        _digest(stream)


def stand_ins(folder: Path) -> None:
    """Write what delocate takes for Apple's tools."""
    lipo, otool = llvm("llvm-lipo"), llvm("llvm-otool")
    texts = {
        "lipo": _LIPO.format(lipo=lipo),
        "otool": f'#!/bin/sh\nexec {otool} "$@"\n',
        "codesign": "#!/bin/sh\nexit 0\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)


def llvm(name: str) -> str:
    """Return the path of one of LLVM's tools."""
    path = locate(name)
    if path is None:
        sys.exit(f"{name} is missing; type: {install_line([name])}")
    return str(path)


def delocate_merge(first: Path, second: Path, tools: Path, out: Path) -> None:
    """Run the peer as its users do."""
    env = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    argv = [sys.executable, "-m", "delocate.cmd.delocate_merge", str(first), str(second)]
    subprocess.run([*argv, "-w", str(out)], check=True, env=env, capture_output=True)


def check(first: Path, second: Path, options: FuseOptions) -> str:
    """Compare every universal file with what llvm-lipo makes of the two members."""
    equal, other = 0, []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        fused = fuse(first, second, scratch, options)
        with (
            zipfile.ZipFile(first) as first_archive,
            zipfile.ZipFile(second) as second_archive,
            zipfile.ZipFile(fused.wheel) as merged,
        ):
            for path in fused.files[Verdict.UNIVERSAL]:
                slices = [
                    _extracted(archive, path, scratch)
                    for archive in (first_archive, second_archive)
                ]
                fat = scratch / "fat"
                argv = [llvm("llvm-lipo"), "-create", *map(str, slices), "-output", str(fat)]
                subprocess.run(argv, check=True)
                with fat.open("rb") as expected, merged.open(path) as own:
                    same = _digest(expected) == _digest(own)
                equal += same
                other += [] if same else [path]
        counts = ", ".join(
            f"{len(paths)} {verdict.value}" for verdict, paths in fused.files.items()
        )
        return f"{counts}; {equal} universal files equal llvm-lipo's, others: {other or 'none'}"


def _extracted(archive: zipfile.ZipFile, path: str, folder: Path) -> Path:
    target = Path(tempfile.mkstemp(dir=folder)[1])
    with archive.open(path) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, _PIECE)
    return target


def _digest(stream: object) -> str:
    digest = hashlib.sha256()
    for piece in iter(functools.partial(stream.read, _PIECE), b""):  # type: ignore[attr-defined]  # both kinds of stream have it
        digest.update(piece)
    return digest.hexdigest()


def main() -> None:
    """Run the arms for each pair and print their medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wheels", type=Path, nargs="+")
    parser.add_argument("--rule", action="append", default=[])
    parser.add_argument("--build-tag")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    rules = tuple(parse_rule(text) for text in arguments.rule)
    options = FuseOptions(build=arguments.build_tag, rules=rules, threads=arguments.threads)
    by = engine.preferred()
    print(f"{measure.machine()}, {by.name} {by.version}, {arguments.threads} threads")
    for first, second in _pairs(arguments.wheels):
        _measure(first, second, options, arguments)
        if arguments.check:
            print(f"  {check(first, second, options)}")


def _pairs(wheels: list[Path]) -> Iterator[tuple[Path, Path]]:
    if len(wheels) % 2:
        sys.exit("give wheels in pairs")
    yield from zip(wheels[::2], wheels[1::2], strict=True)


def _measure(
    first: Path, second: Path, options: FuseOptions, arguments: argparse.Namespace
) -> None:
    work = payload(first, second)
    content = sum(info.file_size for _, info in work) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        out, tools, peer = (Path(folder) / name for name in ("out", "tools", "peer"))
        tools.mkdir()
        peer.mkdir()
        stand_ins(tools)
        fused = fuse(first, second, out, options)
        arms = {
            "bare": lambda: measure.in_child(lambda: bare(work, arguments.threads)),
            "owed": lambda: measure.in_child(lambda: owed(work, arguments.threads, fused)),
            "fuse": lambda: measure.in_child(lambda: fuse(first, second, out, options)),
        }
        if arguments.peer:
            merge = functools.partial(delocate_merge, first, second, tools, peer)
            arms["delocate-merge"] = lambda: measure.in_child(merge)
        runs = measure.interleaved(arms, arguments.rounds)
    print(f"{first.name} + {second.name}: {content:.1f} MB to read")
    for name, measured in runs.items():
        seconds = " ".join(f"{run.seconds:.2f}" for run in measured)
        wall, cpu = measure.median_seconds(measured), measure.median_cpu_seconds(measured)
        peak = measure.peak_mb(measured)
        print(f"  {name:14} {wall:7.2f} s, {cpu:7.2f} s CPU, {peak:5.0f} MB  ({seconds})")
    for name, measured in runs.items():
        if name != "fuse":
            wall = measure.median_seconds(runs["fuse"]) / measure.median_seconds(measured)
            cpu = measure.median_cpu_seconds(runs["fuse"]) / measure.median_cpu_seconds(measured)
            print(f"  fuse/{name}: {wall:.3f} in time (1/{1 / wall:.1f}), {cpu:.3f} in CPU time")


if __name__ == "__main__":
    main()
