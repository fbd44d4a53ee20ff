import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.bazel.line_tail import LineTail


@given(content=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=6))
def test_lines_come_once_and_whole_however_they_are_written(
    content: bytes, cuts: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream"
        tail, written = LineTail(path), 0
        lines: list[bytes] = []
        for cut in sorted([*cuts, len(content)]):
            with path.open("ab") as stream:
                stream.write(content[written:cut])
            written = max(written, min(cut, len(content)))
            lines += tail.lines()
    assert lines == content.split(b"\n")[:-1]


def test_a_file_that_is_not_there_yet_has_no_lines(tmp_path: Path) -> None:
    tail = LineTail(tmp_path / "later")
    assert list(tail.lines()) == []
    (tmp_path / "later").write_bytes(b"a\nb")
    assert list(tail.lines()) == [b"a"]
