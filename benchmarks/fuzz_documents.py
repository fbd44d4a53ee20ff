"""Feed broken queue.yaml, configs, series, plans, states, events and profiles to their readers.

    python -m benchmarks.fuzz_documents --seconds N [--seed S] [--target NAME] [FILE…]

FILEs are further seeds of the target that is named, beside those that are built in: for `events`, a
file of Bazel's `--build_event_json_file` (each line is a seed). Cases are made, reproduced, limited
and kept as in `fuzzing`; besides, each case chooses values of a whole JSON document, or words
of a whole text, that are replaced by what a reader may stumble over. A case fails when anything but
the readers' own error comes out, when it takes more than 2 s of processor time, when memory grows
beyond 512 MB, or when a resolution that was read is not the same when it is written and read again.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import json
import random
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import fuzzing
from benchmarks.fuzz_readers import mutate
from benchmarks.fuzzing import Target
from tensorflow_macos_build import config, documents
from tensorflow_macos_build.bazel import events, history, profile
from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.patchqueue.edit import plan_file
from tensorflow_macos_build.patchqueue.queue import conditions, queue_files
from tensorflow_macos_build.patchqueue.queue.queue_files import FilesOnDisk
from tensorflow_macos_build.patchqueue.replay import resolutions

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOB = "2" * 40
_HEADER = {
    "author": {"name": "A", "email": "a@example.org"},
    "date": {"seconds": 1, "zone": "+0000"},
    "subject": "s",
    "body": "b",
}
_EVENT = {
    "id": {"actionCompleted": {"label": "//:a", "primaryOutput": "a"}, "namedSet": {"id": "1"}},
    "action": {"exitCode": 1, "stderr": {"uri": "file:///a"}, "failureDetail": {"message": "m"}},
    "namedSetOfFiles": {"files": [{"uri": "file:///a%20b"}], "fileSets": [{"id": "2"}]},
    "completed": {"success": True, "outputGroup": [{"name": "default", "fileSets": [{"id": "1"}]}]},
    "buildMetrics": {"actionSummary": {"actionsExecuted": "7", "runnerCount": [{"count": 1}]}},
    "buildToolLogs": {"log": [{"name": "process stats", "contents": "MiBwcm9jZXNzZXM6IDIgeC4="}]},
}
_DOCUMENTS: dict[str, dict[str, Any]] = {
    "resolution": {
        "schema": {"name": "resolution", "version": 1},
        "patch": "00100-a.patch",
        "met": [{"path": "a", "base": _BLOB, "upstream": "", "patched": _BLOB}],
        "results": [
            {"path": "a", "mode": "100644", "lines": ["x", ""]},
            {"path": "b", "mode": "120000", "base64": "/w=="},
            {"path": "c", "mode": "", "deleted": True},
        ],
    },
    "state": {
        "schema": {"name": "rebase-state", "version": 2},
        "folder": "/queue",
        "queue": "3" * 64,
        "base": _BLOB,
        "onto": {"ref": "v2", "commit": _BLOB},
        "left_out": ["a"],
        "taken": "",
    },
    "plan": {
        "schema": {"name": "edit-plan", "version": 2},
        "folder": "/queue",
        "request": ["patches.edit", "a"],
        "queue": "3" * 64,
        "pieces": [
            {"header": _HEADER, "changes": [[_BLOB, _BLOB]], "name": "a.patch", "bare": False}
        ],
        "settled": {"0": _BLOB},
        "open": 0,
    },
    "events": _EVENT,
    "profile": {
        "otherData": {"build_id": "x"},
        "traceEvents": [
            {"cat": "action processing", "name": "Compiling a", "ph": "X", "ts": 1, "dur": 2},
            {"cat": "action processing", "name": "b", "dur": 2.5, "args": {"mnemonic": "CppLink"}},
            {"cat": "action processing", "name": "merged 12 events", "dur": 2},
            {"cat": "critical path component", "name": "action 'Compiling a'", "dur": 2},
        ],
    },
    "past": {"format": 1, "builds": [{"actions": 30, "course": list(range(history.PARTS))}]},
}
_STRANGE: list[Any] = [None, True, -1, 0.5, 10**400, "", "..", "\0", "\udce9", "\ud800", [], {}]
_STRANGE += ["9" * 5000, "file://[::1/x", "2001-13-45", [[[[]]]], {"schema": {}}, "../../x", "é="]
_WORDS = [b"!!int x", b"!!timestamp x", b"!!binary x", b"2001-13-45", b"9" * 5000, b"~", b"[" * 99]
_WORDS += [b"{a: " * 99, b"&a", b"*a", b"? ", b"- ", b"<<", b"|", b"\t", b"#", b"---", b".."]
_WORDS += [rb'"\ud800"', rb'"\0"', rb'"\Uffffffff"', b"\0", b"\xff", b"v1." + b"0" * 60_000, b"-p1"]
_TEXTS: dict[str, list[bytes]] = {
    "queue": [b"upstream: 'embedded:'\nref: v2.16.0\ncommit: %b\n" % _BLOB.encode()],
    "config": [
        b"extends: base\nversion: 2.16.0\nupstream: {url: 'embedded:', ref: v2.16.0}\nqueue: demo\n"
        b"fuse:\n  rules:\n    - {path: 'a/**', verdict: arm64}\nlimits: {disk_gb: 2.5}\n",
        b'a: !!int x\nb: &b [1, *b]\n"\\ud800\\0": |\n  text\n? [k]\n: 2001-13-45\n<<: ~\n',
    ],
    "series": [b"# one\n00100-a.patch -p1\n\n00200-b.patch # two\n"],
    "condition": [
        b"upstream >= v2.18 and upstream has commit 0123456",
        b"upstream lacks file a/b or never",
    ],
}


def read_queue(content: bytes) -> None:
    """Read it as a queue's queue.yaml."""
    queue_files.read_base(FilesOnDisk(_file("queue.yaml", content).parent))


def read_config(content: bytes) -> None:
    """Load it as a config that extends another one, with a flag over it."""
    _file("build_configs/base.yaml", _TEXTS["config"][0].partition(b"\n")[2])
    path = _file("build_configs/case.yaml", content)
    config.load("case", {"bazel.jobs": "2"}, root=path.parents[1])


def read_series(content: bytes) -> None:
    """Read it as a queue's series."""
    queue_files.read_series(FilesOnDisk(_file("series", content).parent))


def read_condition(content: bytes) -> None:
    """Read it as the condition of a `Drop-When` trailer."""
    conditions.parse(content.decode("utf-8", "surrogateescape"))


def read_resolution(content: bytes) -> None:
    """Read it as a resolution; write what was read, and read it again."""
    resolution = resolutions.parse(content, "case")
    assert resolutions.parse(resolutions.emit(resolution), "case") == resolution


def read_plan(content: bytes) -> None:
    """Read it as the plan of a change that is under way."""
    path = _file("plan.json", content)
    plan_file.load(path.parent, path.parent)


def read_state(content: bytes) -> None:
    """Read it as the state of a rebase."""
    documents.read(content, "rebase-state", 2)


def read_events(content: bytes) -> None:
    """Read its lines as build events, and make text of them, as an error does."""
    for line in content.splitlines():
        with contextlib.suppress(ValueError):
            for event in events.parse(line):
                str(event).encode()


def read_profile(content: bytes) -> None:
    """Read it as Bazel's profile, gzipped and not, whole and cut; add its times up."""
    packed = gzip.compress(content, 1)
    for case in (content, packed, packed[: len(content) // 2]):
        times = profile.parse(io.BytesIO(case))
        assert times is None or times.critical_seconds >= 0
        str(times).encode()


def read_past(content: bytes) -> None:
    """Read it as the file on past builds, and measure a build by them."""
    past = history.load(content)
    assert history.load(history.dump(past)) == history.load(history.dump(past))
    history.time_left(past, history.RunningBuild(), done=1, known=2, seconds=1.0)


def _file(name: str, content: bytes) -> Path:
    path = Path(_folder().name) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return the folder of all cases' files; it is deleted with the process."""
    return tempfile.TemporaryDirectory()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "queue": read_queue,
    "config": read_config,
    "series": read_series,
    "condition": read_condition,
    "resolution": read_resolution,
    "plan": read_plan,
    "state": read_state,
    "events": read_events,
    "profile": read_profile,
    "past": read_past,
}


def reshaped(document: object, chosen: random.Random) -> object:
    """Return a document in which about one value in eight, or a key, is a strange one."""
    if chosen.random() < 0.12:
        return chosen.choice(_STRANGE)
    if isinstance(document, dict):
        inner = {key: reshaped(value, chosen) for key, value in document.items()}
        if chosen.random() < 0.05:
            inner[str(chosen.choice(_STRANGE))] = 1
        return inner
    if isinstance(document, list):
        return [reshaped(value, chosen) for value in document] * chosen.choice((1, 1, 1, 0, 3))
    return document


def reworded(text: bytes, chosen: random.Random) -> bytes:
    """Return a text in which about one word in eight is a strange one."""
    return re.sub(
        rb"[^\s:{},]+",
        lambda word: chosen.choice(_WORDS) if chosen.random() < 0.12 else word[0],
        text,
    )


def reader_of(target: str) -> Callable[[bytes, int], None]:
    """Return what a case of a target does; the readers' own error is what it may raise."""
    read = TARGETS[target]

    def both(content: bytes, _: int) -> None:
        chosen = random.Random(content)
        if target in _DOCUMENTS:
            other = json.dumps(reshaped(_DOCUMENTS[target], chosen)).encode()
        else:
            other = reworded(chosen.choice(_TEXTS[target]), chosen)
        for case in (content, other):
            with contextlib.suppress(MacosBuildError):
                read(case)

    return both


def seeds_of(files: list[Path], target: str) -> list[bytes]:
    """Return the seeds for a target: those built in, and the files' contents, or their lines."""
    seeds = list(_TEXTS.get(target, ()))
    if target in _DOCUMENTS:
        seeds.append(json.dumps(_DOCUMENTS[target]).encode())
    for path in files:
        content = path.read_bytes()
        seeds += content.splitlines() if target == "events" else [content]
    return seeds


def main() -> int:
    """Run the chosen targets, sharing the time."""
    chosen = fuzzing.parser(__doc__, TARGETS).parse_args()
    return fuzzing.run(
        chosen,
        TARGETS,
        lambda name: Target(name, seeds_of(chosen.files, name), mutate, reader_of(name)),
    )


if __name__ == "__main__":
    raise SystemExit(main())
