import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.upstream import mirror
from tensorflow_macos_build.upstream.patience import redacted, shown


@pytest.mark.parametrize(
    ("url", "as_shown"),
    [
        ("https://anna:secret@example.org:8443/a.git", "https://anna:***@example.org:8443/a.git"),
        ("https://ghp_secret@example.org/a.git", "https://***@example.org/a.git"),
        ("https://ghp_secret:@example.org/a.git", "https://***@example.org/a.git"),
        ("https://example.org/a.git", "https://example.org/a.git"),
        ("ssh://git@example.org/a.git", "ssh://git@example.org/a.git"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        ("/srv/a.git", "/srv/a.git"),
    ],
)
def test_a_password_is_never_shown(url: str, as_shown: str) -> None:
    assert shown(url) == as_shown
    assert "secret" not in redacted(f"cannot access {url}", url)


@pytest.mark.parametrize(
    "source",
    ["ext::sh -c true", "--upload-pack=x", "fd::3", "", "nowhere/at/all", "ftp://example.org/a"],
)
def test_what_is_no_repository_is_refused_before_anything_runs(source: str) -> None:
    with pytest.raises(UsageError, match="neither a folder nor an address"):
        mirror.kind(source)


@pytest.mark.parametrize(
    "source",
    [
        "https://anna:secret@[::1/x",
        "https://anna:secret@host:99999999/x",
        "ssh://host:port/x",
        "file:///a%00b",
    ],
)
def test_an_address_that_cannot_be_read_is_wrong_usage_and_keeps_its_password(source: str) -> None:
    with pytest.raises(UsageError, match="cannot be read") as caught:
        mirror.kind(source)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    ["https://example.org/a.git", "ssh://git@example.org/a", "git@example.org:a/b.git", "host:a/b"],
)
def test_addresses_are_remote(source: str) -> None:
    assert mirror.kind(source) == ("remote", source)


def test_folders_of_upstreams_have_speaking_distinct_safe_names() -> None:
    sources = [
        "https://example.org/tensorflow/tensorflow.git",
        "https://example.org/tensorflow/tensorflow",
        "https://anna:secret@example.org/x/../..",
        "git@example.org:tensorflow/tensorflow.git",
        "/srv/tensorflow",
        "/",
    ]
    names = [mirror._folder_name(source) for source in sources]
    assert len(set(names)) == len(names)
    assert names[0].startswith("tensorflow-tensorflow-")
    assert not any("/" in name or name.startswith((".", "-")) or "secret" in name for name in names)
