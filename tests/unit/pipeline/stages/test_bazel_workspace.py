from __future__ import annotations

import stat
from pathlib import Path

from tensorflow_macos_build import config
from tensorflow_macos_build.pipeline.stages.bazel_workspace import BazelWorkspace
from tensorflow_macos_build.pipeline.workspace import Workspace

ROOT = Path(__file__).resolve().parents[4]


def bazel_workspace(folder: Path) -> BazelWorkspace:
    text = (ROOT / "build_configs/base.yaml").read_text().replace("parent: true", "")
    (folder / "build_configs").mkdir()
    (folder / "build_configs/one.yaml").write_text(f"upstream: {{url: 'x', ref: y}}\n{text}")
    return BazelWorkspace(Workspace(config.load("one", root=folder)))


def test_what_a_killed_build_left_of_credentials_is_seen_by_nobody_and_goes(
    tmp_path: Path,
) -> None:
    bazel_side = bazel_workspace(tmp_path)
    folder = bazel_side.workspace.bazel
    (folder / "private").mkdir(parents=True)
    (folder / "private/headers.bazelrc").write_text("build --remote_header=x=secret")
    folder.chmod(0o755)
    bazel_side.acquire()
    assert not (folder / "private").exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
