"""The flags of `smoke`: what they ask for, and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke import CheckOutcome, KnownLimit, SmokeCheck, SmokeReport
from tensorflow_macos_build.tasks import smoke_flags

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.smoke import EnvironmentRequest

NONE = dict.fromkeys(("wheel", "requirement", "python", "plugin", "wheelhouse", "constraints"), "")
CONFIG = """
upstream: {url: "embedded:", ref: v2.17.0}
bazel: {target: "//a:wheel"}
architectures:
  arm64: {bazel_config: a, deployment_target: "12.0"}
  x86_64: {bazel_config: b, deployment_target: "11.0"}
smoke:
  module: fork
  device: GPU:1
  timeout_s: 7
  check_set: soak
  known_limits: [{check: "layers.*", reason: why, device: GPU}]
"""


def request(**given: str) -> EnvironmentRequest:
    return smoke_flags.request(**{**NONE, **given})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "give a wheel, `--requirement`, or `--python`"),
        ({"wheel": "a.whl", "requirement": "a"}, "not both"),
        ({"python": "3.11", "plugin": "p.whl"}, "`--plugin` is for an environment that is made"),
        ({"wheel": "missing.whl"}, "there is no such wheel"),
    ],
)
def test_what_names_no_one_thing_to_try_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        request(**given)


def test_a_python_alone_is_tried_as_it_is() -> None:
    assert request(python="3.11").subject == ""
    assert request(requirement="tensorflow==2.21.0").subject == "tensorflow==2.21.0"


def test_two_sets_of_checks_are_refused() -> None:
    with pytest.raises(UsageError, match="two sets"):
        smoke_flags.check_set(quick=True, soak=True)
    assert smoke_flags.check_set(quick=False, soak=True) == "soak"


def test_a_flag_is_laid_over_the_config_and_what_is_not_given_is_the_configs(
    tmp_path: Path,
) -> None:
    path = tmp_path / "fork.yaml"
    path.write_text(CONFIG)
    options = smoke_flags.options(str(path), device="CPU", checks="a,b", module="", timeout_s=0.0)
    assert (options.device, options.checks, options.check_set) == ("CPU:0", ("a", "b"), "soak")
    assert (options.module, options.timeout_s) == ("fork", 7.0)
    assert options.known_limits == (KnownLimit("layers.*", "why", "GPU"),)


def test_a_file_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    smoke_flags.refuse_unwritable("", str(tmp_path / "file"), str(tmp_path / "new/a.xml"))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "new"]
    assert (tmp_path / "file").read_text() == "kept"
    for wrong in (tmp_path, tmp_path / "file/a.xml", tmp_path / "file/new/a.xml"):
        with pytest.raises(OSError, match=r"director|exists"):
            smoke_flags.refuse_unwritable(str(wrong))


def test_a_result_is_written_where_files_are_named_for_it(tmp_path: Path) -> None:
    checks = (SmokeCheck("arm64", "train", CheckOutcome.PASSED),)
    report = SmokeReport("a.whl", "GPU:0", "CPU:0", "full", False, checks)
    page, junit = tmp_path / "new" / "a.html", tmp_path / "a.xml"
    smoke_flags.write_files(report, junit=str(junit), page=str(page))
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert junit.read_text().startswith("<?xml")
