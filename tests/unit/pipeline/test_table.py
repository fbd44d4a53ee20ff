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


def test_one_architecture_ends_with_its_thin_wheel() -> None:
    names = [stage.name for stage in stages_for(RELEASE, "x86_64")]
    assert names == ["source", "patch", "build:x86_64"]


def test_an_architecture_that_is_none_is_told_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="`ppc`") as caught:
        stages_for(RELEASE, "ppc")
    assert caught.value.hint == "there are: arm64, x86_64, host"
