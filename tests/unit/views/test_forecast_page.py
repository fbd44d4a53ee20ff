"""A forecast's page: what it says, and that nothing in it comes alive."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from tensorflow_macos_build.patchqueue.audit.model import AuditResult
from tensorflow_macos_build.patchqueue.forecast.bisection import BreakKind
from tensorflow_macos_build.patchqueue.forecast.model import (
    Break,
    Forecast,
    ForecastColumn,
    PatchForecast,
    Turn,
)
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.verdict.status import Evidence, Status
from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit
from tensorflow_macos_build.patchqueue.verdict.wording import WORDS
from tensorflow_macos_build.views import forecast as view
from tensorflow_macos_build.views import forecast_page
from tensorflow_macos_build.views.lines import Line

HOSTILE = "\"'><script>alert(1)</script></style><img src=x onerror=alert(1)>&amp;{{ 7 * 7 }}"
ID = "0123456789abcdef0123456789abcdef01234567"
LINK = f"https://github.com/tensorflow/tensorflow/commit/{ID}"

COMMIT = UpstreamCommit(
    ID, f"{HOSTILE} <a@example.org>", "2024-05-08T17:30:29+02:00", HOSTILE, LINK
)
CONFLICT = PatchForecast(Status.CONFLICT, Evidence(), Break(BreakKind.PRESENT, COMMIT, ID))
OTHERS = [
    PatchForecast(status, Evidence(upstream=(COMMIT,), knock_on_of=(HOSTILE,)), None)
    for status in Status
    if status is not Status.CONFLICT
]


def made(patches: int) -> Forecast:
    """A forecast whose first patch conflicts; each other one has another of the statuses."""
    fates = [CONFLICT, *(OTHERS[position % len(OTHERS)] for position in range(patches - 1))]
    return Forecast(
        HOSTILE,
        QueueBase(HOSTILE, HOSTILE, ID),
        tuple((f"{position}-{HOSTILE}", f"{HOSTILE} {position}") for position in range(patches)),
        (ForecastColumn(HOSTILE, ID, 1, tuple(fates), AuditResult()),),
        3,
    )


class _Page(HTMLParser):
    """The elements of a page, the text outside its style, and what its attributes point at."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.names: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += "" if self.tags and self.tags[-1] == "style" else data


def test_page_and_lines_tell_where_a_patch_broke_and_healed_before() -> None:
    def commit(subject: str) -> UpstreamCommit:
        return UpstreamCommit(ID, "A <a@example.org>", COMMIT.date, subject, "")

    turns = (
        Turn(heals=False, kind=BreakKind.MISSING, commit=commit("First")),
        Turn(heals=True, kind=BreakKind.PRESENT, commit=commit("Second")),
    )
    breaking = Break(BreakKind.PRESENT, commit("Third"), ID)
    fates = [PatchForecast(Status.CONFLICT, Evidence(), breaking, turns, all_tried=False)]
    forecast = replace(made(1), columns=(ForecastColumn("v2", ID, 9, tuple(fates), AuditResult()),))
    words = [
        f"broken before without {ID[:12]} First",
        f"healed by {ID[:12]} Second",
        "it may have healed in between: not all commits on its files were tried",
    ]
    lines = [part.text.strip() for part in view.as_lines(forecast) if isinstance(part, Line)]
    after = lines.index(f"breaks 0-{HOSTILE} on v2") + 1
    assert lines[after : after + 3] == words
    text = _Page(forecast_page.html(forecast)).text
    assert [text.index(sentence) for sentence in words] == sorted(map(text.index, words))


def test_conflicts_that_were_not_bisected_are_counted() -> None:
    unknown = replace(CONFLICT, breaking=None, all_tried=False)
    column = ForecastColumn("v2", ID, 9, (CONFLICT, unknown, unknown), AuditResult())
    words = "3 conflict (2 not bisected, which would take too long)"
    assert forecast_page.summary(column) == words


def test_hostile_names_are_text_and_nothing_else() -> None:
    page = _Page(forecast_page.html(made(len(Status))))
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert page.tags.count("style") == 1
    assert not any(name.startswith("on") for name in page.names)
    assert set(page.targets) == {f"#{ID}", LINK}
    # a row has the subject and the file
    assert page.text.count("{{ 7 * 7 }}") >= 2 * len(Status)
    assert f"{HOSTILE} 0" in page.text


def test_every_status_has_its_own_words() -> None:
    assert set(WORDS) == set(Status)
    assert len({word for word, _ in WORDS.values()}) == len(Status)
    text = _Page(forecast_page.html(made(len(Status)))).text
    assert all(word in text for word, _ in WORDS.values())


def test_a_long_queue_shows_at_first_only_what_is_not_clean() -> None:
    assert 'type="checkbox" checked' in forecast_page.html(made(60))
    assert 'type="checkbox" checked' not in forecast_page.html(made(12))


def test_a_summary_counts_every_patch_once() -> None:
    (column,) = made(2 * len(Status)).columns
    counts = [
        int(part.split()[0])
        for part in forecast_page.summary(column).split(", ")
        if part[0].isdigit()
    ]
    assert sum(counts) == 2 * len(Status)
