import pytest

from tensorflow_macos_build.bazel import BuildResult, server_watch


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://h:99999", "http://h:x", "http://h\u2100"]
)
def test_a_server_that_cannot_be_is_silent(address: str) -> None:
    assert server_watch.silence(address)


def result(**runners: int) -> BuildResult:
    hits = runners.pop("hits", 0)
    return BuildResult({}, 0, 0, runners, hits, 0.0, None, (), None)


@pytest.mark.parametrize(
    ("kind", "built", "is_silent"),
    [
        ("cache", result(sandbox=3, internal=1), True),
        ("cache", result(sandbox=3, hits=1), False),
        ("cache", result(internal=1), False),
        ("farm", result(sandbox=3, internal=1), True),
        ("farm", result(sandbox=3, remote=1), False),
        ("farm", result(sandbox=3, hits=1), False),
    ],
)
def test_a_server_that_answers_and_gives_nothing_is_told(
    kind: str, built: BuildResult, is_silent: bool
) -> None:
    server = server_watch._Server(kind, "grpc://server.example")
    assert bool(server_watch._of_no_use(server, built)) == is_silent
