from pathlib import Path

import pytest

from tensorflow_macos_build.bazel import CacheFlags, caching
from tensorflow_macos_build.config import Cache
from tensorflow_macos_build.errors import UsageError

ADDRESS = "grpcs://cache.example"


def argv(version: str | None, **values: object) -> tuple[str, ...]:
    cache = Cache.model_validate({"address": ADDRESS, **values})
    return CacheFlags(cache, version, Path("/checkout"), None).argv()


def test_no_cache_is_no_flag() -> None:
    assert CacheFlags(Cache(), None, Path("/"), None).argv() == ()
    assert CacheFlags(Cache(), None, Path("/"), Path("/d")).argv() == ("--disk_cache=/d",)


def test_a_cache_is_never_what_a_build_fails_by() -> None:
    assert argv(None, timeout_s=5) == (
        "--remote_cache=grpcs://cache.example",
        "--remote_upload_local_results",
        "--remote_timeout=5s",
        "--remote_local_fallback",
        "--remote_retries=1",
        "--remote_download_outputs=all",
    )
    assert "--noremote_upload_local_results" in argv(None, upload=False)


@pytest.mark.parametrize(
    ("version", "flag"),
    [
        ("5.0.0", "--experimental_remote_cache_compression"),
        ("7.4.1", "--experimental_remote_cache_compression"),
        ("8.0.0", "--remote_cache_compression"),
    ],
)
def test_compression_is_called_as_the_bazel_knows_it(version: str, flag: str) -> None:
    assert argv(version, compression=True)[-1] == flag


@pytest.mark.parametrize(
    ("version", "helper", "flag"),
    [
        ("5.4.0", "helper", "--experimental_credential_helper=helper"),
        ("6.5.0", "ci/helper", "--experimental_credential_helper=/checkout/ci/helper"),
        ("7.4.1", "/opt/helper", "--credential_helper=/opt/helper"),
    ],
)
def test_a_helper_is_a_program_on_path_or_of_the_project(
    version: str, helper: str, flag: str
) -> None:
    assert argv(version, credential_helper=helper)[-1] == flag


@pytest.mark.parametrize(
    ("version", "key", "value"),
    [
        ("4.2.3", "compression", True),
        (None, "compression", True),
        ("5.3.0", "credential_helper", "helper"),
        (None, "credential_helper", "helper"),
    ],
)
def test_what_a_bazel_lacks_is_refused(version: str | None, key: str, value: object) -> None:
    with pytest.raises(UsageError, match="or newer") as caught:
        argv(version, **{key: value})
    assert caught.value.where == f"cache.{key}"
    assert "netrc" in caught.value.hint


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://h:99999", "http://h:x", "http://h\u2100"]
)
def test_a_server_that_cannot_be_is_silent(address: str) -> None:
    assert caching.silence(address)
