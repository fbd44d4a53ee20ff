"""Whether the device answers in time: no op of a training step waits for long."""

import time
from typing import Any, Callable, Dict, List

from ..context import Context
from ..registry import CheckFailed, check
from .placement import core_ops

CALLS = 12
"""Of each op; the fastest counts, so that a busy machine is no slow device."""

ALLOWED_S, ALLOWED_RATIO = 0.012, 20.0
"""A call may take so much longer than the reference's, and then so many times as long.

tensorflow#62397 is 650 ms a step. A Mac's GPU answers in less than a millisecond; these ops are so
small that it is all that counts.
"""


@check("latency", group="proof", issue="tensorflow#62397", virtual=False)
def check_latency(ctx: "Context") -> "Dict[str, Any]":
    """No small op takes milliseconds longer on the device than on the reference."""
    seconds, slow = {}, {}  # type: Dict[str, Dict[str, float]], Dict[str, str]
    for op, inputs, call in core_ops(ctx.tf, ctx.np):
        timed = {}
        for device in (ctx.reference, ctx.device):
            with ctx.on(device):
                tensors = [ctx.tf.constant(value) for value in inputs]
                timed[device] = fastest(call, tensors)
        seconds[op] = {device: round(spent, 6) for device, spent in timed.items()}
        if timed[ctx.device] > timed[ctx.reference] * ALLOWED_RATIO + ALLOWED_S:
            slow[op] = "{:.1f} ms".format(timed[ctx.device] * 1e3)
    us = {op: round(timed[ctx.device] * 1e6, 1) for op, timed in seconds.items()}
    seen = {"seconds": seconds, "op_us": us}
    if slow:
        listed = ", ".join("{} {}".format(*item) for item in sorted(slow.items()))
        raise CheckFailed("slow on {}: {}".format(ctx.device, listed), **seen)
    return seen


def fastest(call: "Callable[..., Any]", tensors: "List[Any]") -> float:
    """Return the seconds of the fastest of some calls, the result read back each time."""
    spent = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        call(*tensors).numpy()
        spent.append(time.perf_counter() - begun)
    return min(spent)
