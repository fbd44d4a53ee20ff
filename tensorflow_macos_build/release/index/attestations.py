"""Attestations that lie beside a wheel, as the provenance object that an index serves.

`uv publish` and twine call them `WHEEL.publish.attestation`; a Sigstore bundle as `actions/attest`
leaves it, `WHEEL.sigstore.json`, says the same in other words. Here it is seen that each is about
the wheel's own bytes; signatures are `release.verify`'s business.

Source: PEP 740.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LIMIT = 1 << 20
"""Largest attestation that is read, in bytes; real ones have 10 KB."""

_WHEEL = ".whl"

_STATEMENT = "https://in-toto.io/Statement/v1"


def beside(folder: Path) -> dict[str, list[Path]]:
    """Return the attestations that lie in a folder, by the file name of their wheel.

    The folder is listed once: to look beside each of many wheels would be quadratic.
    """
    attested: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        wheel, mark, rest = path.name.partition(f"{_WHEEL}.")
        if mark and (rest == "sigstore.json" or rest.endswith(".attestation")):
            attested.setdefault(f"{wheel}{_WHEEL}", []).append(path)
    return attested


def provenance_of(
    wheel: str, sha256: str, attested: Sequence[Path], publisher: Mapping[str, str]
) -> bytes:
    """Return the provenance object of a wheel as JSON; b"" where nobody attests it.

    Args:
        wheel: its file name.
        sha256: the digest of its bytes.
        attested: the files of its attestations.
        publisher: who attests.

    Raises:
        UsageError: an attestation is none, is about other bytes, or nobody is named who made it.
    """
    if not attested:
        return b""
    if not publisher.get("kind"):
        raise UsageError(
            "it has attestations, and no publisher is named",
            where=wheel,
            hint="say `publisher: {kind: GitHub, repository: …, workflow: …}` in the settings",
        )
    made = [_attestation(path, wheel, sha256) for path in attested]
    bundle = {"publisher": dict(publisher), "attestations": made}
    return json.dumps({"version": 1, "attestation_bundles": [bundle]}, sort_keys=True).encode()


def _attestation(path: Path, wheel: str, sha256: str) -> dict[str, Any]:
    """Read an attestation, and see that it is about these bytes under this name."""
    try:
        value = json.loads(files.read_small(path, _LIMIT))
        attestation = _of_bundle(value) if "dsseEnvelope" in value else _plain(value)
        statement = _statement(attestation)
        subjects = {subject["name"]: subject["digest"]["sha256"] for subject in statement}
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        raise UsageError(
            "this is no attestation (PEP 740)",
            where=str(path),
            hint="make it again, or take it away from the wheel",
        ) from None
    if subjects.get(wheel) != sha256:
        raise UsageError(
            "it attests other bytes than those of the wheel beside it",
            where=str(path),
            detail=f"{wheel} has the SHA-256 {sha256}",
            hint="a wheel that was changed after it was attested is not published",
        )
    return attestation


def _plain(value: Any) -> dict[str, Any]:
    """Return an attestation with the members that PEP 740 knows, and no others."""
    material, envelope = value["verification_material"], value["envelope"]
    if value["version"] != 1:
        raise ValueError("an unknown version")
    return {
        "version": 1,
        "verification_material": {
            "certificate": material["certificate"],
            "transparency_entries": material["transparency_entries"],
        },
        "envelope": {"statement": envelope["statement"], "signature": envelope["signature"]},
    }


def _of_bundle(value: Any) -> dict[str, Any]:
    """Return a Sigstore bundle as an attestation: the same bytes under other names."""
    material, envelope = value["verificationMaterial"], value["dsseEnvelope"]
    return {
        "version": 1,
        "verification_material": {
            "certificate": material["certificate"]["rawBytes"],
            "transparency_entries": material["tlogEntries"],
        },
        "envelope": {
            "statement": envelope["payload"],
            "signature": envelope["signatures"][0]["sig"],
        },
    }


def _statement(attestation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the subjects of the in-toto statement that an attestation signs."""
    try:
        statement = json.loads(
            base64.b64decode(attestation["envelope"]["statement"], validate=True)
        )
    except binascii.Error:
        raise ValueError("no base64") from None
    if statement["_type"] != _STATEMENT:
        raise ValueError("another kind of statement")
    subjects: list[dict[str, Any]] = statement["subject"]
    return subjects
