"""Files of attestations: one bundle, or one in each line."""

from __future__ import annotations

import base64
import json

import pytest

from tensorflow_macos_build.release import attestation
from tensorflow_macos_build.release.model import ReleaseBroken


def bundle(name: str, **more: object) -> str:
    statement = {"subject": [{"name": name, "digest": {"sha256": "0" * 64}}], "predicateType": "x"}
    envelope = {
        "payload": base64.b64encode(json.dumps(statement).encode()).decode(),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": "AAAA"}],
    }
    return json.dumps({"dsseEnvelope": envelope, **more}, ensure_ascii=False)


def test_bundles_are_told_apart_by_line_feeds_alone() -> None:
    text = "\n".join(bundle(name, note="a\u2028b\x85c") for name in ("a.whl", "b.whl"))
    parsed = attestation.parse(f"{text}\n".encode(), "x")
    assert [list(each.subjects) for each in parsed] == [["a.whl"], ["b.whl"]]


def test_one_bundle_may_have_many_lines() -> None:
    text = json.dumps(json.loads(bundle("a.whl")), indent=2)
    assert len(attestation.parse(text.encode(), "x")) == 1


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]", b"\xff", b"{}", b"[" * 100_000])
def test_what_is_no_bundle_is_refused_with_its_place(content: bytes) -> None:
    with pytest.raises(ReleaseBroken) as raised:
        attestation.parse(content, "wheel.sigstore.json")
    assert raised.value.where == "wheel.sigstore.json"
