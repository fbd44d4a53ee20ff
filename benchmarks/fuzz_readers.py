"""Feed broken files to the Mach-O and zip readers for a given time.

    python -m benchmarks.fuzz_readers --seconds N [--seed S] [--target macho|zip] FILE…

FILEs are the seeds: Mach-O files, static archives or wheels (the binaries of a wheel are taken out
of it; large ones are cut to their headers and the tables of __LINKEDIT that fit). Each case flips
bits, overwrites numbers with extreme ones, cuts, repeats or splices seeds; it is reproduced by its
seed and number, which are printed with what it broke. A case fails when anything but the readers'
own error comes out, when it takes more than 2 s of processor time, or when memory grows beyond
512 MB. Ends with 1 when a case failed; the failing input is kept as fuzz-TARGET-SEED-NUMBER.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import fuzzing
from benchmarks.fuzzing import Target
from tensorflow_macos_build.macho.window import Window
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.verify import binaries, binding, verify
from tensorflow_macos_build.wheels.verify.spool import Content, ExportStore

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_MAXIMUM_SEED = 1 << 20
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0, 1 << 20)


def mutate(chosen: random.Random, seeds: list[bytes]) -> bytes:
    """Make a broken file of the seeds."""
    content = bytearray(chosen.choice(seeds))
    for _ in range(chosen.randint(1, 8)):
        if content:
            chosen.choice(_MUTATIONS)(chosen, content, seeds)
    return bytes(content)


def _at(chosen: random.Random, content: bytearray) -> int:
    # Headers lie at the start of a slice, directories at a file's end: half of the places there.
    near = chosen.choice((256, 2048, 1 << 14, len(content), len(content)))
    at = chosen.randrange(min(near, len(content)))
    return at if chosen.random() < 0.7 else len(content) - 1 - at


def _flip(chosen: random.Random, content: bytearray, _: list[bytes]) -> None:
    content[_at(chosen, content)] ^= 1 << chosen.randrange(8)


def _extreme(chosen: random.Random, content: bytearray, _: list[bytes]) -> None:
    size = chosen.choice((1, 2, 4, 8))
    value = chosen.choice((*_EXTREMES, len(content), chosen.getrandbits(32)))
    order = chosen.choice(("little", "big"))
    at = _at(chosen, content) & ~(size - 1)
    packed = (value & ((1 << 8 * size) - 1)).to_bytes(
        size, "little" if order == "little" else "big"
    )
    content[at : at + size] = packed[: len(content) - at]


def _cut(chosen: random.Random, content: bytearray, _: list[bytes]) -> None:
    del content[_at(chosen, content) :]


def _remove(chosen: random.Random, content: bytearray, _: list[bytes]) -> None:
    at = _at(chosen, content)
    del content[at : at + chosen.randint(1, 64)]


def _repeat(chosen: random.Random, content: bytearray, _: list[bytes]) -> None:
    at, size = _at(chosen, content), chosen.randint(1, 512)
    content[at:at] = content[at : at + size] * chosen.randint(1, 4)


def _splice(chosen: random.Random, content: bytearray, seeds: list[bytes]) -> None:
    other = chosen.choice(seeds)
    start = chosen.randrange(max(len(other), 1))
    at = _at(chosen, content)
    piece = other[start : start + chosen.randint(1, 4096)]
    content[at : at + len(piece)] = piece


_MUTATIONS = (_flip, _flip, _extreme, _extreme, _extreme, _cut, _remove, _repeat, _splice)


def read_macho(content: bytes) -> None:
    """Read everything that the verifier reads of a binary, its export trie included."""
    store = ExportStore()
    try:
        binary, _ = binaries.inspect("x", Content(Window.whole(content), None), store)
        with store.reading() as tries:
            names = frozenset({"main", "malloc", "PyInit_x", "answer"})
            binding.link([binary], tries, frozenset({"x"}), names)
    finally:
        store.close()


def read_zip(content: bytes) -> None:
    """Read a wheel's structure and every member, then verify it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz-1.0-py3-none-any.whl"
        path.write_bytes(content)
        try:
            with open_archive(path) as archive:
                for member in archive.members.values():
                    for _ in archive.stream(member):
                        pass
        except BrokenWheel:
            pass
        verify(path)


TARGETS: dict[str, Callable[[bytes], None]] = {"macho": read_macho, "zip": read_zip}


def seeds_of(files: list[Path], target: str) -> list[bytes]:
    """Return the seeds for a target: wheels as they are for "zip", their binaries for "macho"."""
    seeds = []
    for path in files:
        if path.suffix != ".whl":
            seeds.append(path.read_bytes()[:_MAXIMUM_SEED])
        elif target == "zip":
            if path.stat().st_size <= _MAXIMUM_SEED:
                seeds.append(path.read_bytes())
        else:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    if member.file_size > _MAXIMUM_SEED:
                        continue
                    content = archive.read(member)
                    if binaries.is_binary(content[: binaries.HEAD]):
                        seeds.append(content)
    if not seeds:
        raise SystemExit(f"no seeds for {target} of at most {_MAXIMUM_SEED} bytes in these files")
    return seeds


def target(name: str, files: list[Path]) -> Target:
    """Return a reader with the seeds that files hold for it."""
    return Target(name, seeds_of(files, name), mutate, lambda case, _: TARGETS[name](case))


def main() -> int:
    """Run the chosen targets, sharing the time."""
    chosen = fuzzing.parser(__doc__, TARGETS).parse_args()
    return fuzzing.run(chosen, TARGETS, lambda name: target(name, chosen.files))


if __name__ == "__main__":
    raise SystemExit(main())
