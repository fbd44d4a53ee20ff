"""One worker: calls its cases in order and writes a line before each call and after each case."""

import importlib
import time
from typing import Any, Callable, Dict, List

from . import recipes
from .calling import Call, Caller, Unprepared, as_device
from .comparing import EPSILON, Verdict, compare_samples, compare_shapes, compare_values
from .laws import law_of, limit_of, promised
from .session import SessionCaller, needs_session

Write = Callable[[Dict[str, Any]], None]


def work(cases: List[Dict[str, Any]], spec: Dict[str, Any], write: Write) -> None:
    """Call cases, each twice on the reference and twice on the device, and write their outcomes."""
    tf = importlib.import_module("tensorflow")
    # An op that the device has no kernel for must be an error, and never run elsewhere.
    tf.config.set_soft_device_placement(False)
    eager = Caller(recipes.RECIPES, recipes.default)
    graph = SessionCaller(recipes.RECIPES, recipes.default)
    for case in cases:
        caller = graph if needs_session(case["op"]) else eager
        write({"case": case["number"], "at": "reference"})
        started = time.time()
        outcome = attempt(caller, case, spec, write)
        write(dict(outcome, case=case["number"], seconds=round(time.time() - started, 4)))


def attempt(
    caller: Caller, case: Dict[str, Any], spec: Dict[str, Any], write: Write
) -> Dict[str, Any]:
    """Return a case's outcome, with why and the error.

    It is `equal`, `differ` or `raise`; `refused` or `unimplemented` where the reference does not
    take the call, `unprepared` where the device does not do what comes before or after it.
    """
    op, types, law = case["op"], case["types"], law_of(case["op"])
    references: List[Call] = []
    if case["reference"]:
        try:
            references = [caller.call(op, types, spec["reference"]) for _ in range(2)]
        except importlib.import_module("tensorflow").errors.UnimplementedError as error:
            return {"outcome": "unimplemented", "why": _sentence(error), "law": law}
        except Exception as error:
            return {"outcome": "refused", "why": _sentence(error), "law": law}
        steady = judge(references[1], references[0], op, types, law)
        if not steady.same:
            why = "the reference differs from itself: " + steady.why
            return {"outcome": "refused", "why": why, "law": law}
    write({"case": case["number"], "at": "device"})
    try:
        calls = [caller.call(op, types, spec["device"]) for _ in range(2)]
    except Unprepared as error:
        return {"outcome": "unprepared", "why": _sentence(error), "law": law}
    except Exception as error:
        return {"outcome": "raise", "why": _sentence(error), "law": law}
    return verdict_on(calls, references, case, spec["device"], law)


def verdict_on(
    calls: List[Call], references: List[Call], case: Dict[str, Any], device: str, law: str
) -> Dict[str, Any]:
    """Return the outcome of a device's two calls, against the reference's or against each other."""
    elsewhere = [d for call in calls for d in call.devices if not d.endswith(as_device(device))]
    if elsewhere:
        return {"outcome": "differ", "why": "it ran on %s" % elsewhere[0], "law": law}
    judged = [
        judge(call, (references or calls)[0], case["op"], case["types"], law) for call in calls
    ]
    errors = [verdict.error for verdict in judged if verdict.error is not None]
    row = {
        "law": law if references else "repeat",
        "error": max(errors) if errors else None,
        "limit": limit_of(case["op"]),
    }
    for number, verdict in enumerate(judged):
        if not verdict.same:
            return dict(row, outcome="differ", why="call %d: %s" % (number + 1, verdict.why))
    return dict(row, outcome="equal", why="")


def judge(call: Call, reference: Call, op: str, types: Dict[str, str], law: str) -> Verdict:
    """Return whether a call's outputs are what the op's law asks for beside the reference's."""
    count = promised(op)
    ours, theirs = call.outputs[:count], reference.outputs[:count]
    if law == "sample":
        return compare_samples(ours, theirs)
    if law == "shape":
        return compare_shapes(ours, theirs)
    coarsest = max([EPSILON.get(t, 0.0) for t in types.values()] + [0.0])
    return compare_values(ours, theirs, limit_of(op), coarsest)


def _sentence(error: Exception) -> str:
    """Return an error's first line, without the node's name that TensorFlow adds."""
    text = str(getattr(error, "message", "") or error).strip().partition("\n")[0]
    return "%s: %s" % (type(error).__name__, text[:300])
