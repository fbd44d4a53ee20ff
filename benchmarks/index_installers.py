"""Which wheel pips and uvs of several years take from a static index, on fifteen Macs.

    .venv/bin/python -m benchmarks.index_installers WORK --pip 21.3.1 --pip 25.3 --uv 0.4.30 …

WORK is a folder for the installers, which are fetched by uv, and for the index. Each installer is
asked as it would be on each Mac of tests/hosts.py; the index is served on 127.0.0.1, once with JSON
and once with HTML alone, as GitHub Pages would.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import uv

from tensorflow_macos_build.release.index import IndexRequest, publish
from tests.hosts import HOSTS, Os
from tests.index_server import HtmlAlone, served
from tests.named_wheels import wheel_of

FUSED = "cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64"
WHEEL = f"demo-2.21.0-{FUSED}.whl"
LOWEST = {"x86_64": (10, 15), "arm64": (12, 0)}


def main() -> None:
    """Print a table: for each installer, on how many Macs it took what it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--pip", action="append", default=[])
    parser.add_argument("--uv", action="append", default=[])
    args = parser.parse_args()
    work = args.work.absolute()
    _index(work)
    programs = [("pip", version) for version in args.pip] + [("uv", version) for version in args.uv]
    print("installer        pages  right  the sentence where none fits")
    for name, version in programs:
        folder = _installed(work, name, version)
        for kind in ("json", "html"):
            right, sentence = _asked(work, name, folder, kind)
            print(f"{name} {version:<12} {kind:<6} {right:>2}/{len(HOSTS)}  {sentence}", flush=True)


def _index(work: Path) -> None:
    dist = work / "dist"
    dist.mkdir(parents=True, exist_ok=True)
    for version in ("2.20.0", "2.21.0", "2.22.0"):
        about = f"Metadata-Version: 2.1\nName: demo\nVersion: {version}\n"
        about += "Requires-Python: >=3.9\n"
        info = f"demo-{version}.dist-info"
        wheel_of(dist, f"demo-{version}", info, FUSED, about=about.encode())
    (work / "index.yaml").write_text("projects: {demo: {yanked: {2.22.0: crashes}}}\n")
    publish(IndexRequest((dist,), work / "index", work / "index.yaml", drop=True))


def _installed(work: Path, name: str, version: str) -> Path:
    folder = work / f"{name}-{version}"
    if not folder.exists():
        argv: list[str | Path] = [
            uv.find_uv_bin(),
            "pip",
            "install",
            "-q",
            "--target",
            folder,
            f"{name}=={version}",
        ]
        subprocess.run(argv, check=True)
    return folder


def _asked(work: Path, name: str, folder: Path, kind: str) -> tuple[int, str]:
    right, sentence = 0, ""
    server = served(work / "index", HtmlAlone) if kind == "html" else served(work / "index")
    with server as address:
        for number, (arch, macos) in enumerate(HOSTS):
            ask = _pip if name == "pip" else _uv
            into = work / "downloads" / f"{folder.name}-{kind}-{number}"
            takes, printed = ask(folder, address, arch, macos, into)
            right += takes == (macos >= LOWEST[arch])
            if not takes:
                sentence = _sentence(printed) or sentence
    return right, sentence


def _pip(folder: Path, address: str, arch: str, macos: Os, into: Path) -> tuple[bool, str]:
    platform = f"macosx_{macos[0]}_{macos[1] if macos[0] < 11 else 0}_{arch}"
    flags = ("--isolated", "--no-cache-dir", "--disable-pip-version-check", "--no-deps")
    host = ("--platform", platform, "--python-version", "3.11", "--abi", "cp311")
    what = ("--only-binary", ":all:", "--implementation", "cp", "--dest", into)
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "download",
        *flags,
        *host,
        *what,
        "-i",
        address,
        "demo",
    ]
    env = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    return (into / WHEEL).exists(), done.stderr


def _uv(folder: Path, address: str, arch: str, macos: Os, into: Path) -> tuple[bool, str]:
    platform = {"x86_64": "x86_64-apple-darwin", "arm64": "aarch64-apple-darwin"}[arch]
    host = ("--python-platform", platform, "--python-version", "3.11", "--only-binary", ":all:")
    where = ("--index-url", address, "--target", into, "--no-cache", "--python", sys.executable)
    env = {"HOME": "/nonexistent", "MACOSX_DEPLOYMENT_TARGET": f"{macos[0]}.{macos[1]}"}
    argv: list[str | Path] = [folder / "bin/uv", "pip", "install", *host, *where, "demo"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    return (into / "demo-2.21.0.dist-info").exists(), done.stderr


def _sentence(printed: str) -> str:
    lines = [line.strip("\u00d7\u2570\u2500\u25b6\u2502 ") for line in printed.splitlines()]
    words = ("ERROR: Could not find", "Because ", "wheels are required", "no wheels")
    return next((line for line in lines if line.startswith(words) or "no wheels" in line), "")


if __name__ == "__main__":
    main()
