import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tensorflow_macos_build import config, documents
from tensorflow_macos_build.views import config as config_view
from tensorflow_macos_build.wheels.fuse.rules import RuleVerdict
from tensorflow_macos_build.wheels.verify import must_export

ROOT = Path(__file__).resolve().parents[3]
NAMES = config.names(ROOT)
FILES = sorted(path.name for path in (ROOT / "build_configs").glob("*.yaml"))
TENSORFLOW = [name for name in NAMES if name.startswith("tf-")]


def test_the_committed_schema_is_the_models() -> None:
    committed = (ROOT / "build_configs" / "schema.json").read_text(encoding="utf-8")
    assert committed == documents.dumps(config.schema()), "run: invoke config.schema"


def test_the_schema_refuses_what_the_model_refuses() -> None:
    validator = jsonschema.Draft202012Validator(config.schema())
    wrong: tuple[dict[str, object], ...] = (
        {"upstrem": {}},
        {"bazel": {"jobs": 0}},
        {"queue": "../x"},
        {"fuse": {"rules": [{}]}},
    )
    assert [validator.is_valid(values) for values in wrong] == [False] * len(wrong)


def test_the_verdicts_of_a_config_are_those_of_fuse() -> None:
    assert {verdict.value for verdict in config.FuseVerdict} == {
        verdict.value for verdict in RuleVerdict
    }


@pytest.mark.parametrize("name", FILES)
def test_every_committed_config_obeys_the_schema_as_other_readers_read_it(name: str) -> None:
    text = (ROOT / "build_configs" / name).read_text(encoding="utf-8")
    jsonschema.Draft202012Validator(config.schema()).validate(yaml.safe_load(text))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_loads_to_the_same_values(name: str, tmp_path: Path) -> None:
    loaded = config.load(name, root=ROOT)
    (tmp_path / "again.yaml").write_text(
        "\n".join(config_view.yaml_lines(loaded)), encoding="utf-8"
    )
    assert config.load(str(tmp_path / "again.yaml"), root=ROOT).release == loaded.release
    documents.check(config_view.as_document(loaded))
    assert (
        json.loads(json.dumps(loaded.release.model_dump(mode="json")))
        == (config_view.as_document(loaded)["values"])
    )


def test_every_line_of_tensorflow_has_a_config() -> None:
    crossing = {"tf-2.19-cross", "tf-2.21-cross"}
    assert set(NAMES) == {"demo", *(f"tf-2.{minor}" for minor in range(4, 23)), *crossing}


@pytest.mark.parametrize("name", TENSORFLOW)
def test_what_a_release_does_not_know_is_said(name: str) -> None:
    release = config.load(name, root=ROOT).release
    commit = len(release.upstream.ref) == 40
    assert commit != ("upstream.ref" in release.unverified)
    assert release.bazel.version or "bazel.version" in release.unverified
    assert release.limits.hours


@pytest.mark.parametrize("name", TENSORFLOW)
def test_the_symbols_that_a_release_must_export_are_known(name: str) -> None:
    must_export.expand(config.load(name, root=ROOT).release.verify.must_export)


MACS = [
    {"platform_system": "Darwin", "sys_platform": "darwin", "platform_machine": machine}
    for machine in ("arm64", "x86_64")
]


@pytest.mark.parametrize("name", TENSORFLOW)
def test_a_release_has_a_wheelhouse_or_says_why_not(name: str) -> None:
    release = config.load(name, root=ROOT).release
    assert bool(release.wheelhouse) != release.unverified["wheelhouse"].startswith("none: ")


@pytest.mark.parametrize("name", TENSORFLOW)
def test_a_wheelhouse_holds_requirements_each_for_some_mac(name: str) -> None:
    requirements = [Requirement(text) for text in config.load(name, root=ROOT).release.wheelhouse]
    projects = [requirement.name for requirement in requirements]
    assert sorted(projects) == sorted(set(map(canonicalize_name, projects)))
    # The wheel itself is the fork's, and no index has it.
    assert not {"tensorflow", "tensorflow-cpu", "tensorflow-macos"} & set(projects)
    markers = [requirement.marker for requirement in requirements if requirement.marker]
    assert all(any(marker.evaluate(mac) for mac in MACS) for marker in markers)


@pytest.mark.parametrize("name", TENSORFLOW)
def test_a_wheelhouse_has_what_every_tensorflow_imports(name: str) -> None:
    requirements = map(Requirement, config.load(name, root=ROOT).release.wheelhouse)
    projects = {requirement.name for requirement in requirements}
    assert not projects or {"numpy", "h5py", "grpcio", "protobuf", "wrapt"} <= projects


@pytest.mark.parametrize("name", TENSORFLOW)
def test_a_wheel_of_patched_sources_has_a_version_of_its_own(name: str) -> None:
    release = config.load(name, root=ROOT).release
    by_bazel = [flag for flag in release.bazel.flags if "ML_WHEEL_VERSION_SUFFIX=" in flag]
    series = ROOT / "patches" / str(release.queue) / "series"
    by_patch = release.queue is not None and "mark-the-wheel-s-version" in series.read_text("utf-8")
    # One way of the two for a queue, and none without.
    assert len(by_bazel) + by_patch == (release.queue is not None)
    assert all(flag.endswith("+macos.1") for flag in by_bazel)
