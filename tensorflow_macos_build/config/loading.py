"""From the name of a config to its typed values: files, `extends`, flags, checks.

All mistakes of all files are gathered and raised at once, each with its place.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pydantic

from tensorflow_macos_build import checkout
from tensorflow_macos_build.config import tree
from tensorflow_macos_build.config.model import Release
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

FOLDER = "build_configs"
"""The folder of a project that holds its configs."""

EXTENDS = "extends"
"""The key that names the config below this one, without `.yaml`."""

PARENT = "parent"
"""The key of a file that others extend and that is no release by itself: `parent: true`."""

_DEFAULT = tree.Source("default")

_SHOWN = 100
"""Characters of a wrong value that its error repeats."""


@dataclass(frozen=True)
class Loaded:
    """A config as it is in effect.

    Attributes:
        release: the typed values.
        provenance: for each value, by its dotted path (`bazel.jobs`), where it was written; values
            that nothing wrote have the origin `default`.
        files: the files that were read, the named one first, then what it extends.
        root: the project's folder; build_configs/, patches/, build/ and dist/ are in it.
    """

    release: Release
    provenance: Mapping[str, tree.Source]
    files: tuple[Path, ...]
    root: Path


def find_root(start: Path | None = None) -> Path:
    """Return the project's folder: the checkout, or the nearest one above it, with build_configs/.

    Raises:
        UsageError: there is none.
    """
    here = (start or checkout.root()).resolve()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder
    raise UsageError(
        f"there is no {FOLDER}/ folder here or above", where=str(here), hint="run it in a checkout"
    )


def load(
    name_or_path: str, overrides: Mapping[str, str] | None = None, *, root: Path | None = None
) -> Loaded:
    """Read a config, what it extends, and the flags laid over it.

    Args:
        name_or_path: `demo` means build_configs/demo.yaml; anything with a slash or `.yaml` is a
            path.
        overrides: values of `--set KEY=VALUE` by dotted key.
        root: the project's folder; by default `find_root()`.

    Raises:
        UsageError: a file is missing or wrong; all mistakes are in it.
    """
    root = (root or find_root()).resolve()
    path = _locate(name_or_path, root)
    merged, problems, files = _chain(path, root)
    for key, value in (overrides or {}).items():
        table, problems_of_flag = tree.read_flag(key, value)
        merged = tree.merge(merged, table)
        problems += problems_of_flag
    if "name" not in merged.items:
        implied = tree.Source(_shown(path, root))
        named = tree.Scalar(path.stem, implied)
        merged = tree.merge(tree.Table({"name": named}, {"name": implied}, merged.source), merged)
    try:
        # Every scalar is text (`tree`); pydantic makes numbers and truth values of it (lax mode).
        release = Release.model_validate(tree.plain(merged))
    except pydantic.ValidationError as error:
        # pydantic checks all fields before it raises; `url` would lead to its own pages.
        problems += [_problem(merged, detail) for detail in error.errors(include_url=False)]
    if problems:
        raise tree.ConfigError(problems)
    written = dict(_leaves(merged))
    sources = {key: _source_of(key, written) for key, _ in flatten(release.model_dump(mode="json"))}
    return Loaded(release, sources, files, root)


def names(root: Path) -> list[str]:
    """Return the names of a project's configs, sorted; parents are none."""
    paths = (root / FOLDER).glob("*.yaml")
    return sorted(path.stem for path in paths if not _is_parent(path, root))


def _is_parent(path: Path, root: Path) -> bool:
    try:
        table, _ = tree.read_file(path, _shown(path, root))
    except UsageError:
        return False  # it may be a release, and whoever loads it learns what is wrong
    written = table.items.get(PARENT)
    return isinstance(written, tree.Scalar) and written.text == "true"


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value with its dotted path; lists and empty mappings are values."""
    for key, value in values.items():
        # An empty one would have no leaf, and so no line in what is shown.
        if isinstance(value, dict) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _locate(name_or_path: str, root: Path) -> Path:
    # Not by what is there: a file `demo` in the current folder would hide the config of that name.
    if "/" in name_or_path or name_or_path.endswith(".yaml"):
        path = Path(name_or_path).absolute()
        if path.is_file():
            return path
        raise UsageError("there is no such config", where=name_or_path)
    path = root / FOLDER / f"{name_or_path}.yaml"
    if path.is_file():
        return path
    known = names(root)
    raise UsageError(
        f"there is no config `{name_or_path}`",
        where=f"{FOLDER}/{name_or_path}.yaml",
        hint=_nearest(name_or_path, known) or f"there are: {', '.join(known)}",
    )


def _chain(path: Path, root: Path) -> tuple[tree.Table, list[tree.Problem], tuple[Path, ...]]:
    """Read a file and all that it extends, and return them merged, the lowest below."""
    tables: list[tree.Table] = []
    problems: list[tree.Problem] = []
    files: list[Path] = []
    following: Path | None = path
    while following is not None:
        files.append(following)
        table, problems_of_file = tree.read_file(following, _shown(following, root))
        problems += problems_of_file
        # These two are of the file, and no values of the release.
        problems += _parent_problems(table.items.pop(PARENT, None), named=following == path)
        extends = table.items.pop(EXTENDS, None)
        tables.append(table)
        following = None
        if extends is not None:
            following = _extended(extends, files, root)
    # From the lowest up, for a list replaces the whole list below it.
    merged = tables.pop()
    while tables:
        merged = tree.merge(merged, tables.pop())
    return merged, problems, tuple(files)


def _parent_problems(written: tree.Tree | None, *, named: bool) -> list[tree.Problem]:
    """Return what is wrong with the value of a file's `parent`.

    Raises:
        tree.ConfigError: it is true, and the file is the one that was named.
    """
    if written is None:
        return []
    text = written.text if isinstance(written, tree.Scalar) else None
    if text not in ("true", "false"):
        return [tree.Problem(f"`{PARENT}` must be true or false", written.source)]
    if text == "true" and named:  # what it lacks to be a release is not wrong
        what = "this is a parent of configs, and no release"
        hint = f"name one that `{EXTENDS}` it"
        raise tree.ConfigError([tree.Problem(what, written.source, hint)])
    return []


def _extended(extends: tree.Tree, files: Sequence[Path], root: Path) -> Path:
    folder = files[-1].parent
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    name = extends.text if isinstance(extends, tree.Scalar) else None
    # Held against the names that are there, so that `../x` is none.
    if name not in known:
        hint = _nearest(str(name), known) or f"there are: {', '.join(known)}"
        problem = tree.Problem(
            f"`{EXTENDS}` must name a config beside this one", extends.source, hint
        )
        raise tree.ConfigError([problem])
    path = folder / f"{name}.yaml"
    if not path.resolve().is_relative_to(folder.resolve()):  # a link to somewhere else
        raise tree.ConfigError([tree.Problem(f"`{name}` leads out of its folder", extends.source)])
    if path in files:
        circle = " → ".join([*(_shown(file, root) for file in files), _shown(path, root)])
        raise tree.ConfigError(
            [tree.Problem(f"configs extend each other: {circle}", extends.source)]
        )
    return path


def _problem(merged: tree.Table, detail: ErrorDetails) -> tree.Problem:
    """Return what is wrong in the words of the config's author, and where it was written."""
    location = detail["loc"]
    source = _source_at(merged, location, is_key=detail["type"] == "extra_forbidden")
    dotted = ".".join(str(part) for part in location)
    # pydantic's types of errors (docs: "Validation Errors"); its words for these four name Python,
    # and those of all others stay, but for their capital.
    match detail["type"]:
        case "extra_forbidden":
            parent, known = ".".join(map(str, location[:-1])), _known_keys(location[:-1])
            hint = _nearest(str(location[-1]), known) or f"known keys: {', '.join(known)}"
            inside = f" in `{parent}`" if parent else ""
            return tree.Problem(f"unknown key `{location[-1]}`{inside}", source, hint)
        case "missing":
            return tree.Problem(f"the key `{dotted}` is missing", source)
        case "model_type":
            return tree.Problem(f"`{dotted}` must be a mapping of keys to values", source)
        case "tuple_type":
            return tree.Problem(f"`{dotted}` must be a list", source)
        case _:
            value = detail["input"]
            text = tree.masked(str(value))[:_SHOWN]
            message = detail["msg"][:1].lower() + detail["msg"][1:]
            shown = "" if isinstance(value, (dict, list)) else f", not `{text}`"
            return tree.Problem(f"`{dotted}`: {message}{shown}", source)


def _source_at(merged: tree.Table, location: Sequence[str | int], *, is_key: bool) -> tree.Source:
    """Return where the value at `location` was written, or the nearest value around it."""
    here: tree.Tree = merged
    # What is missing has no place of its own: the part that should have it is shown.
    source = merged.source
    for depth, part in enumerate(location):
        last = depth == len(location) - 1
        if isinstance(here, tree.Table) and part in here.items:
            source = here.keys[str(part)]
            here = here.items[str(part)]
            # An unknown key is wrong where it stands, and a table begins at its key for people: to
            # YAML it begins at its first key, a line below.
            if not (last and is_key) and not isinstance(here, tree.Table):
                source = here.source
        elif isinstance(here, tree.Items) and isinstance(part, int) and part < len(here.items):
            here = here.items[part]
            source = here.source
    return source


def _known_keys(location: Sequence[str | int]) -> list[str]:
    """Return the keys that the part of the model at `location` has."""
    model: type[pydantic.BaseModel] = Release
    for part in location:
        if isinstance(part, str):
            model = _model_of(model.model_fields[part].annotation) or model
    # The model has not got these two, for `_chain` takes them out of each file.
    return [*model.model_fields, *([EXTENDS, PARENT] if model is Release else [])]


def _model_of(annotation: object) -> type[pydantic.BaseModel] | None:
    """Return the model in an annotation such as `tuple[FuseRule, ...]` or `Host | None`."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    models = (_model_of(part) for part in get_args(annotation))
    return next((model for model in models if model), None)


def _nearest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else ""


def _leaves(table: tree.Table, prefix: str = "") -> Iterator[tuple[str, tree.Source]]:
    for key, value in table.items.items():
        if isinstance(value, tree.Table) and value.items:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, table.keys[key]


def _source_of(key: str, written: Mapping[str, tree.Source]) -> tree.Source:
    return written.get(key, _DEFAULT)


def _shown(path: Path, root: Path) -> str:
    """Return the path as people know it: relative to the project where it lies inside."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
