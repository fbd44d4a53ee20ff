"""The code that decides what a module of this package makes: what it imports, and the data of that.

Imports are read from the text, those inside functions too, and followed within the package. Imports
for type checkers decide nothing and are left out. So a result is made again when any code that it
depends on has changed, and nobody keeps a list or raises a number.

The text is read by patterns, since a build with nothing to do reads the code of all stages: 180
modules take 0.1 s, and by `ast` 0.8 s. What that would say, the tests compare.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = __name__.partition(".")[0]
_ROOT = Path(__file__).resolve().parent

_TYPES_ONLY = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t]+[^\n]*\n|\n)+", re.MULTILINE)
_FROM = re.compile(rf"^[ \t]*from ({_NAME}[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
_IMPORT = re.compile(rf"^[ \t]*import ({_NAME}[\w.]*)", re.MULTILINE)
# A name in a string counts as an import (`resources.files`, `PackageLoader`), and a script beside
# the module as data: more than is read makes a key change too often, less would make it stay.
_LITERAL = re.compile(r'"([\w.-]+)"')
_OWN_FOLDER = re.compile(r"\b__(?:file|package)__\b")


@dataclass(frozen=True)
class _Module:
    """What the text of one module says.

    Attributes:
        imports: modules and packages of this package that it imports or names.
        data: files that it may read.
    """

    imports: tuple[str, ...]
    data: tuple[Path, ...]


@functools.cache
def digest(module: str, without: frozenset[str] = frozenset()) -> str:
    """Return a SHA-256 over all code and data that what `module` makes depends on.

    The modules `without` are not followed: what they make reaches `module` as values.
    """
    total = hashlib.sha256()
    for path in files(module, without):
        name = path.relative_to(_ROOT).as_posix() if path.is_relative_to(_ROOT) else path.name
        total.update(f"{name}\0{_content_digest(path)}\0".encode())
    return total.hexdigest()


def files(module: str, without: frozenset[str] = frozenset()) -> list[Path]:
    """Return the files that `digest` is over, sorted.

    `module` is one of this package, or an imported one that uses it.
    """
    seen = set(without)
    paths: set[Path] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = None if name in seen else _path(name)
        seen.add(name)
        if path is not None:
            text = _read(path)
            paths |= {path, *text.data}
            # To import a.b.c, Python runs a and a.b (their __init__.py) first.
            waiting += [*text.imports, name.rpartition(".")[0]]
    return sorted(paths)


@functools.cache
def _path(name: str) -> Path | None:
    """Return the file of a module; None when there is no such module, only a name in one."""
    if name.partition(".")[0] != _NAME:
        loaded = getattr(sys.modules.get(name), "__file__", None)
        return Path(loaded) if loaded else None
    below = _ROOT.joinpath(*name.split(".")[1:])
    candidates = (below.with_suffix(".py"), below / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


@functools.cache
def _read(path: Path) -> _Module:
    text = _TYPES_ONLY.sub("", path.read_text(encoding="utf-8"))
    literals = _LITERAL.findall(text)
    named = [literal for literal in literals if literal.partition(".")[0] == _NAME]
    packages = [_path(name) for name in named]
    if _OWN_FOLDER.search(text):
        packages.append(path.with_name("__init__.py"))
    beside = [path.with_name(literal) for literal in literals if literal.endswith(".py")]
    data = [file for package in packages if package for file in _data(package)]
    scripts = [script for script in beside if script.is_file()]
    return _Module((*_imports(text), *named), (*data, *scripts))


def _imports(text: str) -> Iterator[str]:
    yield from _IMPORT.findall(text)
    for package, names in _FROM.findall(text):
        yield package
        yield from (f"{package}.{name}" for name in re.findall(r"\w+", names))


def _data(module: Path) -> Iterator[Path]:
    """Yield what a package's folder holds beside its modules and packages."""
    if module.name != "__init__.py":
        return
    for path in sorted(module.parent.iterdir()):
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from (file for file in sorted(path.rglob("*")) if _is_data(file))
        elif path.is_file() and path.suffix != ".py":
            yield path


def _is_data(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


@functools.cache
def _content_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
