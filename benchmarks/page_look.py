"""How single pages look, and whether they fit the screen, in headless Chromium.

    .venv/bin/python -m benchmarks.page_look OUT PAGE.html...

Each page is opened on a phone and a desktop, light and dark; a picture of each is written into OUT.
It ends with 1 where one is wider than its screen, says something on the console, or asks another
server for something. Chromium is not fetched: `apt-get install chromium`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.chromium import Page, browsing

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTHS, SCHEMES = (400, 1280), ("light", "dark")

_TALLEST = 6_000
"""Pixels of a picture."""


def main() -> int:
    """Print a line for each page, width and scheme; return 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with browsing(args.chromium) as page:
        for path in args.pages:
            for width in WIDTHS:
                for scheme in SCHEMES:
                    page.open(path.resolve().as_uri(), width=width, scheme=scheme)
                    faults = list(_faults(page, path.resolve().as_uri()))
                    wrong += len(faults)
                    height = min(page.value("document.body.scrollHeight"), _TALLEST)
                    picture = args.out / f"{path.stem}-{width}-{scheme}.png"
                    picture.write_bytes(page.screenshot(height))
                    print(path.name, width, scheme, "; ".join(faults) or "nothing is wrong")
    return 1 if wrong else 0


def _faults(page: Page, own: str) -> Iterator[str]:
    wide = page.value("document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        yield f"{wide} pixels wider than the screen"
    for event in page.events:
        match event:
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": str(url)}}}:
                if url != own and not url.startswith("data:"):
                    yield f"it asks for {url}"
            case {"method": "Log.entryAdded", "params": {"entry": {"text": str(text)}}}:
                yield f"the console says {text}"


if __name__ == "__main__":
    sys.exit(main())
