import json
from pathlib import Path

from tensorflow_macos_build.bazel import files
from tensorflow_macos_build.bazel.files import BuildFiles


def build(folder: Path, text: str, *, events: bool = True) -> None:
    """Do what a build does with its files."""
    log, working = folder / "bazel-arm64.log", BuildFiles.at(folder / "bazel" / "arm64")
    files.make_room(log)
    working.make_ready()
    log.write_text(text)
    if events:
        working.events.write_text(text)
    working.profile.write_text(text)
    files.keep(working, log)


def test_the_newest_builds_files_are_kept_under_numbers_and_stay_together(tmp_path: Path) -> None:
    for text in "abcde":
        build(tmp_path, text, events=text != "d")
    kept = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    assert kept == {
        "bazel-arm64.log": "e",
        "bazel-arm64.events.json": "e",
        "bazel-arm64.profile.gz": "e",
        "bazel-arm64.1.log": "d",
        "bazel-arm64.1.profile.gz": "d",
        "bazel-arm64.2.log": "c",
        "bazel-arm64.2.events.json": "c",
        "bazel-arm64.2.profile.gz": "c",
    }
    assert not list((tmp_path / "bazel").iterdir())


def test_what_a_killed_build_left_is_not_taken_for_the_next_ones(tmp_path: Path) -> None:
    working = BuildFiles.at(tmp_path / "bazel" / "arm64")
    working.make_ready()
    working.events.write_text("killed")
    build(tmp_path, "next", events=False)
    assert not (tmp_path / "bazel-arm64.events.json").exists()


def test_kept_events_have_no_value_of_the_callers_environment() -> None:
    secret = r"s3cr\"et\\u003d\\"
    plain = b'{"id":{"started":{}}}\n'
    line = (
        r'{"args":["bazel","--client_env\u003dA\u003dSECRET","--jobs\u003d2"],"options":[{"combinedForm":'
        r'"--client_env=HTTPS_PROXY=SECRET","optionName":"client_env","optionValue":"B\u003dSECRET"}]}'
    )
    shown = files.without_environment(line.replace("SECRET", secret).encode())
    assert json.loads(shown) == {
        "args": ["bazel", "--client_env=A=***", "--jobs=2"],
        "options": [
            {
                "combinedForm": "--client_env=HTTPS_PROXY=***",
                "optionName": "client_env",
                "optionValue": "B=***",
            }
        ],
    }
    assert files.without_environment(plain) == plain
