"""Attestations: bundles of Sigstore, in which somebody has signed what a file's SHA-256 is.

Their form, and which files they are of, is read here. Whether the signature holds, and whose it is,
only the package sigstore can say; where it is not installed that is not known, and said so.

Source: https://docs.sigstore.dev/about/bundle/
"""

from __future__ import annotations

import base64
import binascii
import importlib
import json
from dataclasses import dataclass
from typing import Any

from tensorflow_macos_build.release.model import ReleaseBroken

_PAYLOAD = "application/vnd.in-toto+json"
_MOST = 100
"""Bundles in a file; one has as many lines as files were attested."""


@dataclass(frozen=True)
class Attestation:
    """One signed statement.

    Attributes:
        subjects: the SHA-256 of each file by its name, as it was signed.
        predicate: what kind of statement it is.
        bundle: the bundle's text.
    """

    subjects: dict[str, str]
    predicate: str
    bundle: str


@dataclass(frozen=True)
class SignatureCheck:
    """What became of looking at a signature.

    Attributes:
        holds: whether it holds; None: it could not be looked at.
        words: what was seen.
    """

    holds: bool | None
    words: str


def parse(content: bytes, where: str) -> tuple[Attestation, ...]:
    """Return the attestations of a file: one bundle, or one in each line.

    Raises:
        ReleaseBroken: it holds none, or something else.
    """
    try:
        text = content.decode("utf-8")
        whole = text.strip()
        # By LF alone: a string of JSON may hold what else ends a line for `splitlines`, as U+2028.
        lines = [whole] if _is_json(whole) else whole.split("\n")
        if not 0 < len(lines) <= _MOST:
            raise ValueError(f"it has {len(lines)} lines")
        return tuple(map(_attestation, lines))
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise ReleaseBroken(
            f"it is no attestation: {type(error).__name__} {str(error)[:100]}", where=where
        ) from None


def signature(
    attestation: Attestation, identity: str, issuer: str, *, offline: bool = False
) -> SignatureCheck:
    """Return whether the signature holds, and is that of `identity` by `issuer`.

    Args:
        attestation: what is signed.
        identity: who must have signed; for GitHub Actions a workflow's address at a reference.
            "": nobody is named, and then a signature proves nothing.
        issuer: who vouches for the identity.
        offline: take Sigstore's keys as the package has them, and fetch none.
    """
    if not identity:
        return SignatureCheck(None, "--identity does not say who must have signed it")
    try:
        errors = importlib.import_module("sigstore.errors")
        models = importlib.import_module("sigstore.models")
        verify = importlib.import_module("sigstore.verify")
    except ImportError:
        return SignatureCheck(None, "the package sigstore is not installed: pip install sigstore")
    try:
        verifier = verify.Verifier.production(offline=offline)
    except (errors.Error, OSError) as error:
        # It fetches Sigstore's keys: without a network nothing is known against the signature.
        return SignatureCheck(None, f"Sigstore's keys cannot be had: {_shown(error)}")
    try:
        bundle = models.Bundle.from_json(attestation.bundle)
        verifier.verify_dsse(bundle, verify.policy.Identity(identity=identity, issuer=issuer))
    # A hostile bundle gets to parsers of other packages, whose errors sigstore does not wrap.
    except Exception as error:
        return SignatureCheck(False, _shown(error))
    return SignatureCheck(True, f"signed by {identity}")


def _shown(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _attestation(text: str) -> Attestation:
    bundle: dict[str, Any] = json.loads(text)
    envelope = bundle["dsseEnvelope"]
    if envelope["payloadType"] != _PAYLOAD or not envelope["signatures"]:
        raise ValueError("its payload is of another kind, or not signed")
    statement = json.loads(base64.b64decode(envelope["payload"], validate=True))
    subjects = {str(row["name"]): str(row["digest"]["sha256"]) for row in statement["subject"]}
    return Attestation(subjects, str(statement["predicateType"]), text)
