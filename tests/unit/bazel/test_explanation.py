from pathlib import Path

from tensorflow_macos_build.bazel import explanation

TEXT = b"""\
Build options: --profile='/a: b/p.gz'
Executing action 'BazelWorkspaceStatusAction s.txt': unconditional execution is requested.
Executing action 'Executing genrule //:g0': no entry in the cache (action is new).
Executing action 'Compiling 'a': b.cc': no entry in the cache (action is new).
Executing action 'x': One of the files has changed.
New action: x
  Argument: '': y.
Executing action 'torn
"""


def test_reasons_are_counted_in_bazels_own_words() -> None:
    assert explanation.reasons(TEXT.splitlines(keepends=True)) == (
        ("no entry in the cache (action is new)", 2),
        ("One of the files has changed", 1),
        ("unconditional execution is requested", 1),
    )


def test_no_file_takes_the_memory(tmp_path: Path) -> None:
    lines = [b"Executing action 'x': reason %d.\n" % number for number in range(1000)]
    assert len(explanation.reasons(lines)) == 20
    assert explanation.reasons([b"Executing action 'x': " + b"y" * 5000]) == ()
    (tmp_path / "long").write_bytes(b"Executing action '" + b"x" * (1 << 20))
    assert explanation.read(tmp_path / "long") == ()
    assert explanation.read(tmp_path / "missing") == ()
