"""Bazel's run-control files as values: their lines, and what a `--config` stands for.

The rules are Bazel's own: the user manual ("Write bazelrc configuration files"), Tokenize in
src/main/cpp/util/strings.cc, ParseFile in src/main/cpp/rc_file.cc, and ConfigExpander.java.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.upstream.tensorflow_tree.fact import Unread, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.upstream.tensorflow_tree.fact import TreeFiles

# `always` has meant what `common` meant since that skips what a command does not know
# (bazelbuild/bazel#18130). TensorFlow's 2.22 writes its configs as `common:NAME`, 2.21 as
# `build:NAME`.
COMMANDS = ("always", "common", "build")
"""The sections that `bazel build` takes, in the order in which Bazel reads them."""

_WORKSPACE = "%workspace%/"
_SWITCHES = ("--enable_platform_specific_config", "--noenable_platform_specific_config")
_TRUE = ("true", "1", "yes", "t", "y")  # what BooleanConverter of Bazel's Converters.java takes

_SEPARATORS = frozenset(" \n\t\r\0")  # kSeparator of strings.cc, whose strchr finds the NUL too
_BLANKS = " \t\n\v\f\r"

_LINE_END = re.compile(r"(?<!\\)(?<!\\\r)\n")
_CONTINUATION = re.compile(r"\\\r?\n")

# TensorFlow's own .bazelrc (2.21) has 58 KB, and its imports are two.
_MOST_FLAGS = 20_000
"""Of one expansion: configs that name two others each would double at every step."""
_MOST_IMPORTS = 1_000
_DEEPEST = 50
"""Configs that name each other in a chain, and files that import each other."""


class BadConfig(Exception):
    """Bazel would refuse a `--config`: it is not defined, or leads to itself.

    Attributes:
        undefined: the config that is not defined; "" when that is not the fault.
    """

    def __init__(self, what: str, undefined: str = "") -> None:
        super().__init__(what)
        self.undefined = undefined


@dataclass(frozen=True)
class RcLine:
    """One line of options.

    Attributes:
        command: the command that it is for: `build`, `common`, `startup`.
        config: the `--config` that it belongs to; None when it holds without one.
        arguments: its words, unquoted.
        where: its `file:line`.
    """

    command: str
    config: str | None
    arguments: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class RcImport:
    """One `import` or `try-import`.

    Attributes:
        path: what it names.
        optional: whether Bazel goes on without the file.
        where: its `file:line`.
    """

    path: str
    optional: bool
    where: str


@dataclass(frozen=True)
class BazelRc:
    """The options of a run-control file and of those that it imports from its own tree.

    Attributes:
        lines: the lines of options, in the order in which Bazel reads them.
        imports: the imports, likewise.
    """

    lines: tuple[RcLine, ...]
    imports: tuple[RcImport, ...]

    def configs(self) -> tuple[str, ...]:
        """Return the names that `bazel build --config` takes, sorted."""
        return tuple(sorted({line.config for line in self.of_build() if line.config is not None}))

    def flags_of(self, config: str) -> tuple[str, ...]:
        """Return the flags that `--config=CONFIG` stands for, those of the configs in it included.

        Raises:
            BadConfig: it, or one that it names, is not defined or leads to itself.
        """
        return tuple(_Expansion(self).config(config, (config,)))

    def flags(self, configs: Sequence[str] = (), *, host: str = "macos") -> tuple[str, ...]:
        """Return all flags that `bazel build --config=…` takes from the files, weakest first.

        Args:
            configs: the values of `--config` on the command line, in order.
            host: the name of the config that --enable_platform_specific_config adds.

        Raises:
            BadConfig: as `flags_of`.
        """
        expansion = _Expansion(self)
        always = [
            flag for line in self.of_build() if line.config is None for flag in line.arguments
        ]
        flags = list(expansion.top([*always, *(f"--config={config}" for config in configs)]))
        return tuple(self._with_host(expansion, flags, host))

    def of_build(self) -> list[RcLine]:
        """Return build's lines, by section first: so Bazel takes them, wherever they stand."""
        return [line for command in COMMANDS for line in self.lines if line.command == command]

    def _with_host(self, expansion: _Expansion, flags: list[str], host: str) -> Iterator[str]:
        """Put the host's config where the last flag stands that asks for it, or asks for none."""
        switches = [at for at, flag in enumerate(flags) if flag.partition("=")[0] in _SWITCHES]
        last = switches[-1] if switches else -1
        for at, flag in enumerate(flags):
            yield flag
            if at == last and _switches_on(flag) and host in self.configs():
                yield from expansion.config(host, (host,))


class _Expansion:
    """Replaces `--config`s by what they stand for, within a bound for all of them together."""

    def __init__(self, rc: BazelRc) -> None:
        self._lines: dict[str, list[RcLine]] = {}
        for line in rc.of_build():
            if line.config is not None:
                self._lines.setdefault(line.config, []).append(line)
        self._left = _MOST_FLAGS

    def top(self, arguments: Sequence[str]) -> Iterator[str]:
        """Replace the configs among arguments outside of configs, where `--config X` is allowed."""
        rest = iter(arguments)
        for argument in rest:
            if argument == "--config":
                name = next(rest, "")
                yield from self.config(name, (name,))
            elif argument.startswith("--config="):
                name = argument.partition("=")[2]
                yield from self.config(name, (name,))
            else:
                yield argument

    def config(self, name: str, chain: tuple[str, ...]) -> Iterator[str]:
        """Return the flags of a config; `chain` has the configs that led to it, itself last."""
        if name not in self._lines:
            raise BadConfig(f"--config={' → '.join(chain)} is not defined for build", name)
        if len(chain) > _DEEPEST:
            raise BadConfig(f"--config={chain[0]} leads through more than {_DEEPEST} others")
        for line in self._lines[name]:
            for argument in line.arguments:
                # Any flag whose name begins so counts as a config here (ConfigExpander.java).
                if argument.startswith("--config"):
                    yield from self._nested(argument, line, chain)
                else:
                    self._count(chain)
                    yield argument

    def _nested(self, argument: str, line: RcLine, chain: tuple[str, ...]) -> Iterator[str]:
        self._count(chain)
        _, equals, name = argument.partition("=")
        # Within a config the next word is no value; on the command line it is (`top`).
        if not equals:
            raise BadConfig(f"{line.where} gives --config no value: it must be --config=NAME there")
        if name in chain:
            raise BadConfig(f"--config={' → '.join((*chain, name))} leads to itself")
        yield from self.config(name, (*chain, name))

    def _count(self, chain: tuple[str, ...]) -> None:
        # Configs count, too: those that hold nothing but others would never come to an end.
        self._left -= 1
        if self._left < 0:
            raise BadConfig(f"--config={chain[0]} stands for more than {_MOST_FLAGS} flags")


def _switches_on(flag: str) -> bool:
    name, equals, value = flag.partition("=")
    return name == _SWITCHES[0] and (not equals or value.lower() in _TRUE)


def values(flags: Sequence[str], name: str) -> tuple[str, ...]:
    """Return the values that a flag is given, as `--name=value` or `--name value`, in order."""
    given: list[str] = []
    for at, flag in enumerate(flags):
        if flag == name:
            given += flags[at + 1 : at + 2]
        elif flag.startswith(f"{name}="):
            given.append(flag.partition("=")[2])
    return tuple(given)


def read(files: TreeFiles, path: str = ".bazelrc") -> BazelRc:
    """Read a tree's run-control file, and those of the tree that it imports.

    Variables (`${HOME}`, which newer Bazels replace) stay as they are written.

    Raises:
        Unread: there is none, it is too large, or Bazel would refuse an import in it.
    """
    reader = _Reader(files)
    reader.read((path,))
    return BazelRc(tuple(reader.lines), tuple(reader.imports))


class _Reader:
    """Reads a run-control file, and each imported one where its import stands."""

    def __init__(self, files: TreeFiles) -> None:
        self.lines: list[RcLine] = []
        self.imports: list[RcImport] = []
        self._files = files

    def read(self, stack: tuple[str, ...]) -> None:
        """Read the file that is last in a chain of imports."""
        for number, (command, *arguments) in _lines(text_of(self._files, stack[-1])):
            where = f"{stack[-1]}:{number}"
            if command not in ("import", "try-import"):
                section, colon, config = command.partition(":")
                of_config = config if colon else None
                self.lines.append(RcLine(section, of_config, tuple(arguments), where))
            elif len(arguments) == 1:
                self._import(arguments[0], command == "try-import", stack, where)
            else:
                raise Unread(f"{where} imports {len(arguments)} files: Bazel takes one")

    def _import(self, path: str, optional: bool, stack: tuple[str, ...], where: str) -> None:
        self.imports.append(RcImport(path, optional, where))
        inside = path.removeprefix(_WORKSPACE)
        is_outside = inside == path or inside.startswith("/") or ".." in inside.split("/")
        # What is not there is no fault here, though Bazel refuses an `import` of it: TensorFlow
        # names .tf_configure.bazelrc, which configure writes, and the user's own .bazelrc.user.
        if not is_outside and self._files(inside) is not None:
            self._check_bounds(inside, stack, where)
            self.read((*stack, inside))

    def _check_bounds(self, path: str, stack: tuple[str, ...], where: str) -> None:
        if path in stack:
            raise Unread(f"{where} imports {path}, which leads to itself")
        if len(stack) > _DEEPEST or len(self.imports) > _MOST_IMPORTS:
            raise Unread(f"{where} is one import too many")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Return the words of each line that has some, and its number in the file.

    A backslash before a line's end joins it with the next one, in a comment and within a word too.
    """
    number = 1
    for line in _LINE_END.split(text):
        # Joined before comments are looked for: a comment may go on in the next line, too.
        words = tokens(_CONTINUATION.sub("", line).strip(_BLANKS))
        if words:
            yield number, words
        number += line.count("\n") + 1


def tokens(line: str) -> list[str]:
    r"""Split a line into words as Bazel does, which is not quite as a shell does.

    `#` begins a comment even within a word; a backslash takes the next character as it is even in
    single quotes; an empty word is dropped; a quote that is not closed ends with the line.
    """
    words: list[str] = []
    word: list[str] = []
    quote = ""
    characters = iter(line)
    for character in characters:
        if character == "\\":
            word.append(next(characters, ""))
        elif quote:
            if character == quote:
                quote = ""
            else:
                word.append(character)
        elif character == "#":
            break
        elif character in "'\"":
            quote = character
        elif character in _SEPARATORS:
            words.append("".join(word))
            word.clear()
        else:
            word.append(character)
    words.append("".join(word))
    return [finished for finished in words if finished]
