"""Whether a line defines a word: a function, class, macro, constant, variable or field.

Read without a compiler, over all languages alike. A name that the tree never defined (of a library,
of the standard) is not upstream's to take away.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEYWORDS = (
    rb"class|struct|union|enum|namespace|concept|interface|trait|def|fn|func|message|service|rpc"
    rb"|typedef|type"
)
_BY_KEYWORD = re.compile(
    # attributes and macros may stand between: `class TF_EXPORT [[nodiscard]] Name`
    rb"\b(?:" + _KEYWORDS + rb")\s+(?:class\s+)?(?:[A-Z][A-Z0-9_]+(?:\([^)]*\))?\s+"
    rb"|\[\[[^\]]*\]\]\s*)?([A-Za-z_]\w*)"
)
_TYPEDEF = re.compile(rb"\btypedef\b.*?([A-Za-z_]\w*)\s*;")
_MACRO = re.compile(rb"^\s*#\s*define\s+([A-Za-z_]\w*)")
_ALIAS = re.compile(rb"\b(?:using|auto|let|var|const)\s+([A-Za-z_]\w*)\s*=")
# a binding of its own line; `f(word=1)` has no blanks around its sign by PEP 8 and is a use
_BINDING = re.compile(rb"^\s*(?:self\.)?([A-Za-z_]\w*)\s*(?::[^=]+)?\s?=(?!=)\s?(?!.*,\s*$)")
_ENUMERATOR = re.compile(rb"^\s*(k[A-Z]\w*|[A-Z][A-Z0-9_]{2,})\s*(?:=\s*[\w<() |+-]+)?,?\s*$")
_PROTO_FIELD = re.compile(rb"([A-Za-z_]\w*)\s*=\s*\d+\s*[;\[]")
_RULE_NAME = re.compile(rb"""\bname\s*=\s*["']([A-Za-z_]\w*)["']""")
_FLAG = re.compile(rb"\b(?:DEFINE|ABSL_FLAG|TF_DEFINE)\w*\(\s*(?:[\w:]+\s*,\s*)?([A-Za-z_]\w*)\s*,")
# `Type name(`, `Type* name;`, `Type<X>& name =`: two words side by side are a declaration in C
_DECLARATION = re.compile(
    rb"([A-Za-z_]\w*|[>\]])\s*(?:[*&]+\s*|\s)(?:(?:[A-Za-z_]\w*(?:<[^<>]*>)?::)*)([A-Za-z_]\w*)"
    rb"\s*(?:[({;=,\[)]|:(?!:)|$|final\b)"
)
# `namespace half_impl = Eigen::half_impl;`: the name is the library's, and stays where this goes
_NAMESPACE_OF_LIBRARY = re.compile(rb"\bnamespace\s+(\w+)\s*=\s*(?:\w*::)+\1\s*;")
_NO_TYPES = frozenset(
    b"return new delete throw case goto else public private protected friend if in not and or is"
    b" import from yield await lambda assert raise co_return co_await operator using sizeof class"
    b" struct typename while for switch do as with except elif print del global nonlocal pass"
    b" default define ifdef ifndef undef include pragma elif defined".split()
)
_CAPITALS = re.compile(rb"[A-Z0-9_]+")

_SURE = (_BY_KEYWORD, _TYPEDEF, _MACRO, _ALIAS, _BINDING, _PROTO_FIELD, _RULE_NAME, _FLAG)


def words_in(lines: Iterable[bytes], *, enumerators: bool = False) -> set[bytes]:
    """Return the words that lines define.

    With `enumerators`, also the words that stand alone on a line, as in the body of an enumeration;
    in a patch of a few lines that may as well be an argument.
    """
    patterns = (*_SURE, _ENUMERATOR) if enumerators else _SURE
    defined: set[bytes] = set()
    for line in lines:
        if _NAMESPACE_OF_LIBRARY.search(line):
            continue
        for pattern in patterns:
            defined.update(pattern.findall(line))
        defined.update(_declared(line))
    return defined


def _declared(line: bytes) -> Iterable[bytes]:
    for match in _DECLARATION.finditer(line):
        before, word = match.groups()
        # `int x GUARDED_BY(mu)`: a macro behind a name looks like a function behind its type
        if before not in _NO_TYPES and not _CAPITALS.fullmatch(word):
            yield word
