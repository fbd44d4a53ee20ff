"""The page of a build's report: one self-contained HTML file, made from the report's document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.documents import Json

_TEMPLATE = "report.html.j2"


def render(report: Json) -> str:
    """Return the HTML page of a document of schema `report`; the same document, the same bytes."""
    loader = jinja2.PackageLoader("tensorflow_macos_build.report")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["size"] = size
    environment.filters["duration"] = duration
    environment.filters["seen"] = seen
    template = environment.get_template(_TEMPLATE)
    return template.render(
        report=report, slowest=_slowest(report["stages"]), legs=_legs(report["smoke"])
    )


def size(count: int) -> str:
    """Return a number of bytes as people read it, in units of 1000."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.2f} GB"


def duration(seconds: float) -> str:
    """Return a duration as people read it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def seen(evidence: Mapping[str, Any]) -> list[str]:
    """Return what a check saw as lines; of ops by device, a line a device."""
    lines = []
    for name, value in sorted(evidence.items()):
        title = name.replace("_", " ")
        if isinstance(value, dict):
            places = sorted(set(value.values()))
            by_place = {
                place: [op for op in sorted(value) if value[op] == place] for place in places
            }
            lines += [f"{title} {place}: {', '.join(ops)}" for place, ops in by_place.items()]
        elif isinstance(value, list):
            lines.append(f"{title}: {', '.join(map(str, value))}")
        elif isinstance(value, float):
            lines.append(f"{title}: {value:.4g}")
        else:
            lines.append(f"{title}: {value}")
    return lines


def _legs(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Group checks by the wheel and the processor that it was tried as, in their order."""
    places = dict.fromkeys((check["wheel"], check["leg"]) for check in checks)
    legs = []
    for wheel, leg in places:
        rows = [check for check in checks if (check["wheel"], check["leg"]) == (wheel, leg)]
        whys = {row["why"] for row in rows if row["outcome"] == "not_run"}
        skipped = all(row["outcome"] == "not_run" for row in rows) and len(whys) == 1
        legs.append({"wheel": wheel, "leg": leg, "rows": rows, "skipped": skipped and whys.pop()})
    return legs


def _slowest(stages: list[dict[str, Any]]) -> float:
    return max((float(stage["seconds"]) for stage in stages), default=0.0) or 1.0
