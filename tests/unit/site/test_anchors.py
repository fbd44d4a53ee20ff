from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.site.anchors import address, keyed, slug

NAMES = st.text(max_size=200)


@dataclass(frozen=True)
class _Named:
    name: str


@given(NAMES)
def test_a_slug_is_made_of_what_a_fragment_may_hold(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._+]+(-[A-Za-z0-9._+]+)*", slug(name))


@given(st.lists(NAMES, min_size=1, max_size=4), st.lists(NAMES, min_size=1, max_size=4))
def test_other_names_make_another_address(left: list[str], right: list[str]) -> None:
    assert (address(*left) == address(*right)) == (left == right)


@given(st.lists(st.sampled_from(["a", "a~2", "a-2", "A", "a b", "a-b", "", "-"]), max_size=12))
def test_things_of_one_name_have_addresses_of_their_own(names: list[str]) -> None:
    keys = [key for key, _ in keyed(map(_Named, names))]
    assert len(set(keys)) == len(keys)


def test_names_that_need_no_change_stay_as_they_are() -> None:
    assert slug("v2.21.0") == "v2.21.0"
    assert slug("00100-a.patch") == "00100-a.patch"
    assert slug("GPU:0").startswith("GPU-0-")
