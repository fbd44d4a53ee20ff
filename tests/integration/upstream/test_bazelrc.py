"""Real Bazel says which flags it took from a run-control file: the reader must say the same."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import bazel, process
from tensorflow_macos_build.upstream.tensorflow_tree import bazelrc, sources
from tensorflow_macos_build.upstream.tensorflow_tree.bazelrc import BadConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WRITTEN = """\
# a comment that goes on \\
build --copt=-Dnever
build --copt=-Da   # and one behind
common:deep --define=k=common
build --enable_platform_specific_config
build:linux --copt=-Dlinux
build:macos --copt=-Dmacos
test:one --copt=-Dnever
build:one --copt="-D two words" --config=deep --copt='-Dq\\'q' --copt=-Dc\\
ont
build:deep --copt=-Ddeep --define=k=build \\
  --host_copt=a#b --copt=-Dnever
build --host_copt=''c""d --host_copt=e\\#f --host_copt=g\\
build:one --copt=-Dend\t--copt=-Dtab
try-import %workspace%/more.rc
try-import %workspace%/none.rc
build:one --copt=-Dlast
build:two --config=one --noenable_platform_specific_config --config=deep
"""


class RcWorkspace:
    """A workspace with one target and whatever run-control file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "source"
        self.folder.mkdir()
        (self.folder / "WORKSPACE").touch()
        (self.folder / "BUILD").write_text('filegroup(name = "empty")\n')
        files = bazel.BuildFiles.at(folder / "now")
        self.invocation = bazel.Invocation(self.folder, folder / "base", files, ("//:empty",))

    def taken_by_bazel(self, *configs: str) -> tuple[str, ...] | None:
        """Return the flags that Bazel took, --config itself left out; None when it refused."""
        flags = [f"--config={config}" for config in configs]
        argv = [*self.invocation.startup_argv(), "build", "--nobuild", *flags]
        stream = self.invocation.files.events
        argv += [f"--build_event_json_file={stream}", *self.invocation.targets]
        done = process.run(argv, cwd=self.folder, expected=(0, 2))
        if done.status:
            return None
        events = [json.loads(line) for line in stream.read_text().splitlines()]
        (parsed,) = [event["optionsParsed"] for event in events if "optionsParsed" in event]
        kept = ("--copt=", "--host_copt=", "--define=")
        return tuple(flag for flag in parsed["cmdLine"] if flag.startswith(kept))

    def read(self, *configs: str) -> tuple[str, ...] | None:
        """Return what the reader says of the same."""
        try:
            flags = bazelrc.read(sources.of_folder(self.folder)).flags(configs, host="linux")
        except BadConfig:
            return None
        return tuple(flag for flag in flags if "platform_specific" not in flag)


@pytest.fixture(scope="module")
def workspace(
    tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], Path]
) -> Iterator[RcWorkspace]:
    tool("bazel")
    made = RcWorkspace(tmp_path_factory.mktemp("rc"))
    yield made
    bazel.shutdown(made.invocation)


@pytest.mark.parametrize("configs", [(), ("one",), ("two",), ("deep", "one"), ("none",)])
def test_bazel_takes_what_the_reader_reads(
    workspace: RcWorkspace, configs: tuple[str, ...]
) -> None:
    (workspace.folder / ".bazelrc").write_text(WRITTEN)
    (workspace.folder / "more.rc").write_text("build:one --copt=-Dimported\n")
    assert workspace.read(*configs) == workspace.taken_by_bazel(*configs)
    assert (workspace.read(*configs) is None) == (configs == ("none",))


def _word(chance: random.Random) -> str:
    flag = chance.choice(["--copt=", "--host_copt=", "--define=k="])
    value = "".join(chance.choice("ab -\\'\"#\t=") for _ in range(chance.randrange(1, 6)))
    quote = chance.choice(["", "'", '"'])
    special = "\\" + (quote or "'\"#\t ")
    return flag + quote + "".join(f"\\{c}" if c in special else c for c in value) + quote


def _random_rc(seed: int) -> str:
    chance = random.Random(seed)
    lines = []
    for _ in range(25):
        section = chance.choice(["build", "build", "common", "test"])
        config = chance.choice(["", ":a", ":b", ":c", ":linux", ":macos"])
        words = [_word(chance) for _ in range(chance.randrange(1, 4))]
        # To a later one mostly: a chain that leads back to itself is refused as a whole.
        if config in (":a", ":b") and chance.random() < 0.3:
            words.insert(0, "--config=" + chance.choice("bcc" if config == ":a" else "cca"))
        lines.append(f"{section}{config} {chance.choice([' ', chr(92) + chr(10)]).join(words)}")
    switch = chance.choice(["", "build --enable_platform_specific_config"])
    return "\n".join([*lines, switch, "build --config=c", "build:c --copt=c"]) + "\n"


@pytest.mark.parametrize("seed", range(12))
def test_bazel_takes_what_the_reader_reads_of_made_up_files(
    workspace: RcWorkspace, seed: int
) -> None:
    (workspace.folder / ".bazelrc").write_text(_random_rc(seed))
    assert workspace.read("a", "b") == workspace.taken_by_bazel("a", "b")
