"""What somebody means by a release: a folder, a server's folder, or a tag on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.obtain import address

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "https://github.com/owner/name/releases/tag"


@pytest.mark.parametrize(
    ("shown", "tag"), [("v1", "v1"), ("v2.16.2%2Bmac.1", "v2.16.2+mac.1"), ("v1/", "v1")]
)
def test_a_page_of_github_is_its_repository_and_tag(shown: str, tag: str) -> None:
    meant = address(f"{PAGE}/{shown}", "", "https://api.example", None)
    assert (meant.repository, meant.tag, meant.url) == ("owner/name", tag, "")


@pytest.mark.parametrize("shown", ["..", "%2E%2E", "a%2Fb", "a%20b"])
def test_a_page_whose_tag_is_none_is_refused(shown: str) -> None:
    with pytest.raises(UsageError, match="no tag"):
        address(f"{PAGE}/{shown}", "", "https://api.example", None)


def test_what_is_neither_folder_nor_address_asks_for_a_repository(tmp_path: Path) -> None:
    assert address(str(tmp_path), "", "", None).folder == tmp_path
    assert address("http://host/x/", "", "", None).url == "http://host/x"
    for wrong in (str(tmp_path / "none"), "ftp://host/x"):
        with pytest.raises(UsageError) as raised:
            address(wrong, "", "", None)
        assert raised.value.where == wrong
