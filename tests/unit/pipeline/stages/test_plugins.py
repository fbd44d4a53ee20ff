"""Plugins of a release: fetched by their hashes, a gate of verify, built on a Mac alone."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import config, files
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.pipeline import stamps
from tensorflow_macos_build.pipeline.stage import Results, Stage, StageJob
from tensorflow_macos_build.pipeline.stages import plugin_wheels, plugins, verify
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.process import ProgramFailed
from tests.package_index import package_index
from tests.plugin_wheels import EXPORTED, PluginMaker

if TYPE_CHECKING:
    from tests.machos import Toolchain

ROOT = Path(__file__).resolve().parents[4]
USES = "extern int TF_One(void), TF_Two(void); int use(void) { return TF_One() + TF_Two(); }"


@pytest.fixture
def maker(toolchain: Toolchain, tmp_path: Path) -> PluginMaker:
    (tmp_path / "wheels").mkdir()
    return PluginMaker(toolchain, tmp_path / "wheels")


def workspace(root: Path, pin: config.PluginPin) -> Workspace:
    loaded = config.load("demo", root=ROOT)
    release = loaded.release.model_copy(update={"plugins": (pin,), "python": "3.11"})
    return Workspace(dataclasses.replace(loaded, release=release, root=root))


def pin(digest: str, **changes: Any) -> config.PluginPin:
    return config.PluginPin(requirement="plug==0.1", sha256=(digest,), **changes)


def job(stage: Stage[Any, Any, Any], space: Workspace, inputs: Any) -> StageJob[Any, Any]:
    folder = space.root / "result"
    folder.mkdir()
    return StageJob(space, stage.instructions(space), inputs, folder, folder, silent, print)


def test_a_plugin_is_fetched_by_its_hash(
    maker: PluginMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = maker.plugin(maker.image(USES, maker.core()))
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with package_index(wheel.parent) as served:
        monkeypatch.setenv("PIP_INDEX_URL", served.url)
        space = workspace(tmp_path, pin(files.sha256(wheel)))
        inputs = plugins.FETCH.inputs(space, Results())
        fetched = plugins.FETCH.work(job(plugins.FETCH, space, inputs))
        assert [record.sha256 for record in fetched.wheels] == [files.sha256(wheel)]
        wrong = workspace(tmp_path / "other", pin(hashlib.sha256(b"other").hexdigest()))
        wrong.root.mkdir()
        with pytest.raises(ProgramFailed) as error:
            plugins.FETCH.work(job(plugins.FETCH, wrong, inputs))
        assert "HASH" in error.value.detail.upper()


@pytest.mark.parametrize("core", [EXPORTED, "int TF_One(void) { return 1; }"])
def test_a_plugin_that_does_not_load_stops_the_build(
    maker: PluginMaker, tmp_path: Path, core: str
) -> None:
    wheel, plugin = (
        maker.tensorflow(maker.core(core)),
        maker.plugin(maker.image(USES, maker.core())),
    )
    space = workspace(tmp_path, pin("0" * 64))
    records = [stamps.file_at(path, space.root, path) for path in (wheel, plugin)]
    inputs = verify.VerifyInputs(wheel=records[0], verify={}, plugins=(records[1],))
    running = job(verify.VERIFY_WITH_PLUGINS, space, inputs)
    if core == EXPORTED:
        assert verify.VERIFY_WITH_PLUGINS.work(running).wheel == records[0]
        return
    with pytest.raises(WorkFailed) as error:
        verify.VERIFY_WITH_PLUGINS.work(running)
    assert "plugin-symbol" in error.value.detail
    assert "_TF_Two" in error.value.detail
    assert f"--with {plugin}" in error.value.hint or "--with wheels/" in error.value.hint


def test_a_source_is_built_on_no_other_machine_than_its_macs(
    maker: PluginMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = maker.tensorflow()
    space = workspace(tmp_path, pin("0" * 64, source=True))
    record = stamps.file_at(wheel, space.root, wheel)
    inputs = plugin_wheels.PluginWheelsInputs(wheel=record, pins=(), machine={}, python="")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    built = plugin_wheels.BUILD.work(job(plugin_wheels.BUILD, space, inputs))
    assert built.wheels == ()
    assert plugin_wheels.BUILD.summary(built) == (
        "plug==0.1 not run: it is built on a Mac with arm64 alone"
    )


def test_what_a_build_made_is_held_to_the_wheel(maker: PluginMaker) -> None:
    plugin = maker.plugin(maker.image(USES, maker.core()))
    plugin_wheels._check(maker.tensorflow(), plugin)
    lacking = maker.tensorflow(maker.core("int TF_One(void) { return 1; }"), version="2.21.1")
    with pytest.raises(WorkFailed, match="does not verify") as error:
        plugin_wheels._check(lacking, plugin)
    assert "_TF_Two" in error.value.detail
