"""Each line that a workflow runs can be typed: it is planned, or its flags are read."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tensorflow_macos_build.tasks.namespace import namespace
from tests import command_line
from tests.named_wheels import wheel_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
WORKFLOWS = ROOT / ".github/workflows"
_VALUES = {
    "ARCH": "arm64",
    "PYTHON_VERSION": "3.11",
    "SINCE": "7",
    "TAG": "v1",
    "GITHUB_RUN_ID": "7",
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_SERVER_URL": "https://h.example",
    "pages": "https://o.example/r",
    "wheel": "demo-1.0-py3-none-any.whl",
}
_TASK = re.compile(r"scripts/inv ([^|>\n]*[^|>\s])")
_EXPRESSION = re.compile(r"\$\{\{")


def _steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(WORKFLOWS.glob("*.yml")):
        workflow = yaml.safe_load(path.read_text())
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                yield path.name, step


def _commands() -> list[str]:
    """Return each task with its arguments, once; workflows of releases differ in names alone."""
    texts = [step["run"] for name, step in _steps() if "run" in step and "tf-" not in name]
    lines = {match[1].strip() for text in texts for match in _TASK.finditer(text)}
    # both halves are built by the same line
    lines = {line.replace("x86_64", "arm64") for line in lines}
    return sorted(lines)


def test_no_script_has_text_of_others_in_it() -> None:
    for name, step in _steps():
        assert not _EXPRESSION.search(step.get("run", "")), f"{name}: {step.get('name')}"
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))


def test_releases_have_the_same_jobs() -> None:
    demo = yaml.safe_load((WORKFLOWS / "release-demo.yml").read_text())
    real = yaml.safe_load((WORKFLOWS / "release-tf-2.21.yml").read_text())
    assert list(demo["jobs"]) == list(real["jobs"])
    for name, job in demo["jobs"].items():
        steps = real["jobs"][name]["steps"]
        runs = [step.get("run", "").replace("tf-2.21", "demo") for step in steps]
        assert runs == [step.get("run", "") for step in job["steps"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what commands of workflows expect to find."""
    made: Path = tmp_path_factory.mktemp("runner")
    for name in ("releases", "dist/demo", "ci", "forecasts/demo"):
        (made / name).mkdir(parents=True)
    wheel_of(made / "releases", "demo-1.0", "demo-1.0.dist-info")
    (made / "ci/index.yaml").write_bytes((ROOT / "ci/index.yaml").read_bytes())
    return made


@pytest.mark.parametrize("command", _commands())
def test_a_workflow_runs_what_can_be_typed(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INV_CHECKOUT", str(ROOT))
    words = [
        re.sub(r"\$(\w+)", lambda match: _VALUES[match[1]], word)
        for word in shlex.split(command.partition(" && ")[0])
        if word not in ("||", "code=$?")
    ]
    flags = {name for argument in _arguments(words[0]) for name in argument}
    # A task without a plan has its flags read, and shows its help.
    done = command_line.run(*words, "--plan" if "plan" in flags else "--help", cwd=folder)
    needs_more = (
        "is not built",
        "is no folder that `release.prepare` has made",
        "dist/smoke/smoke-macos-15.json: there is no such file",  # where the demo is built
    )
    if done.returncode:
        assert any(text in done.stderr for text in needs_more), done.stderr
    assert "Traceback" not in done.stderr


def _arguments(task: str) -> list[tuple[str, ...]]:
    return [tuple(argument.names) for argument in namespace[task].get_arguments()]
