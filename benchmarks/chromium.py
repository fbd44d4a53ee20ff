"""Chromium without a window, asked over a pipe: the DevTools protocol, a JSON message a NUL.

Source: https://chromedevtools.github.io/devtools-protocol/ and `--remote-debugging-pipe`, which
reads from descriptor 3 and writes to descriptor 4.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator


class Page:
    """A page of a browser, with all that it has said since it was opened."""

    def __init__(self, to: BinaryIO, back: BinaryIO) -> None:
        """Take the two ends of the pipe to a browser, and open a page."""
        self._to, self._back = to, back
        self._numbers = itertools.count(1)
        self._session = ""
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return what a command answers.

        Raises:
            RuntimeError: it fails.
        """
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while (answer := self._message()).get("id") != number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str, *, width: int, scheme: str) -> None:
        """Load a page as on a screen of some width that prefers a colour scheme."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900,
                 deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", features=media)
        self.events.clear()
        self.ask("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._message())

    def value(self, expression: str) -> Any:
        """Return what an expression of JavaScript comes to in the page."""
        answer = self.ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self, height: int) -> bytes:
        """Return the page from its top on as PNG."""
        width = self.value("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        answer = self.ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def _message(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._back.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("the browser has ended")
            text += byte
        message: dict[str, Any] = json.loads(bytes(text))
        return message


@contextlib.contextmanager
def browsing(program: str) -> Iterator[Page]:
    """Start a browser and yield a page of it; it ends with the body."""
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    with tempfile.TemporaryDirectory() as profile:
        options = ("--headless", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu")
        process = subprocess.Popen(
            # A shell puts the pipe's ends where the browser looks for them.
            ["/bin/sh", "-c", f'exec "$@" 3<&{their_in} 4>&{their_out}', "sh",
             program, *options, f"--user-data-dir={profile}"],
            pass_fds=(their_in, their_out),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(their_in)
        os.close(their_out)
        try:
            with os.fdopen(our_out, "wb") as to, os.fdopen(our_in, "rb") as back:
                yield Page(to, back)
        finally:
            process.terminate()
            process.wait()
