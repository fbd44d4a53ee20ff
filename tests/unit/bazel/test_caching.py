from pathlib import Path

import pytest

from tensorflow_macos_build.bazel import CacheFlags
from tensorflow_macos_build.config import Cache, Remote
from tensorflow_macos_build.errors import UsageError

ADDRESS = "grpcs://cache.example"
FARM = "grpcs://farm.example"


def flags_of(
    cache: Cache, remote: Remote | None = None, version: str | None = None, disk: Path | None = None
) -> CacheFlags:
    return CacheFlags(cache, remote or Remote(), version, Path("/checkout"), disk, "0123")


def argv(version: str | None, **values: object) -> tuple[str, ...]:
    cache = Cache.model_validate({"address": ADDRESS, **values})
    return flags_of(cache, version=version).argv()


def test_no_cache_is_no_flag() -> None:
    assert flags_of(Cache()).argv() == flags_of(Cache()).local() == ()


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


def test_compilers_are_part_of_the_key_in_every_cache() -> None:
    silo = "--remote_default_exec_properties=cache-silo-key=0123"
    assert flags_of(Cache(address=ADDRESS)).local() == (silo,)
    assert flags_of(Cache(), disk=Path("/d")).local() == (silo, "--disk_cache=/d")


def test_a_farm_is_told_what_its_workers_must_be_and_nothing_of_this_machine() -> None:
    remote = Remote(address=FARM, instance="main", platform={"OSFamily": "linux", "image": "a=b"})
    flags = flags_of(Cache(), remote)
    assert flags.local() == (
        "--remote_default_exec_properties=OSFamily=linux",
        "--remote_default_exec_properties=image=a=b",
    )
    assert flags.argv() == (
        "--remote_executor=grpcs://farm.example",
        "--spawn_strategy=remote,worker,sandboxed,local",
        "--remote_instance_name=main",
        "--noremote_upload_local_results",
        "--remote_timeout=3600s",
        "--remote_local_fallback",
        "--remote_retries=1",
        "--remote_download_outputs=all",
    )


def test_a_farm_may_have_its_cache_elsewhere() -> None:
    flags = flags_of(Cache(address=ADDRESS), Remote(address=FARM)).argv()
    assert {"--remote_executor=grpcs://farm.example", f"--remote_cache={ADDRESS}"} < {*flags}


def test_what_bazel_does_not_take_beside_a_farm_is_refused() -> None:
    remote = Remote(address=FARM, instance="a")
    for cache, key in (
        (Cache(address="http://cache.example"), "cache.address"),
        (Cache(address=ADDRESS, instance="b"), "cache.instance"),
    ):
        with pytest.raises(UsageError) as caught:
            flags_of(cache, remote).argv()
        assert caught.value.where == key
    with pytest.raises(UsageError, match=r"Bazel 4\.2\.3 takes no disk cache"):
        flags_of(Cache(), remote, "4.2.3", Path("/d")).argv()
    assert flags_of(Cache(), remote, "6.5.0", Path("/d")).argv()


def test_headers_go_to_whom_they_are_for() -> None:
    cache = Cache(address=ADDRESS, headers={"x-key": "CACHE_KEY"})
    remote = Remote(address=FARM, headers={"x-key": "FARM_KEY"})

    def shown(cache: Cache, remote: Remote) -> list[tuple[str, str]]:
        headers = flags_of(cache, remote).headers(Path("/rc"))
        return [(header.flag, header.variable) for header in headers.headers] if headers else []

    both = [("remote_cache_header", "CACHE_KEY"), ("remote_exec_header", "FARM_KEY")]
    assert shown(cache, remote) == both
    # A farm without another cache has one of its own, which asks for the same.
    assert shown(Cache(), remote) == [("remote_header", "FARM_KEY")]
    # So does an HTTP cache, which Bazel 4.2.3 sends no others.
    assert shown(cache, Remote()) == [("remote_header", "CACHE_KEY")]
    assert shown(Cache(headers={"x-key": "UNUSED"}), Remote()) == []


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
