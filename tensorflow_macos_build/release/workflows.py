"""GitHub Actions workflows, generated from ci/ so that facts about runners stand in one place.

`ci/runners.yaml` holds the facts; each `ci/<name>.yml.j2` becomes `.github/workflows/<name>.yml`,
and `ci/release.yml.j2` one file for each release that is listed there.
The templates' own marks are `[[ value ]]` and `[% statement %]`, since `${{ … }}` is GitHub's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import jinja2
import pydantic

from tensorflow_macos_build import files
from tensorflow_macos_build.config import tree
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SOURCES = Path("ci")
CONFIGS = Path("build_configs")
QUEUES = Path("patches")
WORKFLOWS = Path(".github/workflows")

_RUNNERS = SOURCES / "runners.yaml"
_SUFFIX = ".yml.j2"
_HEADER = "# Generated from {source} and {runners} by `scripts/inv ci.generate`; edit those.\n"
_PER_RELEASE = "release"
"""The template that makes a workflow of its own for each release."""

ARCHES = ("arm64", "x86_64")

_MARGIN = 5
"""Minutes of a job beyond its steps' limits: checkout, artifacts."""

# Labels with a version alone: `ubuntu-latest` is another system from one day to the next.
_Label = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z]+-[0-9]+(\.[0-9]+)?(-[a-z]+)?$")]
_Name = Annotated[str, pydantic.StringConstraints(pattern=r"^[\w][\w.-]*$")]
_Python = Annotated[str, pydantic.StringConstraints(pattern=r"^3\.[0-9]{1,2}$")]
_Cron = Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9*/, -]+$")]
# 360 minutes is the most that GitHub lets a job of its own runners take.
_Minutes = Annotated[int, pydantic.Field(ge=1, le=360)]


class _Strict(pydantic.BaseModel):
    """The base of all parts of ci/runners.yaml: a misspelt key is an error, and not ignored."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class RoundLimits:
    """When rounds of a staged build end without a result.

    Attributes:
        rounds: the most of them.
        failures: how many in a row may be lost.
    """

    rounds: int
    failures: int


class Nginx(_Strict):
    """nginx on a runner: the system package that brings it, and its path then."""

    package: str
    program: str


class Runner(_Strict):
    """A machine that GitHub lends.

    Attributes:
        label: its image's label, with a version.
        preinstalled: tools that the image brings.
        nginx: the cache with which the miniature is built there, too, if so.
    """

    label: _Label
    preinstalled: tuple[str, ...] = ()
    nginx: Nginx | None = None

    @property
    def job(self) -> str:
        """The identifier of the job that runs on it, which may hold no dot."""
        return self.label.replace(".", "-")


class Action(_Strict):
    """An action at a commit: a tag can be moved by its owner, or by who has taken its place.

    Attributes:
        name: OWNER/NAME.
        commit: the full id.
        version: the release that it is, for people.
    """

    name: Annotated[str, pydantic.StringConstraints(pattern=r"^[\w.-]+/[\w./-]+$")]
    commit: Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9a-f]{40}$")]
    version: Annotated[str, pydantic.StringConstraints(pattern=r"^v[0-9]+(\.[0-9]+){2}$")]

    def __str__(self) -> str:
        """Return it as a step's `uses` has it."""
        return f"{self.name}@{self.commit} # {self.version}"


class Actions(_Strict):
    """The actions that workflows use, by what they do."""

    cache: Action
    checkout: Action
    upload: Action
    download: Action
    attest: Action
    upload_pages: Action
    deploy_pages: Action


class Minutes(_Strict):
    """How long each step may take, in minutes."""

    install: _Minutes
    build: _Minutes
    test: _Minutes
    caches: _Minutes

    @property
    def total(self) -> int:
        """The limit of a whole job, which no step's limit reaches."""
        return self.install + self.build + self.test + self.caches + _MARGIN


class Nightly(_Strict):
    """When and where the queues are compared with upstream, and for how many minutes at most."""

    runner: _Label
    cron: _Cron
    minutes: _Minutes


class Staged(_Strict):
    """How releases are built in rounds.

    Attributes:
        build_on: the label of the machines that build both halves and join them.
        smoke_on: those that try the joined wheel, in its virtual tier.
        small_jobs_on: those of jobs that only ask and decide.
        proof_on: the labels of a Mac of one's own that proves the device; none: there is none.
        budget: minutes that a round's build may take.
        job: minutes that its job may.
        rounds: the most rounds.
        failures: how many in a row may lose their work.
        keep_days: for how long artifacts are kept.
        cron: when a lost dispatch is looked for.
    """

    build_on: _Name
    smoke_on: tuple[_Name, ...]
    small_jobs_on: _Label
    proof_on: tuple[_Name, ...] = ()
    budget: _Minutes
    job: _Minutes
    rounds: Annotated[int, pydantic.Field(ge=1, le=200)]
    failures: Annotated[int, pydantic.Field(ge=0, le=20)]
    keep_days: Annotated[int, pydantic.Field(ge=1, le=90)]
    cron: _Cron


class ReleaseRow(_Strict):
    """A config of build_configs/ that workflows build, for some Pythons."""

    config: _Name
    pythons: Annotated[tuple[_Python, ...], pydantic.Field(min_length=1)]


@dataclass(frozen=True)
class StagedRelease:
    """A release as its workflow builds it.

    Attributes:
        workflow: the workflow's file name.
        parts: each architecture with each Python, such as arm64-3.12.
        limits: when rounds end.
    """

    workflow: str
    parts: tuple[str, ...]
    limits: RoundLimits


class Facts(_Strict):
    """What ci/runners.yaml says."""

    runners: tuple[Runner, ...]
    actions: Actions
    minutes: Minutes
    nightly: Nightly
    staged: Staged
    releases: tuple[ReleaseRow, ...]

    def staged_release(self, config: str) -> StagedRelease:
        """Return a release by its config.

        Raises:
            UsageError: no workflow builds it.
        """
        rows = [row for row in self.releases if row.config == config]
        if not rows:
            names = ", ".join(row.config for row in self.releases)
            raise UsageError(
                f"no workflow builds `{config}`", where=str(_RUNNERS), hint=f"there are: {names}"
            )
        parts = tuple(f"{arch}-{python}" for arch in ARCHES for python in rows[0].pythons)
        limits = RoundLimits(self.staged.rounds, self.staged.failures)
        return StagedRelease(f"release-{config}.yml", parts, limits)


def load(root: Path) -> Facts:
    """Read ci/runners.yaml of the checkout `root`.

    Raises:
        UsageError: it is not there, is no YAML, or says something that no workflow knows.
    """
    where = str(_RUNNERS)
    if not (root / _RUNNERS).exists():
        raise UsageError("the file is missing", where=where)
    table, problems = tree.read_file(root / _RUNNERS, where)
    if problems:
        raise tree.ConfigError(problems)
    try:
        return Facts.model_validate(tree.plain(table))
    except pydantic.ValidationError as error:
        lines = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise UsageError("it cannot be used", where=where, detail="\n".join(lines)) from None


def render(root: Path, packages: Callable[[Runner], Sequence[str]]) -> dict[Path, str]:
    """Return the text of every workflow of the checkout `root`, by its path in the checkout.

    Args:
        root: the checkout.
        packages: returns the system packages to install on a runner before the tests.

    Raises:
        UsageError: a source of the workflows is wrong.
    """
    facts = load(root)
    runners = [
        {
            "label": runner.label,
            "job": runner.job,
            "packages": packages(runner),
            "nginx": runner.nginx.program if runner.nginx else "",
        }
        for runner in facts.runners
    ]
    values = {
        "runners": runners,
        "actions": facts.actions,
        "minutes": facts.minutes,
        "nightly": facts.nightly,
        "staged": facts.staged,
        "queues": _queues(root),
    }
    environment = _environment(root)
    texts = {}
    for template in sorted((root / SOURCES).glob(f"*{_SUFFIX}")):
        name = template.name.removesuffix(_SUFFIX)
        rows = facts.releases if name == _PER_RELEASE else (None,)
        for row in rows:
            file = f"{name}-{row.config}.yml" if row else f"{name}.yml"
            body = _rendered(environment, template.name, {**values, "release": row})
            header = _HEADER.format(source=SOURCES / template.name, runners=_RUNNERS)
            texts[WORKFLOWS / file] = header + body
    for row in facts.releases:
        if not (root / CONFIGS / f"{row.config}.yaml").is_file():
            raise UsageError(f"there is no config `{row.config}`", where=str(_RUNNERS))
    return texts


def _queues(root: Path) -> list[str]:
    """Return the names of the queues of patches."""
    return sorted(path.parent.name for path in (root / QUEUES).glob("*/queue.yaml"))


def _rendered(environment: jinja2.Environment, name: str, values: Mapping[str, Any]) -> str:
    try:
        return environment.get_template(name).render(values)
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None)  # a syntax error has one, an undefined name none
        where = f"{SOURCES / name}:{line}" if line else str(SOURCES / name)
        raise UsageError(f"the template fails: {error}", where=where) from None


def stale(root: Path, texts: dict[Path, str]) -> tuple[Path, ...]:
    """Return the paths in `root` that are not as `texts` says, or are generated no more."""
    # All are generated: one whose template is gone would go on running.
    # GitHub runs both spellings.
    present = {path.relative_to(root) for path in (root / WORKFLOWS).glob("*.y*ml")}
    changed = {path for path, text in texts.items() if _text(root / path) != text}
    return tuple(sorted(changed | (present - set(texts))))


def generate(root: Path, texts: dict[Path, str]) -> tuple[Path, ...]:
    """Make the workflows of `root` what `texts` says; return the paths that changed."""
    changed = stale(root, texts)
    for path in changed:
        if path in texts:
            files.write_text(root / path, texts[path])
        else:
            (root / path).unlink()
    return changed


def _environment(root: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(root / SOURCES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML, and its values are checked by `Facts`
        keep_trailing_newline=True,  # jinja2 takes the last one off else
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
    )


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
