"""Measures one workload in this process, and writes what was seen as JSON.

The span of a step ends when its loss has been read on the host: a device may work on long after
the call that starts a step has returned.
"""

import importlib
import json
import os
import platform
import resource
import sys
import time
import traceback
from typing import Any, Dict, List, Tuple

from .. import evidence
from ..plain import plain, text
from .bench_context import BenchContext, Step
from .sizes import size_of
from .workloads import WORKLOADS

Json = Dict[str, Any]

ML_COMPUTE = "mlcompute:"
"""How a device of Apple's fork of 2020 is named, which lists none: `mlcompute:gpu`."""


def main(specification: str) -> None:
    """Measure what the file `specification` asks for; what went wrong is a result, too."""
    with open(specification, encoding="utf-8") as opened:
        spec = json.load(opened)
    result: "Json" = {"schema": {"name": "bench-seen", "version": 1}, "why": ""}
    try:
        result.update(measure(spec))
    except BaseException as error:
        traceback.print_exc()
        why = text(f"{type(error).__name__}: {error}")
        result["why"] = why
    unfinished = spec["result"] + ".part"
    with open(unfinished, "w", encoding="utf-8") as opened:
        json.dump(plain(result), opened)
    os.rename(unfinished, spec["result"])
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: threads and destructors of the module's libraries could hang or crash there.
    os._exit(0)


def measure(spec: "Json") -> "Json":
    """Return the times of a workload's steps, its losses, and what it ran on."""
    began = time.perf_counter()
    tf = importlib.import_module(spec["module"])
    imported = time.perf_counter()
    device = choose_device(tf, spec["device"])
    tf.random.set_seed(0)
    context = BenchContext(tf, device, size_of(spec["workload"], spec["size"]))
    with context.on(device):
        step = WORKLOADS[spec["workload"]](context)
        built = time.perf_counter()
        (first, first_loss), placement = proven(context, step)
        seconds, losses = repeated(step, spec["warmup"], spec["steps"], spec["seconds"])
    return {
        "import_s": imported - began,
        "build_s": built - imported,
        "first_step_s": first,
        "steps_s": seconds,
        # As text: JSON has no NaN.
        "losses": [repr(loss) for loss in [first_loss, *losses]],
        "batch": context.size["batch"],
        "weights": sum(int(context.np.prod(weight.shape)) for weight in context.variables),
        "max_rss_mb": resident_mb(),
        "software": software(tf),
        "device": describe(tf, device),
        "placement": placement,
    }


def timed(step: "Step") -> "Tuple[float, float]":
    """Return the seconds of a step, its loss read on the host among them, and the loss."""
    began = time.perf_counter()
    loss = float(step())
    return time.perf_counter() - began, loss


def proven(context: BenchContext, step: "Step") -> "Tuple[Tuple[float, float], Json]":
    """Return the first step, as `timed`, and where its ops ran; of a CPU that is no question.

    Raises:
        RuntimeError: what takes time did not run on the device, whose time it would be.
    """
    if context.device.startswith("CPU:"):
        return timed(step), {}
    first, graphs = evidence.record(context, lambda: timed(step))
    seen = evidence.placement(evidence.nodes(graphs), context.device)
    wrong = evidence.faults(seen, context.device, "the first step") if context.device else []
    if not context.device and not seen["mlc"]:
        wrong = ["ML Compute took no part of the first step"]
    if wrong:
        raise RuntimeError("; ".join(wrong))
    return first, seen


def repeated(
    step: "Step", warmup: int, steps: int, limit: float
) -> "Tuple[List[float], List[float]]":
    """Return the seconds of the steps behind a warm-up, and the losses of all.

    A workload that is too slow for so many ends after `limit` seconds, but not before its third.
    """
    pairs: List[Tuple[float, float]] = []
    deadline = time.perf_counter() + limit
    while len(pairs) < warmup + steps:
        if time.perf_counter() > deadline and len(pairs) >= 3:
            break
        pairs.append(timed(step))
    losses = [loss for _, loss in pairs]
    # Of a workload that was ended early the later half counts.
    skipped = min(warmup, len(pairs) // 2)
    return [seconds for seconds, _ in pairs[skipped:]], losses


def choose_device(tf: Any, name: str) -> str:
    """Make a device the one to run on; return the name that ops are placed by, or "".

    Raises:
        LookupError: the module lists no such device.
    """
    if name.startswith(ML_COMPUTE):
        module = importlib.import_module("tensorflow.python.compiler.mlcompute")
        module.mlcompute.set_mlc_device(device_name=name[len(ML_COMPUTE) :])
        return ""
    devices = tf.config.list_physical_devices()
    names = [device.name.partition("physical_device:")[2] for device in devices]
    if name not in names:
        raise LookupError(f"there is no device {name}; there are {', '.join(names)}")
    if name.startswith("CPU:"):
        # Else a GPU would take what no device is named for.
        tf.config.set_visible_devices([device for device in devices if device.device_type == "CPU"])
    return name


def describe(tf: Any, name: str) -> "Json":
    """Return the device's name and what the module knows of it."""
    details: "Json" = {}
    for device in tf.config.list_physical_devices():
        if name and device.name.endswith(":" + name):
            details = dict(tf.config.experimental.get_device_details(device))
    return {"name": name, "details": details}


def software(tf: Any) -> "Json":
    """Return the versions that a time depends on."""
    return {
        "tensorflow": str(tf.__version__),
        "keras": str(getattr(tf.keras, "__version__", "")),
        "numpy": str(importlib.import_module("numpy").__version__),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "git_version": str(tf.version.GIT_VERSION),
        "threads": [
            tf.config.threading.get_inter_op_parallelism_threads(),
            tf.config.threading.get_intra_op_parallelism_threads(),
        ],
    }


def resident_mb() -> int:
    """Return the process's peak resident set in MiB: KiB on Linux, bytes on a Mac."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> 20 if sys.platform == "darwin" else peak >> 10
