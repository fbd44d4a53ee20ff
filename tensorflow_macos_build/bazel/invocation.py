"""One run of Bazel as a value: what will be run can be shown, compared, kept as a golden file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

IDLE_SECONDS = 60
"""How long a server waits for its next command before it ends: nothing lingers after a kill."""


@dataclass(frozen=True)
class Invocation:
    """A `bazel build` and all that it depends on.

    Attributes:
        workspace: the source tree's folder.
        output_base: where Bazel keeps what it built; one for all architectures of a release, so
            that host tools are built once. One build at a time.
        targets: labels.
        configs: names for `--config`, in order.
        flags: further flags of `build`, after the configs.
        startup: further startup flags.
        env: changes to the environment that the client gets; None takes a variable away.
        program: Bazel's name or path.
    """

    workspace: Path
    output_base: Path
    targets: tuple[str, ...]
    configs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    startup: tuple[str, ...] = ()
    env: Mapping[str, str | None] = field(default_factory=dict)
    program: str = "bazel"

    def startup_argv(self) -> list[str]:
        """Return the program and its startup flags, which choose the server.

        The user's own rc file is not read, for it must not decide what is built; the system's is,
        for Debian's package says there where its own parts lie. The user root is set because
        Bazel's default needs a HOME.
        """
        return [
            self.program,
            "--nohome_rc",
            f"--output_user_root={self.output_base}.user",
            f"--output_base={self.output_base}",
            f"--max_idle_secs={IDLE_SECONDS}",
            *self.startup,
        ]

    def argv(self, events: Path) -> list[str]:
        """Return the whole command line of a build that writes its events to the file `events`.

        `--nobuild_event_json_file_path_conversion` keeps `file:` addresses in the events, and keeps
        a lost gRPC cache from failing a build that has succeeded. Debian's rc file turns
        `--sandbox_debug` on, which buries a failing action's own words.
        """
        return [
            *self.startup_argv(),
            "build",
            "--color=no",
            "--curses=no",
            "--show_progress_rate_limit=0.5",
            "--nosandbox_debug",
            f"--build_event_json_file={events}",
            "--nobuild_event_json_file_path_conversion",
            *(f"--config={name}" for name in self.configs),
            *self.flags,
            "--",
            *self.targets,
        ]
