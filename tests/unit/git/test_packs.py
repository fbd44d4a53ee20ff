"""Packs as git reads them."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git import packs
from tensorflow_macos_build.git.repository import Git

contents = st.one_of(
    st.binary(max_size=20),
    # sizes around those at which an entry's head grows by a byte: 4, 11 and 18 bits
    st.sampled_from((15, 16, 2047, 2048, 262_143, 262_144)).map(bytes),
)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@given(blobs=st.lists(contents, min_size=1, max_size=30))
@settings(max_examples=8, derandomize=True, deadline=None)
def test_git_verifies_a_pack_and_reads_each_object(algorithm: str, blobs: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        git = Git(Path(scratch) / "r.git")
        git.run("init", "--quiet", "--bare", f"--object-format={algorithm}")
        by_id = {
            hashlib.new(algorithm, b"blob %d\0%s" % (len(blob), blob)).hexdigest(): ("blob", blob)
            for blob in blobs
        }
        packs.write(git.git_dir / "objects" / "pack", by_id, algorithm)
        git.run("fsck", "--full", "--strict")
        (index,) = (git.git_dir / "objects" / "pack").glob("*.idx")
        git.run("verify-pack", index)
        for oid, (_, blob) in by_id.items():
            assert git.out("cat-file", "blob", oid) == blob
