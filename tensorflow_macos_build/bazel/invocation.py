"""One run of Bazel as a value: what will be run can be shown, compared, kept as a golden file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.bazel.files import BuildFiles
    from tensorflow_macos_build.bazel.private_headers import PrivateHeaders

IDLE_SECONDS = 60
"""How long a server waits for its next command before it ends: nothing lingers after a kill."""


@dataclass(frozen=True)
class Invocation:
    """A `bazel build` and all that it depends on.

    Attributes:
        workspace: the source tree's folder.
        output_base: where Bazel keeps what it built; one for all architectures of a release, so
            that host tools are built once. One build at a time.
        files: where Bazel writes what tells of the build.
        targets: labels.
        flags: further flags of `build`.
        remote: those that name a cache or a farm.
        headers: the headers for them that hold credentials.
        startup: further startup flags.
        env: changes to the environment that the client gets; None takes a variable away.
        inherited: the only variables of the caller's that it gets; None: it gets all of them.
        program: Bazel's name or path.
    """

    workspace: Path
    output_base: Path
    files: BuildFiles
    targets: tuple[str, ...]
    flags: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    headers: PrivateHeaders | None = None
    startup: tuple[str, ...] = ()
    env: Mapping[str, str | None] = field(default_factory=dict)
    inherited: tuple[str, ...] | None = None
    program: str = "bazel"

    def startup_argv(self) -> list[str]:
        """Return the program and its startup flags, which choose the server."""
        return [
            self.program,
            # The user's own rc file must not decide what is built; the system's is read, for
            # Debian's package says there where its own parts lie.
            "--nohome_rc",
            # Set because Bazel's default needs a HOME; beside the output base, for in it Bazel
            # unpacks itself and keeps what it downloads.
            f"--output_user_root={self.output_base}.user",
            f"--output_base={self.output_base}",
            f"--max_idle_secs={IDLE_SECONDS}",
            *self.startup,
        ]

    def without_remote(self) -> Invocation:
        """Return the same build without a cache or farm, upstream's own among them."""
        # An empty value takes back what an rc file says.
        none = ("--remote_cache=", "--remote_executor=")
        return dataclasses.replace(self, flags=(*self.flags, *none), remote=(), headers=None)

    def command(self) -> CommandLine:
        """Return the whole command line of the build, with its folder and environment."""
        return CommandLine(tuple(self.argv()), self.workspace, self.env, self.inherited)

    def argv(self) -> list[str]:
        """Return the program and its arguments."""
        return [
            *self.startup_argv(),
            # The client's own affair: another server is not started for it (4.2.3).
            *((f"--bazelrc={self.headers.rc}",) if self.headers else ()),
            "build",
            # So what Bazel prints is lines, one on the progress in half a second.
            "--color=no",
            "--curses=no",
            "--show_progress_rate_limit=0.5",
            # Debian's rc file turns it on, which buries a failing action's own words.
            "--nosandbox_debug",
            f"--build_event_json_file={self.files.events}",
            # It keeps `file:` addresses in the events. Else Bazel uploads local files to a gRPC
            # cache to give them `bytestream:` addresses, waits for that at the end (which the flag
            # above implies), and fails a build that has succeeded where the cache is lost.
            "--nobuild_event_json_file_path_conversion",
            f"--profile={self.files.profile}",
            f"--explain={self.files.explanation}",
            *self.flags,
            *self.remote,
            # Else Bazel prints what is in rc files; TensorFlow's own asks for it.
            *(("--noannounce_rc",) if self.headers else ()),
            "--",  # a target may begin with a minus, which takes it out of those before
            *self.targets,
        ]
