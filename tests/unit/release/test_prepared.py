"""A prepared folder whose documents lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import files
from tensorflow_macos_build.release import checksums, model, prepared
from tests.release_runs import make

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("true", "false"), [('"size": 5,', '"size": 6,'), (f'"{"0" * 40}"', f'"{"0" * 39}"')]
)
def test_a_manifest_that_says_what_is_not_so_is_refused(
    tmp_path: Path, true: str, false: str
) -> None:
    folder = tmp_path / "release"
    make(folder, {"x.whl": b"12345"})
    text = (folder / model.MANIFEST).read_text()
    assert text.count(true) == 1
    (folder / model.MANIFEST).write_text(text.replace(true, false))
    names = {path.name for path in folder.iterdir()} - {model.SUMS}
    sums = {name: files.sha256(folder / name) for name in names}
    (folder / model.SUMS).write_text(checksums.format_sums(sums))
    with pytest.raises(model.ReleaseBroken) as raised:
        prepared.read(folder)
    assert raised.value.where in ("x.whl", model.MANIFEST)
