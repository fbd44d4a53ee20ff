"""One run of Bazel as a value: what will be run can be shown, compared, kept as a golden file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.bazel.files import BuildFiles

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
    startup: tuple[str, ...] = ()
    env: Mapping[str, str | None] = field(default_factory=dict)
    inherited: tuple[str, ...] | None = None
    program: str = "bazel"

    def startup_argv(self) -> list[str]:
        """Return the program and its startup flags, which choose the server.

        The user's own rc file is not read, for it must not decide what is built; the system's is,
        for Debian's package says there where its own parts lie. The user root is set because
        Bazel's default needs a HOME. It lies beside the output base, for in it Bazel unpacks itself
        and keeps what it downloads.
        """
        return [
            self.program,
            "--nohome_rc",
            f"--output_user_root={self.output_base}.user",
            f"--output_base={self.output_base}",
            f"--max_idle_secs={IDLE_SECONDS}",
            *self.startup,
        ]

    def command(self) -> CommandLine:
        """Return the whole command line of the build, with its folder and environment."""
        return CommandLine(tuple(self.argv()), self.workspace, self.env, self.inherited)

    def argv(self) -> list[str]:
        """Return the program and its arguments.

        Without colours and curses what Bazel prints is lines, one on the progress in half a second.
        Debian's rc file turns `--sandbox_debug` on, which buries a failing action's own words.

        `--nobuild_event_json_file_path_conversion` keeps `file:` addresses in the events. Else
        Bazel uploads local files to a gRPC cache to give them `bytestream:` addresses, waits for
        that at the end (`--build_event_json_file` implies it), and fails a build that has succeeded
        where the cache is lost.
        """
        return [
            *self.startup_argv(),
            "build",
            "--color=no",
            "--curses=no",
            "--show_progress_rate_limit=0.5",
            "--nosandbox_debug",
            f"--build_event_json_file={self.files.events}",
            "--nobuild_event_json_file_path_conversion",
            f"--profile={self.files.profile}",
            f"--explain={self.files.explanation}",
            *self.flags,
            "--",  # a target may begin with a minus, which takes it out of those before
            *self.targets,
        ]
