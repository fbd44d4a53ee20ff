"""GitHub as a staged build meets it: an API on 127.0.0.1 that fails, and machines that do.

A round builds by counting actions in a state, as `build --time-budget` does with Bazel's; what is
tried here is what carries states from round to round and starts the next one.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import io
import json
import re
import threading
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tensorflow_macos_build.release.hosted import states
from tensorflow_macos_build.release.hosted.actions import Repository
from tensorflow_macos_build.release.hosted.rounds import BUILD_STEP, RoundTitle
from tensorflow_macos_build.release.publishing import github
from tensorflow_macos_build.retry import Retry
from tests.servers import serving

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

ACTIONS = 9
"""What a part takes."""

PER_ROUND = 3


@dataclass
class HostedRounds:
    """The repository, its runs and artifacts; tests change the faults while it serves.

    Attributes:
        parts: what a round builds.
        runs: runs by number, as the API shows them.
        jobs: of each run, its jobs.
        artifacts: what runs have left, with the bytes of their zip files.
        waiting: runs that are dispatched and not begun.
        refuse: how many requests from now on are answered by 500.
        lose_answer: how many dispatches from now on work and are answered by 500.
        ran: how many actions were run, of each part.
    """

    parts: tuple[str, ...]
    workflow: str
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    artifacts: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    refuse: int = 0
    lose_answer: int = 0
    ran: dict[str, int] = field(default_factory=dict)
    address: str = ""

    def start(self, title: str) -> int:
        """Dispatch a round; return its run's number."""
        number = 100 + len(self.runs)
        row = {"id": number, "display_title": title, "head_branch": "main", "status": "queued"}
        self.runs[number] = row
        self.waiting.append(number)
        return number

    @property
    def repository(self) -> Repository:
        """The repository as the program reaches it, without pauses."""
        api = github.api(self.address, None)
        return Repository(api, self.address, "o/r", Retry(3, 0.0, 0.0))

    def run_round(self, number: int, folder: Path, faults: dict[str, str]) -> None:
        """Run the build jobs of a round, each with the fault that is named for its part."""
        self.waiting.remove(number)
        self.jobs[number] = []
        for part in self.parts:
            failed = self._job(number, part, folder / f"{number}-{part}", faults.get(part, ""))
            steps = [{"name": failed, "conclusion": "failure"}] if failed else []
            self.jobs[number].append({"name": part, "steps": steps})

    def _job(self, number: int, part: str, folder: Path, fault: str) -> str:
        """Run a job; return the name of the step that failed, or ""."""
        title = RoundTitle.parse(self.runs[number]["display_title"])
        assert title is not None
        request = states.StatesRequest(part, "main", title.since, folder)
        states.fetch(self.repository, request)
        round_number, done = _newest(folder)
        if fault == "stuck":
            return BUILD_STEP
        now = min(ACTIONS, done + PER_ROUND)
        self.ran[part] = self.ran.get(part, 0) + now - done
        if fault == "gone":
            return ""
        if fault == "upload":
            return "Save the state"
        state = _state(now)
        self.upload(number, part, f"state-{round_number + 1:04}.tar", state, fault)
        if now == ACTIONS:
            self.upload(number, part, "x.whl", b"wheel", "")
        return ""

    def upload(self, run: int, part: str, member: str, content: bytes, fault: str) -> None:
        """Leave an artifact of a run, with a fault or none."""
        kind = "wheel" if member.endswith(".whl") else "state"
        if fault == "spoiled":
            content = content[:-1] + b"!"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("../../evil.tar" if fault == "hostile" else member, content)
        data = packed.getvalue()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if fault == "changed":
            data = data[:40] + bytes([data[40] ^ 1]) + data[41:]
        if fault == "cut":
            data, digest = data[: len(data) // 2], ""
        row = {
            "id": len(self.artifacts),
            "name": f"{kind}-{part}",
            "size_in_bytes": len(data),
            "digest": digest,
            "expired": False,
            "archive_download_url": f"{self.address}/zip/{len(self.artifacts)}",
            "workflow_run": {
                "id": run,
                "head_branch": "main",
                "repository_id": 1,
                "head_repository_id": 2 if fault == "fork" else 1,
            },
        }
        self.artifacts.append((row, data))

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return the status and the value, or the bytes, of the answer to a request."""
        if self.refuse:
            self.refuse -= 1
            return 500, {"message": "no"}
        parts = urlsplit(path)
        route, query = parts.path.removeprefix("/repos/o/r/"), parse_qs(parts.query)
        if method == "POST" and route == f"actions/workflows/{self.workflow}/dispatches":
            inputs = body["inputs"]
            number, failures, since = (int(inputs[name]) for name in ("round", "failures", "since"))
            self.start(str(RoundTitle("demo", number, failures, since, inputs["tag"])))
            if self.lose_answer:
                self.lose_answer -= 1
                return 500, {"message": "lost"}
            return 204, None
        if match := re.fullmatch(r"/zip/([0-9]+)", route):
            return 200, self.artifacts[int(match[1])][1]
        return 200, self._listing(route, query)

    def _listing(self, route: str, query: dict[str, list[str]]) -> Any:
        rows = [row for row, _ in self.artifacts]
        if route == f"actions/workflows/{self.workflow}/runs":
            return {"workflow_runs": list(self.runs.values())}
        if route == "actions/artifacts":
            return {"artifacts": [row for row in rows if row["name"] == query["name"][0]]}
        _, _, number, *what = route.split("/")
        if what == ["artifacts"]:
            own = [row for row in rows if row["workflow_run"]["id"] == int(number)]
            return {"artifacts": own}
        return {"jobs": self.jobs[int(number)]} if what else self.runs[int(number)]


def _state(done: int) -> bytes:
    text = f"{done}\n".encode()
    return text + hashlib.sha256(text).hexdigest().encode()


def _newest(folder: Path) -> tuple[int, int]:
    """Return the number and the actions of the newest state that is whole, as `build` does."""
    for path in sorted(folder.glob("state-*.tar"), reverse=True):
        done = int(path.read_bytes().split(b"\n")[0])
        if path.read_bytes() == _state(done):
            return int(path.name[6:10]), done
    return 0, 0


@contextlib.contextmanager
def hosted(parts: tuple[str, ...], workflow: str) -> Iterator[HostedRounds]:
    """Serve such a repository."""
    world = HostedRounds(parts, workflow)

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, value = world.answer(self.command, self.path, body)
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(0 if status == 204 else len(content)))
            self.end_headers()
            if status != 204:
                self.wfile.write(content)

        do_POST = do_PATCH = do_GET

    with serving(Handler, threading.Event()) as address:
        world.address = address
        yield world


def random_faults(chance: random.Random, parts: tuple[str, ...]) -> dict[str, str]:
    """Return faults of a round: for each part one, or none."""
    kinds = ("", "", "", "gone", "upload", "spoiled", "changed", "cut", "hostile")
    return {part: chance.choice(kinds) for part in parts}
