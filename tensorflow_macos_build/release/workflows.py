"""GitHub Actions workflows, generated from ci/ so that facts about runners stand in one place.

`ci/runners.yaml` holds the facts; each `ci/<name>.yml.j2` becomes `.github/workflows/<name>.yml`.
The templates' own marks are `[[ value ]]` and `[% statement %]`, since `${{ … }}` is GitHub's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import jinja2
import pydantic

from tensorflow_macos_build import files
from tensorflow_macos_build.config import tree
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SOURCES = Path("ci")
WORKFLOWS = Path(".github/workflows")

_RUNNERS = SOURCES / "runners.yaml"
_SUFFIX = ".yml.j2"
_HEADER = "# Generated from {source} and {runners} by `scripts/inv ci.generate`; edit those.\n"
_MARGIN = 5
"""Minutes of a job beyond its steps' limits: checkout, artifacts."""

# Labels with a version alone: `ubuntu-latest` is another system from one day to the next.
_Label = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z]+-[0-9]+(\.[0-9]+)?(-[a-z]+)?$")]
# A major version's tag, which the action's owner moves to each release of it.
_Action = Annotated[str, pydantic.StringConstraints(pattern=r"^[\w.-]+/[\w./-]+@v[0-9]+$")]
# 360 minutes is the most that GitHub lets a job of its own runners take.
_Minutes = Annotated[int, pydantic.Field(ge=1, le=360)]


class _Strict(pydantic.BaseModel):
    """The base of all parts of ci/runners.yaml: a misspelt key is an error, and not ignored."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


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


class Actions(_Strict):
    """The actions that workflows use, by what they do, each with its major version."""

    checkout: _Action
    upload: _Action


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


class Facts(_Strict):
    """What ci/runners.yaml says."""

    runners: tuple[Runner, ...]
    actions: Actions
    minutes: Minutes


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
    values = {"runners": runners, "actions": facts.actions, "minutes": facts.minutes}
    environment = _environment(root)
    texts = {}
    for template in sorted((root / SOURCES).glob(f"*{_SUFFIX}")):
        source = template.relative_to(root)
        try:
            body = environment.get_template(template.name).render(values)
        except jinja2.TemplateError as error:
            line = getattr(error, "lineno", None)  # a syntax error has one, an undefined name none
            where = f"{source}:{line}" if line else str(source)
            raise UsageError(f"the template fails: {error}", where=where) from None
        header = _HEADER.format(source=source, runners=_RUNNERS)
        texts[WORKFLOWS / template.name.replace(_SUFFIX, ".yml")] = header + body
    return texts


def stale(root: Path, texts: dict[Path, str]) -> tuple[Path, ...]:
    """Return the paths in `root` that are not as `texts` says, or are generated no more."""
    # All are generated: one whose template is gone would go on running.
    present = {path.relative_to(root) for path in (root / WORKFLOWS).glob("*.yml")}
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
