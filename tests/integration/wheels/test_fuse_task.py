"""The tasks fuse, thin and retag: one document, exit codes, configs' rules."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents
from tests import command_line
from tests.wheelmaker import Thin, unpacked

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parents[3]


def invoke(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    done = command_line.run(*arguments, module="invoke", env=env)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def document(*arguments: str | Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(invoke(*arguments, "--json").stdout)
    documents.check(body)
    return body


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    same = {"demo/__init__.py": b"", "demo/size.h": b"int a;"}
    return (
        Thin("arm64", {**same, "demo/made.cfg": b"arm"}).write(tmp_path),
        Thin("x86_64", {**same, "demo/made.cfg": b"intel"}).write(tmp_path),
    )


def test_fuse_thin_and_retag_give_their_documents(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    rule = ("--rule", "demo/*.cfg=by-architecture")
    fused = document("fuse", *pair, "--out", tmp_path / "out", *rule)
    assert fused["files"]["header"] == ["demo/made.cfg"]
    thin = document("thin", fused["wheel"], "--arch", "x86_64", "--out", tmp_path / "thin")
    assert unpacked(Path(thin["wheel"]))["demo/made.cfg"] == b"intel"
    tagged = document("retag", fused["wheel"], "--build-tag", "3", "--out", tmp_path / "tagged")
    assert Path(tagged["wheel"]).name.startswith("demo-1.0-3-cp311")


def test_people_read_what_became_of_each_file(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    done = invoke("fuse", *pair, "--out", tmp_path, "--rule", "**/made.cfg=drop")
    assert "      1 dropped\n          demo/made.cfg\n" in done.stdout


def test_a_config_states_rules_and_tags_and_flags_come_first(
    tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    config = tmp_path / "configs" / "mine.yaml"
    shutil.copytree(ROOT / "build_configs", config.parent)
    config.write_text(
        "extends: demo\nname: mine\n"
        "fuse:\n  build_tag: '4'\n  rules:\n    - {path: 'demo/*.cfg', verdict: arm64}\n",
        encoding="utf-8",
    )
    fused = document("fuse", *pair, "--out", tmp_path / "1", "--config", config)
    assert Path(fused["wheel"]).name.startswith("demo-1.0-4-")
    assert unpacked(Path(fused["wheel"]))["demo/made.cfg"] == b"arm"
    flags = ("--build-tag", "5", "--rule", "demo/made.cfg=x86_64")
    fused = document("fuse", *pair, "--out", tmp_path / "2", "--config", config, *flags)
    assert Path(fused["wheel"]).name.startswith("demo-1.0-5-")
    assert unpacked(Path(fused["wheel"]))["demo/made.cfg"] == b"intel"


def test_a_file_without_a_verdict_ends_with_1_and_its_difference(
    tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    done = invoke("fuse", *pair, "--out", tmp_path / "out", "--json", code=1)
    documents.check(json.loads(done.stdout))
    assert json.loads(done.stdout)["exit_code"] == 1
    assert "demo/made.cfg: it differs" in done.stderr
    assert "-arm" in done.stderr
    assert "+intel" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("fuse", "missing.whl", "FIRST"),
        ("fuse", "FIRST", "FIRST"),
        ("fuse", "FIRST", "SECOND", "--rule", "x"),
        ("fuse", "FIRST", "SECOND", "--rule", "x=newest"),
        ("fuse", "FIRST", "SECOND", "--build-tag", "x"),
        ("thin", "FIRST", "--arch", "arm64"),
        ("thin", "FIRST", "--arch", "ppc"),
        ("thin", "FIRST"),
        ("retag", "FIRST"),
        ("retag", "FIRST", "--universal2-tag", "perhaps"),
    ],
)
def test_wrong_usage_ends_with_2(
    tmp_path: Path, pair: tuple[Path, Path], arguments: tuple[str, ...]
) -> None:
    given = {"FIRST": str(pair[0]), "SECOND": str(pair[1])}
    words = [given.get(word, word) for word in arguments]
    errors = invoke(*words, "--out", tmp_path / "out", code=2).stderr
    assert "error: " in errors
    assert "None" not in errors
    assert not (tmp_path / "out").exists()
