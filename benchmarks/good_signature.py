"""Show that a good signature of Sigstore is told from bad ones, offline.

    python -m benchmarks.good_signature pypi_attestations-0.0.30.tar.gz

The source archive of pypi-attestations (`pip download --no-deps --no-binary pypi-attestations
pypi-attestations==0.0.30`) has, for its tests, a file with the provenance that GitHub Actions
signed when it was published. Needs the packages sigstore and pypi-attestations.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib
import json
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.pipeline.releasing.check import ISSUER
from tensorflow_macos_build.release import attestation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.release.attestation import Attestation, SignatureCheck

SIGNED = "pypi_attestations-0.0.19.tar.gz"
IDENTITY = (
    "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml"
    "@refs/tags/v0.0.19"
)


def main() -> None:
    """Print what is said of a good signature and of bad ones; 1 where one is taken for another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    content, attested = _read(parser.parse_args().archive)
    good = _bundle(attested)
    (own,) = attestation.parse(json.dumps(good).encode(), SIGNED)
    is_of_file = own.subjects == {SIGNED: hashlib.sha256(content).hexdigest()}
    print(f"{own.predicate} of {SIGNED}: {'its' if is_of_file else 'another'} SHA-256")
    rows = list(_checks(good))
    for name, expected, seen in rows:
        print(f"{name:20} {'as expected' if seen.holds is expected else 'WRONG':12} {seen.words}")
    sys.exit(0 if is_of_file and all(seen.holds is expected for _, expected, seen in rows) else 1)


def _read(archive: Path) -> tuple[bytes, bytes]:
    """Return the signed file, and its attestation in PyPI's form (PEP 740)."""
    with tarfile.open(archive) as members:
        named = {Path(name).name: name for name in members.getnames()}
        paths = [named[f"{SIGNED}{end}"] for end in ("", ".slsa.attestation")]
        streams = filter(None, map(members.extractfile, paths))
        signed, attested = (stream.read() for stream in streams)
        return signed, attested


def _bundle(attested: bytes) -> dict[str, Any]:
    """Return a bundle of Sigstore, as `actions/attest` writes it."""
    package = importlib.import_module("pypi_attestations")
    text = package.Attestation.model_validate_json(attested).to_bundle().to_json()
    bundle: dict[str, Any] = json.loads(text)
    return bundle


def _checks(good: dict[str, Any]) -> Iterator[tuple[str, bool, SignatureCheck]]:
    """Yield what is looked at, whether it has to hold, and what is said of it."""
    issuer = "https://accounts.example.org"
    yield "the workflow's", True, _signature(good, IDENTITY, ISSUER)
    yield "another workflow's", False, _signature(good, f"{IDENTITY}0", ISSUER)
    yield "another issuer's", False, _signature(good, IDENTITY, issuer)
    for key in ("payload", "signature", "certificate", "log entry"):
        yield f"a changed {key}", False, _signature(_changed(good, key), IDENTITY, ISSUER)


def _signature(bundle: dict[str, Any], identity: str, issuer: str) -> SignatureCheck:
    signed: tuple[Attestation, ...] = attestation.parse(json.dumps(bundle).encode(), SIGNED)
    return attestation.signature(signed[0], identity, issuer, offline=True)


def _changed(good: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a bundle one letter of which is another."""
    bundle: dict[str, Any] = json.loads(json.dumps(good))
    envelope, material = bundle["dsseEnvelope"], bundle["verificationMaterial"]
    match key:
        case "payload":
            statement = base64.b64decode(envelope["payload"]).replace(b"0.0.19", b"0.0.18")
            envelope["payload"] = base64.b64encode(statement).decode()
        case "signature":
            envelope["signatures"][0]["sig"] = _swapped(envelope["signatures"][0]["sig"])
        case "certificate":
            material["certificate"]["rawBytes"] = _swapped(material["certificate"]["rawBytes"])
        case _:
            promise = material["tlogEntries"][0]["inclusionPromise"]
            promise["signedEntryTimestamp"] = _swapped(promise["signedEntryTimestamp"])
    return bundle


def _swapped(text: str) -> str:
    """Return text whose letter in the middle is another of base64's."""
    middle = len(text) // 2
    return text[:middle] + ("B" if text[middle] == "A" else "A") + text[middle + 1 :]


if __name__ == "__main__":
    main()
