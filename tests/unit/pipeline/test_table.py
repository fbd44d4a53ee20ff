"""The order of a build's stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline.table import stages_for

RELEASE = config.load("demo", root=Path(__file__).resolve().parents[3]).release


@pytest.mark.parametrize("host_build", [True, False])
def test_each_stage_stands_behind_those_that_it_needs(host_build: bool) -> None:
    stages = stages_for(RELEASE.model_copy(update={"host_build": host_build}))
    names = [stage.name for stage in stages]
    assert len(set(names)) == len(names)
    for number, stage in enumerate(stages):
        assert {need.name for need in stage.needs} <= set(names[:number])
    assert ("build:host" in names) == host_build
    assert names[-1] == "dist"


PINS = [
    config.PluginPin(requirement="plug==1.0", sha256=("0" * 64,), source=source)
    for source in (False, True)
]


@pytest.mark.parametrize("host_build", [True, False])
@pytest.mark.parametrize("pins", [PINS[:1], PINS[1:], PINS])
def test_a_release_with_plugins_has_stages_for_them(
    host_build: bool, pins: list[config.PluginPin]
) -> None:
    changes = {"host_build": host_build, "plugins": tuple(pins)}
    stages = stages_for(RELEASE.model_copy(update=changes))
    names = [stage.name for stage in stages]
    for number, stage in enumerate(stages):
        assert {need.name for need in stage.needs} <= set(names[:number])
    assert ("plugins" in names) == (PINS[0] in pins)
    assert ("plugin-wheels" in names) == (PINS[1] in pins)
    needs = {stage.name: {need.name for need in stage.needs} for stage in stages}
    assert ("plugins" in needs["verify"]) == (PINS[0] in pins)
    assert ("plugin-wheels" in needs["dist"]) == (PINS[1] in pins)


def test_one_architecture_ends_with_its_thin_wheel() -> None:
    names = [stage.name for stage in stages_for(RELEASE, "x86_64")]
    assert names == ["source", "patch", "build:x86_64"]


def test_an_architecture_that_is_none_is_told_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="`ppc`") as caught:
        stages_for(RELEASE, "ppc")
    assert caught.value.hint == "there are: arm64, x86_64, host"
