"""What a Python file gives its names, worked out without running it.

setup.py and its kin are mostly constants, with conditions on the machine and on the command line
between them. They are followed here as on a Mac, with no arguments and an empty environment; a
value that depends on anything else is unknown, and so is all that is made from it. Starlark
(BUILD, .bzl) is a subset of Python's grammar and is read likewise.
"""

from __future__ import annotations

import ast
import operator
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.upstream.tensorflow_tree.fact import Unread, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tensorflow_macos_build.upstream.tensorflow_tree.fact import TreeFiles

_MACHINE: dict[str, object] = {
    "__name__": "__main__",
    "sys.byteorder": "little",  # of both kinds of Mac
    "sys.platform": "darwin",
    "os.name": "posix",
    # Where setup.py looks for the project's name and for a collaborator's build: among its
    # arguments in 2.13 and 2.14, in the environment since 2.19 at the latest.
    "sys.argv": (),
    "os.environ": (),
}
_CALLS: dict[str, object] = {"platform.system": "Darwin"}

# setup.py of 2.6, 2.21 and 2.22 takes 120 to 257 steps.
_MOST_STEPS = 50_000
_LARGEST = 1 << 16
"""Characters or items of one value: `x = x + x` in a file of 40 lines would fill the memory."""
_DEEPEST = 30
"""Calls of the file's functions within each other."""

_COMPARISONS: dict[type[ast.cmpop], Callable[[object, object], object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, container: item in container,  # type: ignore[operator]
    ast.NotIn: lambda item, container: item not in container,  # type: ignore[operator]
}


@dataclass(frozen=True)
class UnknownValue:
    """What an expression gives that cannot be worked out; `line` is where it stands."""

    line: int


@dataclass(frozen=True)
class KnownCall:
    """A call at the top of a file: its keywords' values, and the line of each."""

    arguments: Mapping[str, object]
    lines: Mapping[str, int]


def parse(files: TreeFiles, path: str) -> ast.Module:
    """Return a file's syntax tree.

    Raises:
        Unread: there is no such file, it is too large, or it is no Python.
    """
    text = text_of(files, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file's style, such as "\\d" in a plain string
            return ast.parse(text)
    except SyntaxError as error:
        raise Unread(f"{path}:{error.lineno} is no Python") from None
    except (ValueError, RecursionError, MemoryError):  # NUL; the parser's stack is used up
        raise Unread(f"{path} cannot be read as Python") from None


class Script:
    """A Python file, followed from its top to its end.

    Args:
        tree: its syntax tree.
        placeholders: lines on which a name gets a value that the build replaces: it is unknown.

    Attributes:
        names: the values of its names at its end.
        calls: its calls of functions that it does not define, the last of each name.
    """

    def __init__(self, tree: ast.Module, placeholders: Iterable[int] = ()) -> None:
        self.names: dict[str, object] = {}
        self.calls: dict[str, KnownCall] = {}
        self._placeholders = frozenset(placeholders)
        self._values = _Evaluator(self.names)
        try:
            self._run(tree.body)
        except RecursionError:  # nested deeper than this can follow: nothing is known
            self.names.clear()
            self.calls.clear()

    def _run(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.names[name] = self._assigned(statement, value)
                case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                    self._add(name, self._values.visit(value), value)
                case ast.FunctionDef(name=name):
                    self._values.functions[name] = statement
                case ast.If():
                    self._branch(statement)
                case ast.Expr(value=ast.Call() as call):
                    self._call(call)
                case ast.Import() | ast.ClassDef():
                    pass  # neither runs anything that changes a value here
                case _:
                    self._forget(statement)

    def _assigned(self, statement: ast.stmt, value: ast.expr) -> object:
        if statement.lineno in self._placeholders:
            return UnknownValue(statement.lineno)
        return self._values.visit(value)

    def _branch(self, statement: ast.If) -> None:
        test = self._values.visit(statement.test)
        if isinstance(test, UnknownValue):
            self._forget(statement)
        else:
            self._run(statement.body if test else statement.orelse)

    def _forget(self, statement: ast.AST) -> None:
        """Make unknown what a statement may bind or change."""
        for node in ast.walk(statement):
            match node:
                # Those that are only read, too: `for i, p in enumerate(REQUIRED_PACKAGES)` (2.6)
                # puts other items into a list that it does not assign.
                case ast.Name(id=name):
                    self._forget_value(self.names.get(name), node)
                    self.names[name] = UnknownValue(node.lineno)
                case ast.FunctionDef(name=name):
                    self._values.functions.pop(name, None)

    def _forget_value(self, value: object, node: ast.expr) -> None:
        """Make a list unknown under all its names: a change by one shows under the others."""
        if isinstance(value, list):
            # The names first, in a list: the loop changes what they are taken from.
            for name in [name for name, other in self.names.items() if other is value]:
                self.names[name] = UnknownValue(node.lineno)

    def _call(self, call: ast.Call) -> None:
        match call:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend" as verb),
                args=[argument],
            ):
                more = self._values.visit(argument)
                self._add(name, [more] if verb == "append" else more, argument)
            case ast.Call(func=ast.Name(id=name)) if name not in self._values.functions:
                self._remember(name, call)
            case _:
                self._forget(call)

    def _add(self, name: str, more: object, node: ast.expr) -> None:
        """Do `name += more`, which changes a list in place, under all its names."""
        value = self.names.get(name)
        total = _sum(value, more, node)
        if isinstance(value, list) and isinstance(total, list):
            value[:] = total
        else:
            self._forget_value(value, node)
            self.names[name] = total

    def _remember(self, name: str, call: ast.Call) -> None:
        given = [(word.arg, word.value) for word in call.keywords if word.arg is not None]
        values = {word: self._values.visit(value) for word, value in given}
        self.calls[name] = KnownCall(values, {word: value.lineno for word, value in given})
        for node in ast.walk(call):  # what is not known of may change the lists that it gets
            if isinstance(node, ast.Name):
                self._forget_value(self.names.get(node.id), node)


class _Evaluator(ast.NodeVisitor):
    """Works out expressions; what it does not know the kind of is unknown.

    Attributes:
        functions: the file's functions so far, by name.
    """

    def __init__(self, names: dict[str, object]) -> None:
        self.functions: dict[str, ast.FunctionDef] = {}
        self._names = names
        self._steps = 0
        self._depth = 0

    def visit(self, node: ast.AST) -> object:
        """Return an expression's value."""
        # Counted over the whole file: comprehensions over each other multiply, however short.
        self._steps += 1
        return self.generic_visit(node) if self._steps > _MOST_STEPS else super().visit(node)

    def generic_visit(self, node: ast.AST) -> UnknownValue:
        return UnknownValue(getattr(node, "lineno", 0))

    def visit_Constant(self, node: ast.Constant) -> object:
        return node.value

    def visit_List(self, node: ast.List | ast.Tuple) -> object:
        return _bounded([self.visit(item) for item in node.elts], node)

    visit_Tuple = visit_List  # a tuple's items are all that is asked for, too

    def visit_Name(self, node: ast.Name) -> object:
        return self._names.get(node.id, _MACHINE.get(node.id, self.generic_visit(node)))

    def visit_Attribute(self, node: ast.Attribute) -> object:
        return _MACHINE.get(_dotted(node), self.generic_visit(node))

    def visit_BinOp(self, node: ast.BinOp) -> object:
        # setup.py needs no other, and `*` and `%` make a value of any size out of small ones.
        if not isinstance(node.op, ast.Add):
            return self.generic_visit(node)
        return _sum(self.visit(node.left), self.visit(node.right), node)

    def visit_IfExp(self, node: ast.IfExp) -> object:
        test = self.visit(node.test)
        if isinstance(test, UnknownValue):
            return test
        return self.visit(node.body if test else node.orelse)

    def visit_Compare(self, node: ast.Compare) -> object:
        if len(node.ops) > 1:  # a < b < c
            return self.generic_visit(node)
        left, right = self.visit(node.left), self.visit(node.comparators[0])
        return _compared(left, node.ops[0], right, node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> object:
        value = self.visit(node.operand)
        if isinstance(value, UnknownValue) or not isinstance(node.op, ast.Not):
            return self.generic_visit(node)
        return not value

    def visit_BoolOp(self, node: ast.BoolOp) -> object:
        value: object = None
        # The operand that decides is the value (Python's reference, "Boolean operations"): `a or b`
        # is no truth value.
        for operand in node.values:
            value = self.visit(operand)
            if isinstance(value, UnknownValue) or bool(value) == isinstance(node.op, ast.Or):
                break
        return value

    def visit_Call(self, node: ast.Call) -> object:
        name = _dotted(node.func)
        # The environment is empty here, so a variable's default is its value.
        if name in ("os.environ.get", "os.getenv") and node.args:
            return self.visit(node.args[1]) if len(node.args) == 2 else None
        if name in self.functions and not node.keywords:
            return self._of_function(self.functions[name], node)
        return _CALLS.get(name, self.generic_visit(node))

    def visit_ListComp(self, node: ast.ListComp) -> object:
        # One `for` is enough: `[p for p in REQUIRED_PACKAGES if p is not None]` (2.13 and later).
        match node.generators:
            case [ast.comprehension(target=ast.Name(id=name), iter=iterated, ifs=tests)]:
                items = self.visit(iterated)
                if isinstance(items, list):
                    return [
                        self._within({name: item}, node.elt)
                        for item in items
                        if all(self._may_be(test, {name: item}) for test in tests)
                    ]
        return self.generic_visit(node)

    def _may_be(self, test: ast.expr, local: Mapping[str, object]) -> bool:
        """Whether a test holds, or may: an unknown item stays, for what it is is unknown."""
        value = self._within(local, test)
        return isinstance(value, UnknownValue) or bool(value)

    def _of_function(self, function: ast.FunctionDef, call: ast.Call) -> object:
        """Return what a function of the file gives, when all of it is a `return`."""
        # Such as standard_or_nightly of setup.py (2.13 and later).
        match function.body:
            case [ast.Return(value=ast.expr() as result)]:
                pass
            case [ast.Expr(value=ast.Constant()), ast.Return(value=ast.expr() as result)]:
                pass
            case _:
                return self.generic_visit(call)
        parameters = [parameter.arg for parameter in function.args.args]
        if len(parameters) != len(call.args) or self._depth >= _DEEPEST:
            return self.generic_visit(call)
        values = [self.visit(argument) for argument in call.args]
        return self._within(dict(zip(parameters, values, strict=True)), result)

    def _within(self, local: Mapping[str, object], result: ast.expr) -> object:
        """Return an expression's value where some names have values of their own."""
        outside = self._names
        self._names, self._depth = {**outside, **local}, self._depth + 1
        try:
            return self.visit(result)
        finally:
            self._names, self._depth = outside, self._depth - 1


def _dotted(node: ast.expr) -> str:
    """Return `a.b.c` for the expression that says so; "" for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""


def _bounded(value: str | list[object], node: ast.expr) -> object:
    return value if len(value) <= _LARGEST else UnknownValue(node.lineno)


def _sum(left: object, right: object, node: ast.expr) -> object:
    if isinstance(left, str) and isinstance(right, str):
        return _bounded(left + right, node)
    if isinstance(left, list) and isinstance(right, list):
        return _bounded(left + right, node)
    return UnknownValue(node.lineno)


def _compared(left: object, op: ast.cmpop, right: object, node: ast.expr) -> object:
    """Compare two values; one that may not be what it is at run time is not compared."""
    if isinstance(left, UnknownValue) or isinstance(right, UnknownValue):
        return UnknownValue(node.lineno)
    comparison = _COMPARISONS.get(type(op))
    try:
        return comparison(left, right) if comparison else UnknownValue(node.lineno)
    except TypeError:
        return UnknownValue(node.lineno)


def calls_with_names(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Return the rule, the name and the line of each target that a BUILD file's top spells out."""
    for statement in tree.body:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Name(id=rule), keywords=keywords)):
                for word in keywords:
                    if word.arg == "name" and isinstance(word.value, ast.Constant):
                        yield rule, str(word.value.value), statement.lineno
