"""`scripts/inv doctor`: what each group of tasks needs, and what of that is missing here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import ExitCode, UsageError
from tensorflow_macos_build.tasks.command import Command, command, present
from tensorflow_macos_build.tasks.examples import SECTIONS

if TYPE_CHECKING:
    import invoke

    from tensorflow_macos_build.pipeline.group_needs import TaskGroup


def task(described: invoke.Collection) -> Command:
    """Return the task; `described` has all tasks, in the end this one too."""

    @command(
        positional=["config"],
        iterable=["ignore"],
        help={
            "config": "a config under build_configs/, or the path of one; or a group, as --group",
            "group": f"look at one group of tasks alone: {', '.join(map(str.lower, SECTIONS))}",
            "ignore": "do not count the finding with this code; may be repeated",
            "json": "print one JSON document (schema doctor.v2)",
        },
    )
    def doctor(
        _context: invoke.Context,
        *,
        ignore: list[str],
        config: str = "demo",
        group: str = "",
        json: bool = False,
    ) -> ExitCode:
        """Show what each group of tasks needs, what of that is missing here, and what to type.

        The needs of building are those of the config. The exit code is about the build, or about
        the group that is asked for: 2 when it cannot do without something that is missing.
        """
        from tensorflow_macos_build.config import load, names
        from tensorflow_macos_build.pipeline import group_needs
        from tensorflow_macos_build.pipeline.workspace import Workspace
        from tensorflow_macos_build.views import group_needs as view

        if config.title() in SECTIONS and config not in names(checkout.root()):
            config, group = "demo", config
        groups = _groups(described, group)
        workspace = Workspace(load(config))
        seen = group_needs.examine(workspace, groups, ignore)
        asked = next(found for found in seen if found.group == (group or group_needs.BUILD))
        document = view.as_document(workspace.release.name, seen, asked)
        present(document, view.as_lines(workspace.release.name, seen), json=json)
        return ExitCode.USAGE if asked.missing else ExitCode.DONE

    return doctor


def _groups(described: invoke.Collection, name: str) -> list[TaskGroup]:
    """Return the groups of tasks, or the one of a name.

    Raises:
        UsageError: there is none of that name.
    """
    from tensorflow_macos_build.pipeline.group_needs import TaskGroup

    names = {title.lower(): words for title, words in SECTIONS.items()}
    if name and name not in names:
        hint = f"there are: {', '.join(names)}"
        raise UsageError(f"there is no group `{name}` of tasks", hint=hint)
    groups = []
    for title, words in names.items():
        tasks = [described[task] for task in described.task_names if task.split(".")[0] in words]
        own = [task for task in tasks if isinstance(task, Command)]
        tools = dict.fromkeys(tool for task in own for tool in task.needs)
        packages = sorted({group for task in own for group in task.groups})
        groups.append(TaskGroup(title, tuple(tools), tuple(packages)))
    return [group for group in groups if name in ("", group.name)]
