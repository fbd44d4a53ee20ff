"""The page of a build's report: one self-contained HTML file, made from the report's document."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import jinja2

from tensorflow_macos_build.errors import printable
from tensorflow_macos_build.report import amounts, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.documents import Json

_TEMPLATE, _STYLE = "report.html.j2", "base.css"

_MOST_FOLDERS = 11
"""Folders that are told apart: a picture of more is not read."""

_LONGEST_LINE = 400
"""Characters of a line of evidence on the page; the document has all of it."""


def render(report: Json) -> str:
    """Return the HTML page of a document of schema `report`; the same document, the same bytes."""
    needed = verdict.judge(report["wheel"]["name"], report["verify"], report["smoke"])
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            report={"date": "", **report},
            requirements=needed,
            ready=all(requirement.is_met for requirement in needed),
            total=sum(stage["seconds"] for stage in report["stages"]),
            slowest=_slowest(report["stages"]),
            tools=_tools(report["builder"]),
            folders=_largest(report.get("folders", [])),
            upstream_link=_commit_link(report["upstream"]),
            failed=sum(verdict.is_failure(check["outcome"]) for check in report["smoke"]),
            targets=_targets(report["smoke"]),
        )
    )


def stylesheet() -> str:
    """Return the styles that other pages share with a report: colours, type, tables."""
    return _environment().get_template(_STYLE).render()


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tensorflow_macos_build.report"),
        autoescape=True,  # paths, notes and a device's words come from wheels and programs
        finalize=shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["failure"] = verdict.is_failure
    environment.filters["size"] = amounts.size
    environment.filters["duration"] = amounts.duration
    environment.filters["evidence_lines"] = evidence_lines
    return environment


def shown(value: object) -> object:
    """Return a value as a page may hold it: HTML has no control characters, and hides others."""
    # What has __html__ is a piece of the page itself (markupsafe.Markup).
    is_foreign = isinstance(value, str) and not hasattr(value, "__html__")
    return printable(str(value), kept="\n\t") if is_foreign else value


def evidence_lines(evidence: Mapping[str, Any]) -> list[str]:
    """Return what a check saw as lines; of ops by device (`ran_on`), a line a device."""
    lines = [line for name, value in sorted(evidence.items()) for line in _lines(name, value)]
    return [line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…" for line in lines]


def _lines(name: str, value: object) -> list[str]:
    title = name.replace("_", " ")
    if isinstance(value, dict) and name.endswith("on"):
        devices = sorted({str(device) for device in value.values()})
        return [f"{title} {on}: {', '.join(_ops_on(value, on))}" for on in devices]
    if isinstance(value, dict):
        return [f"{title}: {', '.join(f'{key} {_short(value[key])}' for key in sorted(value))}"]
    if isinstance(value, list):
        return [f"{title}: {', '.join(map(_short, value))}"]
    return [f"{title}: {_short(value)}"]


def _ops_on(ops: Mapping[str, object], device: str) -> list[str]:
    return [op for op in sorted(ops) if str(ops[op]) == device]


def _short(value: object) -> str:
    """Return a value of JSON as people read it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)


def _tools(builder: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what a wheel was built with; what the toolchain says of itself is more exact."""
    exact = {name.removeprefix("toolchain."): version for name, version in builder.items()}
    return list(exact.items())


def _commit_link(upstream: Mapping[str, str]) -> str:
    """Return where upstream's commit can be read; "" where it is not on GitHub."""
    base = upstream["url"].removesuffix("/").removesuffix(".git")
    is_there = base.startswith("https://github.com/")
    return f"{base}/commit/{upstream['commit']}" if is_there else ""


def _largest(folders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the folders that take the most of the wheel, and all others as one."""
    by_share = sorted(folders, key=lambda row: (-row["compressed"], row["folder"]))
    shown, rest = by_share[:_MOST_FOLDERS], by_share[_MOST_FOLDERS:]
    if not rest:
        return shown
    sums = {name: sum(row[name] for row in rest) for name in ("files", "size", "compressed")}
    return [*shown, {"folder": f"{len(rest)} other folders", **sums}]


def _targets(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Group checks by the wheel and the processor that it was tried as, in their order.

    Where none was run, and all for one reason, that is `skipped`: it is shown once.
    """
    targets = []
    for wheel, name in dict.fromkeys((check["wheel"], check["leg"]) for check in checks):
        of_target = [check for check in checks if (check["wheel"], check["leg"]) == (wheel, name)]
        reasons = {check["why"] for check in of_target if check["outcome"] == "not_run"}
        is_skipped = len(reasons) == 1 and all(row["outcome"] == "not_run" for row in of_target)
        skipped = reasons.pop() if is_skipped else ""
        rows = _alike(of_target)
        targets.append({"wheel": wheel, "name": name, "checks": rows, "skipped": skipped})
    return targets


def _alike(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return checks; those that came out alike, with nothing to be seen, are one row at the end."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for check in checks:
        one = (check["name"],) if check["evidence"] or check["outcome"] == "passed" else ()
        row = rows.setdefault((check["outcome"], check["why"], *one), {**check, "names": []})
        row["names"].append(check["name"])
    named = [{**row, "name": _counted(row["names"])} for row in rows.values()]
    return sorted(named, key=lambda row: len(row["names"]) > 1)


def _counted(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} checks"


def _slowest(stages: list[dict[str, Any]]) -> float:
    # 1 where nothing took time (all was up to date): the bars' widths are divided by it.
    return max((float(stage["seconds"]) for stage in stages), default=0.0) or 1.0
