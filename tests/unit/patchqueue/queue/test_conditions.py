import subprocess

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.queue import conditions


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Git, list[str]]:
    """Three commits; the second is tagged v2.17.0 and brings `a file`, the third v2.18.0-rc0."""
    folder = tmp_path_factory.mktemp("upstream")

    def git(*args: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        argv = ["git", *identity, *args]
        return subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "one")
    (folder / "deep").mkdir()
    (folder / "deep" / "a file").touch()
    git("add", ".")
    git("commit", "-qm", "two")
    git("tag", "v2.17.0")
    git("tag", "not-a-version")
    git("commit", "-q", "--allow-empty", "-m", "three")
    git("tag", "v2.18.0-rc0")
    # A server may name a tag so; as a file's name it would be too long.
    packed = f"{git('rev-parse', 'HEAD').strip()} refs/tags/v9.{'0' * 60_000}\n"
    (folder / ".git" / "packed-refs").write_text(
        f"# pack-refs with: peeled fully-peeled sorted\n{packed}"
    )
    return Git(folder / ".git"), git("rev-list", "--reverse", "HEAD").split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("upstream >= v2.17", [False, True, True]),
        ("upstream >= 2.18", [False, False, False]),
        ("upstream < 3", [False, True, True]),
        ("upstream has commit {1}", [False, True, True]),
        ("upstream has commit 0123456789", [False, False, False]),
        ("upstream has file deep/a file", [False, True, True]),
        ("upstream has file deep", [False, True, True]),
        ("upstream has file deep/*", [False, False, False]),
        ("upstream lacks file deep/a file", [True, False, False]),
        ("never", [False, False, False]),
        ("upstream  == 2.17.0 and upstream has commit {2}", [False, False, True]),
        ("upstream lacks file deep or upstream has commit {2}", [True, False, True]),
    ],
)
def test_a_condition_comes_true_at_the_revisions_it_says(
    history: tuple[Git, list[str]], text: str, expected: list[bool]
) -> None:
    git, commits = history
    condition = conditions.parse(text.format(*(commit[:12] for commit in commits)))
    assert [
        condition.holds(conditions.UpstreamRevision(git, commit)) for commit in commits
    ] == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "upstream >= v2." + "0" * 60_000,
        "upstream has file a\0b",
        "when upstream fixes it",
        "upstream >= soon",
        "never and never or never",
        "upstream ~ 2",
    ],
)
def test_what_no_program_can_decide_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        conditions.parse(text, where="series:3")
    assert caught.value.where == "series:3"
    assert "upstream >= v2.18" in caught.value.hint
