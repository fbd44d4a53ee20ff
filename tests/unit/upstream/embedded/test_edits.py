import pytest

from tensorflow_macos_build.upstream.embedded.edits import (
    Cut,
    Delete,
    Edit,
    EditFails,
    EmbeddedFile,
    Mode,
    Move,
    Replace,
    SetMode,
    Tree,
    Write,
    apply,
)

_TREE: Tree = {
    "a.txt": EmbeddedFile(Mode.FILE, b"one two two three"),
    "folder/b": EmbeddedFile(Mode.EXECUTABLE, b"b"),
    "folder/c": EmbeddedFile(Mode.FILE, b"c"),
    "folder2/d": EmbeddedFile(Mode.FILE, b"d"),
}


@pytest.mark.parametrize(
    "edit",
    [
        Replace("a.txt", "two", "2"),
        Replace("a.txt", "four", "4"),
        Replace("none", "a", "b"),
        Cut("a.txt", "four"),
        Cut("a.txt", "one", "four"),
        Move("none", "some"),
        Delete("fold"),
        SetMode("none", Mode.EXECUTABLE),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(edit: Edit) -> None:
    with pytest.raises(EditFails):
        apply((edit,), _TREE)


def test_a_move_takes_a_whole_folder_and_nothing_beside_it() -> None:
    moved = apply((Move("folder", "there/it"),), _TREE)
    assert set(moved) == {"a.txt", "there/it/b", "there/it/c", "folder2/d"}
    assert moved["there/it/b"] == _TREE["folder/b"]


def test_edits_leave_the_tree_that_they_are_given_alone() -> None:
    before = dict(_TREE)
    apply((Delete("folder"), Replace("a.txt", "one", "1"), Write("a.txt", "new")), _TREE)
    assert before == _TREE


def test_a_change_of_content_keeps_the_mode() -> None:
    assert apply((Replace("folder/b", "b", "x"),), _TREE)["folder/b"] == EmbeddedFile(
        Mode.EXECUTABLE, b"x"
    )


def test_a_cut_ends_where_its_end_stands_or_with_the_file() -> None:
    assert apply((Cut("a.txt", " two", " three"),), _TREE)["a.txt"].content == b"one three"
    assert apply((Cut("a.txt", " two"),), _TREE)["a.txt"].content == b"one"
