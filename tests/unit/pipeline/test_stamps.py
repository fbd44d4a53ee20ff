import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.pipeline import stamps
from tensorflow_macos_build.pipeline.records import Effort, FileRecord, WheelResult, files_in

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
TABLES = st.dictionaries(st.text(max_size=4), JSON, max_size=4)


def built(root: Path) -> WheelResult:
    path = root / "build" / "x.whl"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"wheel")
    file = stamps.file_at(path, root)
    return WheelResult(architecture="arm64", wheel=file, effort=Effort(actions=3, cache_hits=0))


def stamp(root: Path, value: WheelResult) -> Path:
    folder = root / "result"
    folder.mkdir(exist_ok=True)
    times = {file.path: (root / file.path).stat().st_mtime_ns for file in files_in(value)}
    stamps.write(folder, {"a": 1}, value, 1.5, times)
    return folder


@given(TABLES)
def test_a_key_does_not_depend_on_the_order_of_what_it_is_made_of(table: dict[str, object]) -> None:
    backwards = dict(reversed(table.items()))
    assert stamps.key_of(table) == stamps.key_of(backwards)


@given(TABLES, TABLES)
def test_different_inputs_have_different_keys(
    first: dict[str, object], second: dict[str, object]
) -> None:
    same = repr(_typed(first)) == repr(_typed(second))
    assert (stamps.key_of(first) == stamps.key_of(second)) == same


def _typed(value: object) -> object:
    """Order mappings, so that equal values have equal texts (True is not 1 in JSON)."""
    if isinstance(value, dict):
        return sorted((key, _typed(inner)) for key, inner in value.items())
    return [_typed(inner) for inner in value] if isinstance(value, list) else value


def test_in_a_key_a_file_is_its_name_and_content_and_effort_is_nothing(tmp_path: Path) -> None:
    here = WheelResult(
        architecture="arm64",
        wheel=FileRecord(path="a/b/x.whl", size=1, sha256="0" * 64),
        effort=Effort(actions=1, cache_hits=0),
    )
    there = WheelResult(
        architecture="arm64",
        wheel=FileRecord(path="c/x.whl", size=1, sha256="0" * 64),
        effort=Effort(actions=9, cache_hits=8),
    )
    assert stamps.ingredients(here, "code") == stamps.ingredients(there, "code")
    other = here.model_copy(update={"wheel": FileRecord(path="a/b/x.whl", size=1, sha256="1" * 64)})
    assert stamps.ingredients(here, "code") != stamps.ingredients(other, "code")
    assert stamps.ingredients(here, "code") != stamps.ingredients(here, "other code")


def test_a_stamp_comes_back_as_it_was_written(tmp_path: Path) -> None:
    value = built(tmp_path)
    read_back = stamps.read(stamp(tmp_path, value), tmp_path, WheelResult)
    assert read_back is not None
    assert (read_back.value, read_back.seconds, read_back.inputs) == (value, 1.5, {"a": 1})


def test_a_file_that_was_only_touched_is_unchanged(tmp_path: Path) -> None:
    folder = stamp(tmp_path, built(tmp_path))
    os.utime(tmp_path / "build" / "x.whl", (1, 1))
    assert stamps.read(folder, tmp_path, WheelResult) is not None


def test_a_result_whose_files_have_changed_or_gone_is_no_result(tmp_path: Path) -> None:
    folder = stamp(tmp_path, built(tmp_path))
    path = tmp_path / "build" / "x.whl"
    path.write_bytes(b"whEEl")
    os.utime(path, (1, 1))
    assert stamps.read(folder, tmp_path, WheelResult) is None
    path.write_bytes(b"longer than before")
    assert stamps.read(folder, tmp_path, WheelResult) is None
    path.unlink()
    assert stamps.read(folder, tmp_path, WheelResult) is None


def test_a_stamp_that_is_torn_or_of_another_format_is_no_stamp(tmp_path: Path) -> None:
    folder = stamp(tmp_path, built(tmp_path))
    whole = (folder / stamps.NAME).read_text()
    for text in ("", "[]", whole[:-9], whole.replace('"format": 1', '"format": 2'), "{}"):
        (folder / stamps.NAME).write_text(text)
        assert stamps.read(folder, tmp_path, WheelResult) is None
    (folder / stamps.NAME).write_text(whole.replace('"architecture"', '"archicture"'))
    assert stamps.read(folder, tmp_path, WheelResult) is None
