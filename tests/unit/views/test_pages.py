"""Every page of this project has the colours and the type of one stylesheet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.report import page
from tensorflow_macos_build.views import forecast_page, rangediff_page, smoke_page
from tests.imports import ROOT
from tests.view_samples import queues, trials

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "tensorflow_macos_build"
STYLED = sorted({*PACKAGE.rglob("*.html.j2"), *PACKAGE.rglob("templates/*.css")})
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgb")


@pytest.mark.parametrize("path", STYLED, ids=lambda path: path.name)
def test_colours_are_named_in_one_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    style = (
        text if path.suffix == ".css" else "".join(re.findall(r"<style>.*?</style>", text, re.S))
    )
    assert bool(_COLOUR.search(style)) == (path.name == "base.css")
    assert (":root" in style.partition("@media (prefers-contrast")[0]) == (path.name == "base.css")


def test_a_page_has_the_shared_style() -> None:
    pages = (
        forecast_page.html(queues.FORECAST),
        rangediff_page.html("title", queues.REPORT.pairs),
        smoke_page.as_page(trials.SMOKE),
    )
    assert all(page.stylesheet().strip() in text for text in pages)
