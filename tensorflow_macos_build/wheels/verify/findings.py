"""What a verification says: findings with stable codes and severities."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from importlib import resources

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.macho.fat_faults import LayoutFaultKind


class Severity(Enum):
    """How much a finding weighs; only errors make a verification fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the heaviest."""
        return list(Severity).index(self)


class Code(Enum):
    """Every finding that there is: its stable name, and its severity.

    `pages/<name>.md` explains each: what it means, why it matters, what to do, the source.
    """

    # The names stand in configs, in scripts and in documents of old builds: none is changed.

    ARCHIVE_BROKEN = ("archive-broken", Severity.ERROR)
    MEMBER_BROKEN = ("member-broken", Severity.ERROR)

    FILENAME = ("filename", Severity.ERROR)
    DIST_INFO = ("dist-info", Severity.ERROR)
    DATA_FOLDER = ("data-folder", Severity.ERROR)
    METADATA_MISMATCH = ("metadata-mismatch", Severity.ERROR)
    ENTRY_POINTS = ("entry-points", Severity.ERROR)
    WHEEL_TAGS = ("wheel-tags", Severity.ERROR)
    WHEEL_BUILD = ("wheel-build", Severity.NOTE)
    WHEEL_FILE = ("wheel-file", Severity.ERROR)
    RECORD_MALFORMED = ("record-malformed", Severity.ERROR)
    RECORD_MISSING = ("record-missing", Severity.ERROR)
    RECORD_STRAY = ("record-stray", Severity.ERROR)
    RECORD_HASH = ("record-hash", Severity.ERROR)
    RECORD_SIZE = ("record-size", Severity.ERROR)
    RECORD_SELF = ("record-self", Severity.ERROR)
    RECORD_ORDER = ("record-order", Severity.NOTE)

    MACHO_MALFORMED = ("macho-malformed", Severity.ERROR)
    FAT_EMPTY = ("fat-empty", Severity.ERROR)
    FAT_DUPLICATE = ("fat-duplicate", Severity.ERROR)
    FAT_OVERLAP = ("fat-overlap", Severity.ERROR)
    FAT_ORDER = ("fat-order", Severity.NOTE)
    FAT_ALIGNMENT = ("fat-alignment", Severity.ERROR)
    FAT_ALIGN_VALUE = ("fat-align-value", Severity.NOTE)
    FAT_GAP_WIDE = ("fat-gap-wide", Severity.WARNING)
    FAT_GAP_DIRTY = ("fat-gap-dirty", Severity.ERROR)
    FAT_TAIL = ("fat-tail", Severity.ERROR)
    FAT_CPUTYPE = ("fat-cputype", Severity.ERROR)

    SLICE_MISSING = ("slice-missing", Severity.ERROR)
    SLICE_ONE_SIDED = ("slice-one-sided", Severity.WARNING)
    SLICE_EXTRA = ("slice-extra", Severity.NOTE)
    BINARY_IN_PURE = ("binary-in-pure", Severity.WARNING)
    FILETYPE_DIFFERS = ("filetype-differs", Severity.ERROR)
    INSTALL_NAME_DIFFERS = ("install-name-differs", Severity.ERROR)
    INSTALL_NAME_MISSING = ("install-name-missing", Severity.ERROR)
    LOAD_COMMANDS = ("load-commands", Severity.ERROR)
    UUID_MISSING = ("uuid-missing", Severity.ERROR)
    SEGMENT_LAYOUT = ("segment-layout", Severity.ERROR)
    SEGMENT_PERMISSIONS = ("segment-permissions", Severity.ERROR)
    OBJECT_ARCH = ("object-arch", Severity.ERROR)

    PLATFORM = ("platform", Severity.ERROR)
    PLATFORM_TAG = ("platform-tag", Severity.ERROR)
    MINOS_MISSING = ("minos-missing", Severity.NOTE)
    MINOS_ABOVE_TAG = ("minos-above-tag", Severity.ERROR)
    MINOS_MINOR = ("minos-minor", Severity.WARNING)

    UNSIGNED = ("unsigned", Severity.ERROR)
    SIGNATURE_MALFORMED = ("signature-malformed", Severity.ERROR)
    SIGNATURE_PAGES = ("signature-pages", Severity.ERROR)
    SIGNATURE_SLOTS = ("signature-slots", Severity.ERROR)
    SIGNATURE_LIMIT = ("signature-limit", Severity.ERROR)
    SIGNATURE_NOT_LAST = ("signature-not-last", Severity.ERROR)
    LINKEDIT_ALIGNMENT = ("linkedit-alignment", Severity.ERROR)
    STRING_POOL_ALIGNMENT = ("string-pool-alignment", Severity.WARNING)
    LINKEDIT_LAYOUT = ("linkedit-layout", Severity.ERROR)

    RPATH_DEAD = ("rpath-dead", Severity.NOTE)
    RPATH_ABSOLUTE = ("rpath-absolute", Severity.WARNING)
    RPATH_INHERITED = ("rpath-inherited", Severity.NOTE)
    RPATH_DUPLICATE = ("rpath-duplicate", Severity.ERROR)
    RPATH_MISSES = ("rpath-misses", Severity.WARNING)
    LIBRARY_ABSOLUTE = ("library-absolute", Severity.ERROR)
    LIBRARY_MISSING = ("library-missing", Severity.ERROR)
    LIBRARY_ELSEWHERE = ("library-elsewhere", Severity.WARNING)
    LIBRARY_WEAK_MISSING = ("library-weak-missing", Severity.NOTE)
    LIBRARY_FALLBACK = ("library-fallback", Severity.WARNING)
    LIBRARY_DUPLICATE = ("library-duplicate", Severity.ERROR)
    LIBRARY_NONE = ("library-none", Severity.ERROR)
    LIBRARY_TYPE = ("library-type", Severity.ERROR)
    LIBRARY_SLICE = ("library-slice", Severity.ERROR)
    SYMBOL_MISSING = ("symbol-missing", Severity.ERROR)
    SYMBOL_WEAK_MISSING = ("symbol-weak-missing", Severity.NOTE)
    MUST_EXPORT = ("must-export", Severity.ERROR)

    PLUGIN_NONE = ("plugin-none", Severity.ERROR)
    PLUGIN_ARCHITECTURE = ("plugin-architecture", Severity.ERROR)
    PLUGIN_REQUIRES = ("plugin-requires", Severity.ERROR)
    PLUGIN_CLASH = ("plugin-clash", Severity.ERROR)
    PLUGIN_LIBRARY = ("plugin-library", Severity.ERROR)
    PLUGIN_SYMBOL = ("plugin-symbol", Severity.ERROR)
    PLUGIN_SYMBOL_WEAK = ("plugin-symbol-weak", Severity.WARNING)

    @property
    def slug(self) -> str:
        """The stable name that documents, `allow` and `--explain` use."""
        return self.value[0]

    @property
    def severity(self) -> Severity:
        """How much it weighs at most."""
        return self.value[1]

    @classmethod
    def named(cls, slug: str) -> Code:
        """Return the code of a stable name.

        Raises:
            UsageError: there is none of that name.
        """
        for code in cls:
            if code.slug == slug:
                return code
        known = ", ".join(sorted(code.slug for code in cls))
        raise UsageError(f"no finding is called `{slug}`", hint=f"the codes are: {known}")

    def explanation(self) -> str:
        """Return its page, as Markdown."""
        pages = resources.files("tensorflow_macos_build.wheels.verify") / "pages"
        return (pages / f"{self.slug}.md").read_text(encoding="utf-8")


OF_LAYOUT = {
    LayoutFaultKind.EMPTY: Code.FAT_EMPTY,
    LayoutFaultKind.TWICE: Code.FAT_DUPLICATE,
    LayoutFaultKind.OVERLAP: Code.FAT_OVERLAP,
    LayoutFaultKind.ORDER: Code.FAT_ORDER,
    LayoutFaultKind.ALIGNMENT: Code.FAT_ALIGNMENT,
    LayoutFaultKind.ALIGN_VALUE: Code.FAT_ALIGN_VALUE,
    LayoutFaultKind.WIDE_GAP: Code.FAT_GAP_WIDE,
    LayoutFaultKind.DIRTY_GAP: Code.FAT_GAP_DIRTY,
    LayoutFaultKind.TAIL: Code.FAT_TAIL,
}
"""The finding that each fault of a universal file's layout is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        code: what it is.
        message: the evidence.
        file: the member of the wheel; empty for the wheel itself, and while nobody has said it.
        slice: the architecture, or several that are alike, joined by commas; empty when it
            concerns the whole file.
        weight: its severity, where that is less than the code's own.
        accepted: whether the options accept it, which makes it a note.
    """

    code: Code
    message: str
    file: str = ""
    slice: str = ""
    weight: Severity | None = None
    accepted: bool = False

    @property
    def severity(self) -> Severity:
        """The code's severity, or a lesser one here; a note when the options accept it."""
        return Severity.NOTE if self.accepted else self.weight or self.code.severity

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        """The place in a report: heaviest first, then by code, file and slice."""
        return self.severity.rank, self.code.slug, self.file, self.slice, self.message
