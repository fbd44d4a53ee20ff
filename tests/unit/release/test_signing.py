"""Signatures of S3: the example of Amazon's own reference, and what a signer keeps to itself."""

from __future__ import annotations

import calendar

import requests

from tensorflow_macos_build.release.publishing.secrets import Secret
from tensorflow_macos_build.release.publishing.signing import EMPTY, S3Signer

# "Examples: Signature Calculations", GET Object (Amazon S3 API Reference).
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SIGNATURE = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
SERVER = "examplebucket.s3.amazonaws.com"


def signer(server: str) -> S3Signer:
    moment = float(calendar.timegm((2013, 5, 24, 0, 0, 0)))
    secret = Secret(SECRET, "a test")
    return S3Signer("AKIAIOSFODNN7EXAMPLE", secret, None, "us-east-1", server, lambda: moment)


def asked(server: str) -> requests.PreparedRequest:
    headers = {"Range": "bytes=0-9", "x-amz-content-sha256": EMPTY}
    url = f"https://{SERVER}/test.txt"
    return requests.Request("GET", url, headers=headers, auth=signer(server)).prepare()


def test_the_reference_s_own_example_is_signed_as_it_says() -> None:
    authorization = asked(SERVER).headers["Authorization"]
    assert authorization.endswith(
        f"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature={SIGNATURE}"
    )
    assert SECRET not in authorization + repr(signer(SERVER))


def test_a_request_to_another_server_is_not_signed() -> None:
    assert "Authorization" not in asked("other.example").headers
