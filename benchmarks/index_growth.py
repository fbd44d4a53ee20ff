"""What an index of many wheels costs: bytes of its pages, and seconds to make it.

.venv/bin/python -m benchmarks.index_growth WORK --files 100 --files 1000 --files 10000
"""

from __future__ import annotations

import argparse
import gzip
import resource
import shutil
import time
from pathlib import Path

from tensorflow_macos_build.release.index import IndexRequest, publish
from tests.index_server import check_pages
from tests.named_wheels import wheel_of


def main() -> None:
    """Print a line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--files", type=int, action="append", default=[])
    args = parser.parse_args()
    print(
        "files  JSON kB (gzip)  HTML kB (gzip)  first s (CPU)  again s (CPU)  one more s  peak MB"
    )
    for count in args.files:
        _measure(args.work / str(count), count)
        shutil.rmtree(args.work / str(count))


def _measure(work: Path, count: int) -> None:
    dist = work / "dist"
    dist.mkdir(parents=True)
    for number in range(count):
        _wheel(dist, f"2.{number // 8}.0", number % 8)
    request = IndexRequest((dist,), work / "index")
    first, again = _seconds(request), _seconds(request)
    _wheel(dist, "9.9.9", 0)
    more = _seconds(request)
    assert len(check_pages(work / "index")) == count + 1
    page = work / "index/simple/tensorflow-for-macs"
    sizes = "  ".join(_sizes((page / name).read_bytes()) for name in ("index.json", "index.html"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{count:>5}  {sizes}  {_shown(first)}  {_shown(again)}  {more[0]:.2f}  {peak:.0f}")


def _wheel(dist: Path, version: str, number: int) -> None:
    python, arch = 9 + number // 2, ("macosx_10_15_x86_64", "macosx_12_0_arm64")[number % 2]
    name = f"tensorflow_for_macs-{version}"
    about = f"Metadata-Version: 2.1\nName: tensorflow-for-macs\nVersion: {version}\n"
    # TensorFlow's own METADATA has 4 KB, mostly requirements and the description.
    about += f"Requires-Python: >=3.9\n\n{'TensorFlow. ' * 340}\n"
    tag = f"cp3{python}-cp3{python}-{arch}"
    wheel_of(dist, name, f"{name}.dist-info", tag, about=about.encode())


def _seconds(request: IndexRequest) -> tuple[float, float]:
    started, used = time.monotonic(), time.process_time()
    publish(request)
    return time.monotonic() - started, time.process_time() - used


def _shown(spent: tuple[float, float]) -> str:
    return f"{spent[0]:.2f} ({spent[1]:.2f})"


def _sizes(content: bytes) -> str:
    return f"{len(content) / 1000:.1f} ({len(gzip.compress(content)) / 1000:.1f})"


if __name__ == "__main__":
    main()
