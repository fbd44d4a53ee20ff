"""The process that starts a process for each check, and says how each of them ended.

Where forking is safe (Linux) it imports the module and never computes with it: what a parent has
computed, its threads and locks, hangs `fit` and convolutions in its children. Elsewhere (Metal does
not survive a fork) it imports nothing, and each check is this program started anew.

It reads requests from its standard input and writes answers to its standard output, both a JSON
object a line, and puts /dev/null and its log there for the module's code. When its input ends, or
at SIGINT or SIGTERM, whatever it has started ends too.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import sys
import traceback
from typing import Any, Dict, Optional

from . import bounds, registry
from .context import Context, split_cpu
from .plain import plain, text

Json = Dict[str, Any]

FORK, SPAWN = "fork", "spawn"


class Channel:
    """The requests and the answers, on descriptors that the module's code does not know."""

    def __init__(self) -> None:
        self.input = os.dup(0)
        self.output = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._pending = b""

    def send(self, answer: "Json") -> None:
        """Write an answer."""
        line = json.dumps(plain(answer)).encode() + b"\n"
        while line:
            line = line[os.write(self.output, line) :]

    def receive(self) -> "Optional[Json]":
        """Return the next request; None at the end."""
        while b"\n" not in self._pending:
            piece = os.read(self.input, 65536)
            if not piece:
                return None
            self._pending += piece
        line, _, self._pending = self._pending.partition(b"\n")
        request = json.loads(line.decode())  # type: Json
        return request

    def close(self) -> None:
        """Let the ends go, in a child."""
        os.close(self.input)
        os.close(self.output)


def main(specification: str) -> None:
    """Do what the file `specification` says: list the checks, serve, or run one of them."""
    with open(specification, encoding="utf-8") as opened:
        spec = json.load(opened)
    checks = registry.load_all()
    if spec["mode"] == "list":
        print(json.dumps([check.described() for check in checks]))
    elif spec["mode"] == "one":
        finish(spec, spec["request"])
    else:
        serve(spec, Channel())


def serve(spec: "Json", channel: "Channel") -> None:
    """Answer requests until there are no more."""
    # None where checks are spawned, of which it then is one. Until it is done there is nothing to
    # tidy up, and signals end this process at once, whatever the module's code is at.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    row = attempt(spec, "import") if spec["isolation"] == FORK else None
    bounds.adopt_orphans()
    wake = bounds.wake_at_child()
    try:
        channel.send({"event": "ready", "import": row})
        while True:
            request = channel.receive()
            if request is None:
                return
            run(spec, request, channel, wake)
    finally:
        try:
            bounds.end_children()
        finally:  # The input ends before a signal comes, which is heeded once: here, it may be.
            bounds.end_children()


def run(spec: "Json", request: "Json", channel: "Channel", wake: int) -> None:
    """Run one check in a process of its own; answer when it starts and when it has ended."""
    pid = start(spec, request, channel)
    channel.send({"event": "started", "pid": pid})
    while True:
        readable, _, _ = select.select([channel.input, wake], [], [])
        if wake in readable:
            os.read(wake, 4096)
        answer = ended(pid)
        if answer:
            break
        if channel.input in readable:
            # While a check runs nothing comes but a request to end it, or the end of all.
            bounds.end_group(pid)
            if channel.receive() is None:
                raise SystemExit(1)
    bounds.end_group(pid)
    bounds.end_children()
    channel.send(answer)


def ended(pid: int) -> "Optional[Json]":
    """Return the answer of a check that has ended; None while it runs."""
    try:
        waited, status, usage = os.wait4(pid, os.WNOHANG)
    except ChildProcessError:
        # A thread of the module's waits for whatever child ends, and was the first.
        return {"event": "ended", "status": None, "max_rss_mb": 0}
    max_rss_mb = bounds.megabytes(usage.ru_maxrss)
    return {"event": "ended", "status": status, "max_rss_mb": max_rss_mb} if waited else None


def start(spec: "Json", request: "Json", channel: "Channel") -> int:
    """Start the process of a check, and return its id."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        bounds.die_with(parent)
        channel.close()
        if spec["isolation"] == FORK:
            finish(spec, request)
        else:
            path = request["result"] + ".spec"
            with open(path, "w") as opened:
                json.dump(dict(spec, mode="one", request=request), opened)
            argv = spec["argv"] + [path]
            os.execvp(argv[0], argv)
    finally:
        os._exit(70)  # EX_SOFTWARE of sysexits.h; what went wrong has been printed, or cannot be


def finish(spec: "Json", request: "Json") -> None:
    """Make this process a check's, run it, write down what it saw, and end."""
    try:
        bounds.set_in_child(request)
        row = attempt(dict(spec, log=request["log"]), request["name"], request.get("options"))
        # The check's own code may have left threads that write on: the row is put there at once.
        with open(request["result"] + ".part", "w", encoding="utf-8") as opened:
            json.dump(row, opened)
        os.rename(request["result"] + ".part", request["result"])
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        # What the check itself raises is in the row: this is of the files around it.
        with contextlib.suppress(OSError):
            traceback.print_exc()
        os._exit(74)  # EX_IOERR of sysexits.h, which the parent knows
    # Not sys.exit: threads and destructors of the module's libraries could hang or crash there.
    os._exit(0)


def attempt(spec: "Json", name: str, options: "Optional[Json]" = None) -> "Json":
    """Return the row of a check: its outcome, why, and its evidence."""
    outcome, why, evidence = "passed", "", {}  # type: str, str, Json
    try:
        evidence = perform(spec, name, options or {})
    except registry.NotApplicable as reason:
        outcome, why, evidence = "not_applicable", str(reason), reason.evidence
    except registry.CheckFailed as failure:
        outcome, why, evidence = "failed", str(failure), failure.evidence
    except BaseException as error:  # a check that calls sys.exit() has failed, too
        traceback.print_exc()
        outcome, why = "failed", "{}: {}".format(type(error).__name__, error)
    return {"name": name, "outcome": outcome, "why": text(why), "evidence": plain(evidence)}


def perform(spec: "Json", name: str, options: "Json") -> "Json":
    """Import the module, where that is still to do, and run a check on it."""
    if name == "import":
        return imported(spec)
    check = next(check for check in registry.load_all() if check.name == name)
    tf = importlib.import_module(spec["module"])
    for need in check.needs:
        refuse_missing(tf, need)
    if spec.get("virtual") and not check.virtual:
        raise registry.NotApplicable("a virtual GPU is held to float32 only")
    split_cpu(tf, spec["device"], spec["reference"])
    context = Context(tf, dict(spec, options=dict(spec.get("options", {}), **options)))
    # An op without a kernel for the device fails, and does not quietly run elsewhere.
    context.soft_placement(False)
    return check.function(context)


def refuse_missing(tf: Any, need: str) -> None:
    """Raise NotApplicable where a module lacks an attribute such as `keras.layers`."""
    value = tf
    for part in need.split("."):
        value = getattr(value, part, None)
        if value is None:
            raise registry.NotApplicable("the module has no {}".format(need))


def imported(spec: "Json") -> "Json":
    """Import the module from this environment, and return the versions of what it is made of."""
    name = spec["module"]
    module = importlib.import_module(name)
    # On a Mac TMPDIR is below /var, a link to /private/var: one path may have the one, and one the
    # other.
    path = os.path.realpath(str(module.__file__))
    if not path.startswith(os.path.realpath(sys.prefix) + os.sep):
        raise registry.CheckFailed("it was imported from {}, not from {}".format(path, sys.prefix))
    facts = {"version": str(module.__version__), "python": sys.version.split()[0]}
    # Loaded now, where it is loaded lazily: else each check would load it again.
    keras = getattr(module, "keras", None)
    keras_version = getattr(keras, "__version__", None)
    if keras_version:
        facts["keras"] = str(keras_version)
    if "numpy" in sys.modules:
        facts["numpy"] = str(sys.modules["numpy"].__version__)
    return facts
