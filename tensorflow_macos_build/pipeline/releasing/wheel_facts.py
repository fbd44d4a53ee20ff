"""What a built wheel says of itself, what verify says of it, and where it comes from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from tensorflow_macos_build import files
from tensorflow_macos_build.pipeline.stages import plugins
from tensorflow_macos_build.release.provenance import BuildOrigin
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.dist_info import metadata
from tensorflow_macos_build.wheels.open_wheel import open_wheel
from tensorflow_macos_build.wheels.verify import Severity, VerifyOptions, verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.pipeline.releasing.built import BuiltRelease
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.wheels.verify import Finding, Verification


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes as hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def verified(workspace: Workspace, release: BuiltRelease) -> Verification:
    """Return what verify says of the wheel, with all plugins of the release beside it."""
    settings = workspace.release.verify
    beside = (*release.plugins, *_fetched(workspace))
    return verify(release.wheel, VerifyOptions(settings.must_export, settings.allow, beside))


def _fetched(workspace: Workspace) -> Iterator[Path]:
    """Yield the wheels of the config's pins that the build fetched, newest results last."""
    pins = plugins.pins(workspace.release, source=False)
    wanted = {digest for pin in pins for digest in pin.sha256}
    for path in sorted(plugins.FETCH.folder(workspace).glob("*/*.whl")) if wanted else ():
        if (digest := files.sha256(path)) in wanted:
            wanted.remove(digest)
            yield path


def versions(workspace: Workspace, release: BuiltRelease) -> dict[str, str]:
    """Return the version that each of them states."""
    return {
        "the file name": str(parse_wheel_filename(release.wheel.name)[1]),
        "METADATA": _stated_version(release.wheel),
        "the config": workspace.release.version or "",
    }


def _stated_version(wheel: Path) -> str:
    """Return the version in METADATA; "" of a wheel that cannot be read, as verify says of it."""
    try:
        with open_wheel(wheel, any_platform=True) as opened:
            return str(metadata.parse_fields(opened.content("METADATA"))["Version"])
    except BrokenWheel:
        return ""


def errors(verification: Verification) -> tuple[str, ...]:
    """Return the errors about the wheel itself, in words."""
    plugin_names = {plugin.wheel.name for plugin in verification.plugins}
    return tuple(
        f"{finding.code.slug} {finding.file}".rstrip()
        for finding in verification.findings
        if finding.severity is Severity.ERROR and _head(finding) not in plugin_names
    )


def plugin_faults(verification: Verification) -> dict[str, str]:
    """Return what is wrong with each plugin beside the wheel; "" for nothing."""
    return {plugin.wheel.name: _fault(plugin.findings) for plugin in verification.plugins}


def _head(finding: Finding) -> str:
    return finding.file.partition(":")[0].partition("/")[0]


def _fault(findings: Sequence[Finding]) -> str:
    heavy = [finding for finding in findings if finding.severity is Severity.ERROR]
    return f"{heavy[0].code.slug}: {heavy[0].message}" if heavy else ""


def finding_rows(verification: Verification) -> list[Json]:
    """Return the findings as rows of a document."""
    return [
        {
            "code": finding.code.slug,
            "severity": finding.severity.value,
            "file": finding.file,
            "slice": finding.slice,
            "message": finding.message,
        }
        for finding in verification.findings
    ]


def smoke_lines(rows: Sequence[Json]) -> Iterator[str]:
    """Yield in a line for each processor what trying the wheel came to."""
    for leg in dict.fromkeys(str(row.get("leg", "")) for row in rows):
        of_leg = [row for row in rows if str(row.get("leg", "")) == leg]
        passed = [str(row.get("name")) for row in of_leg if row.get("outcome") == "passed"]
        reasons = sorted({str(row.get("why")) for row in of_leg if row.get("outcome") == "not_run"})
        words = [f"passed {', '.join(passed)}"] * bool(passed)
        words += [f"not run: {'; '.join(reasons)}"] * bool(reasons)
        yield f"{leg}: {'; '.join(words)}"


def origin(release: BuiltRelease) -> BuildOrigin:
    """Return where the wheels come from, as the build's own documents say."""
    recorded = release.provenance
    return BuildOrigin(
        parameters=recorded["release"],
        upstream=recorded["upstream"],
        queue=recorded["release"].get("queue") or "",
        queue_files=recorded["queue_files"],
        tree=recorded["tree"],
        builder=recorded["builder"],
        tool_commit=recorded.get("tool_commit", ""),
        thin_wheels={row["name"]: row["sha256"] for row in recorded["thin_wheels"]},
        caches=[
            {
                "wheel": row["name"],
                "actions": row["actions"],
                "cache_hits": row["cache_hits"],
                "origins": row.get("caches", []),
            }
            for row in release.report["thin_wheels"]
        ],
    )
