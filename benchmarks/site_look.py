"""How a site looks and whether anything is wrong with it, in headless Chromium.

.venv/bin/python -m benchmarks.site_look OUT --axe axe.min.js [--documents dist]

It makes a site of the documents in a folder, or of the tests' samples, opens each page on a phone
and a desktop, light and dark, writes a picture of each into OUT, and prints a line a page with what
is wrong: messages on the console, requests to other servers, contents wider than the screen,
violations that axe-core finds. It ends with 1 where something is. Chromium and axe-core are not
fetched: `apt-get install chromium`, `npm pack axe-core`.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.chromium import Page, browsing
from tensorflow_macos_build.site import SiteRequest, publish
from tests import site_documents
from tests.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTHS, SCHEMES = (400, 1280), ("light", "dark")

_TALLEST = 6_000
"""Pixels of a picture."""

_AXE = "axe.run().then(found => found.violations.map(each => each.id + ': ' + each.nodes.length"
_AXE += " + ' as ' + each.nodes[0].html))"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log no request."""


def main() -> int:
    """Print a line for each page, width and scheme; return 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--axe", type=Path, required=True)
    parser.add_argument("--documents", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    axe = args.axe.read_text(encoding="utf-8")
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        documents = args.documents or site_documents.write(Path(scratch) / "documents")
        request = SiteRequest((documents,), Path(scratch) / "site", "TensorFlow for Macs")
        names = sorted(name for name in publish(request).files if name.endswith(".html"))
        handler = functools.partial(_Quiet, directory=str(request.out))
        with serving(handler, threading.Event()) as server, browsing(args.chromium) as page:  # type: ignore[arg-type] # a partial makes handlers, too
            for name in names:
                for width in WIDTHS:
                    for scheme in SCHEMES:
                        page.open(f"{server}/{name}", width=width, scheme=scheme)
                        faults = list(_faults(page, server, axe))
                        wrong += len(faults)
                        height = min(page.value("document.body.scrollHeight"), _TALLEST)
                        picture = args.out / f"{Path(name).stem}-{width}-{scheme}.png"
                        picture.write_bytes(page.screenshot(height))
                        print(name, width, scheme, "; ".join(faults) or "nothing is wrong")
    return 1 if wrong else 0


def _faults(page: Page, server: str, axe: str) -> Iterator[str]:
    wide = page.value("document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        yield f"{wide} pixels wider than the screen"
    page.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.value(f"{axe};0")
    yield from page.value(_AXE)
    for event in page.events:
        match event:
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": str(url)}}}:
                if not url.startswith((server, "data:")):
                    yield f"it asks for {url}"
            case {"method": "Log.entryAdded", "params": {"entry": {"text": str(text)}}}:
                yield f"the console says {text}"
            case {"method": "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" as method}:
                yield f"the console has a message ({method})"


if __name__ == "__main__":
    sys.exit(main())
