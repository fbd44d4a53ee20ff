"""Wheels: what is made of them and seen in them, and calls of the views that show it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.views import (
    contents,
    fuse,
    matrix,
    matrix_picture,
    relocate,
    verify,
    wheelhouse,
)
from tensorflow_macos_build.wheels.contents import FolderContents, WheelContents
from tensorflow_macos_build.wheels.fuse.engine import Fused
from tensorflow_macos_build.wheels.fuse.verdicts import Verdict
from tensorflow_macos_build.wheels.matrix import Cell, Matrix, MatrixWheel
from tensorflow_macos_build.wheels.relocate.engine import Copied, Relocated
from tensorflow_macos_build.wheels.retag import Retagged
from tensorflow_macos_build.wheels.thin.engine import Thinned
from tensorflow_macos_build.wheels.verify import Code, Finding, Verification
from tensorflow_macos_build.wheels.verify.plugin_link import MissingSymbol, PluginLink
from tensorflow_macos_build.wheels.verify.plugins import LinkedPlugin
from tensorflow_macos_build.wheels.verify.symbol_binding import SymbolCounts
from tensorflow_macos_build.wheels.wheelhouse import (
    EntryKind,
    Wheelhouse,
    WheelhouseEntry,
    WheelhouseOptions,
    WheelhouseRequest,
)
from tests.view_samples.identifiers import SHA256

if TYPE_CHECKING:
    from collections.abc import Callable

FUSED = Fused(Path("a.whl"), SHA256, dict.fromkeys(Verdict, ("a",) * 20), ("note",))
THINNED = Thinned(Path("a.whl"), SHA256, 1, 2, ("a",))
RETAGGED = Retagged(Path("a.whl"), SHA256)
RELOCATED = Relocated(Path("a.whl"), SHA256, True, (Copied("/l.dylib", ("arm64",), ("a",)),))
FINDINGS = tuple(Finding(code, "evidence", "a.so", "arm64") for code in Code)
LINKED = PluginLink(
    "tensorflow-plugins/libp.dylib",
    "arm64",
    ("@rpath/lost.so",),
    ("_TF_One",),
    (MissingSymbol("_TF_Two", "", True, ()), MissingSymbol("_x", "@rpath/a", False, ("a.so",))),
    3,
)
VERIFIED = Verification(
    Path("a.whl"), FINDINGS, 3, 2, 4, SymbolCounts(),
    (LinkedPlugin(Path("p.whl"), (LINKED,), ()),),
)  # fmt: skip
PLUGIN = MatrixWheel("plug", "1.0", "arm64", "p.whl", SHA256)
TENSORFLOWS = tuple(
    MatrixWheel(project, version, "arm64", f"{version}.whl", SHA256)
    for project, version in (("tensorflow-macos", "2.9.2"), ("tensorflow", "2.20.0"))
)
NONE = frozenset[str]()
WEIGHED = WheelContents(
    Path("a.whl"),
    9,
    SHA256,
    {"a": FolderContents(2, 9, 3, Counter({"arm64": 4})), "": FolderContents(1)},
)
MATRIX = Matrix(
    (PLUGIN,),
    TENSORFLOWS,
    (
        Cell(PLUGIN, TENSORFLOWS[0], (), frozenset({"_a"}), NONE, frozenset({"_b"}), NONE),
        Cell(PLUGIN, TENSORFLOWS[1], ("@rpath/x",), NONE, frozenset({"_a"}), NONE, NONE),
    ),
    {TENSORFLOWS[0]: frozenset({"_a"}), TENSORFLOWS[1]: NONE},
    ("empty.whl",),
)
WHEELHOUSE = Wheelhouse(
    Path("wheelhouse"),
    Path("wheelhouse/lock.txt"),
    (
        WheelhouseEntry(
            "a", "1", "a.whl", SHA256, 9, EntryKind.FUSED, ("arm64",), ("https://example.org/a",)
        ),
    ),
    ("note",),
)
WANTED = WheelhouseRequest(("a==1",), WheelhouseOptions(Path("build/wheelhouse")))

CALLS: dict[Callable[..., Any], list[tuple[Any, ...]]] = {
    contents.as_document: [(WEIGHED,)],
    contents.as_lines: [(WEIGHED,)],
    fuse.fused_document: [(FUSED,)],
    fuse.fused_lines: [(FUSED,)],
    fuse.thinned_document: [(THINNED,)],
    fuse.thinned_lines: [(THINNED,)],
    fuse.retagged_document: [(RETAGGED,)],
    fuse.retagged_lines: [(RETAGGED,)],
    relocate.as_document: [(RELOCATED,)],
    relocate.as_lines: [(RELOCATED,)],
    matrix.as_document: [(MATRIX,)],
    matrix.as_lines: [(MATRIX,)],
    matrix.as_markdown: [(MATRIX,)],
    matrix.column_head: [(TENSORFLOWS[0],)],
    matrix.in_words: [(MATRIX.cells[0],), (MATRIX.cells[1],)],
    matrix_picture.draw: [(MATRIX,)],
    verify.as_document: [(VERIFIED,)],
    verify.as_lines: [(VERIFIED,), (VERIFIED, FINDINGS[0].code, "its page")],
    wheelhouse.as_document: [(WANTED, WHEELHOUSE)],
    wheelhouse.as_lines: [(WHEELHOUSE,)],
}
