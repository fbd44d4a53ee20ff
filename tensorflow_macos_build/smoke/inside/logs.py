"""What the backends' own log lines say; each phrase is from a public issue, named beside it."""

import re
from typing import Any, Dict, List

PHRASES = {
    # tensorflow#56782, #87972: plugins of Metal
    "metal_device": r"Metal device set to:\s*(.+)",
    "device_created": r"Created TensorFlow device \(\S*device:(\w+:\d+) with .*-> physical "
    r"PluggableDevice \(device: \d+, name: (\w+)",
    "plugin_optimizer": r"Plugin optimizer for device_type (\w+) is enabled",
    # apple#160: the two ways into ML Compute
    "mlc_graph_pass": r"MLCGraphConversionPass: Initialized",
    "mlc_eager_pass": r"MLCEagerOpRewrite: Initialized",
    # apple#257, #195, #218, #264, #252: what became of a subgraph
    "mlc_accepted": r"Finished converting subgraph (MLCSubgraphOp_\w+)",
    "mlc_rejected": r"Failed in processing TensorFlow graph (MLCSubgraphOp_\w+)",
    "mlc_fallback": r"Falling back to TensorFlow\.\.\.",
    # apple#16, #76
    "mlc_aborted": r"No MLCTrainingGraph has been found|Cannot execute MLCTrainingGraph",
    # apple#71: asked for the GPU while eager; by itself no failure
    "mlc_eager_on_cpu": r"Eager mode uses the CPU\. Switching to the CPU",
}
"""By name, a regular expression; its groups are kept. All but one are written by code in C++."""

LONGEST = 8 << 20
"""Characters of a log that are read."""


def phrases(text: str) -> "Dict[str, List[str]]":
    """Return the phrases that a log holds, by name, each time with what its groups matched."""
    seen = {}  # type: Dict[str, List[str]]
    for name, pattern in PHRASES.items():
        matches = [" ".join(m.groups()).strip() for m in re.finditer(pattern, text[:LONGEST])]
        if matches:
            seen[name] = matches[:100]
    return seen


def read(path: str) -> "Dict[str, List[str]]":
    """Return the phrases of a file; none where there is no file."""
    if not path:
        return {}
    with open(path, encoding="utf-8", errors="replace") as opened:
        return phrases(opened.read(LONGEST))


def ml_compute_faults(main: "Dict[str, Any]", control: "Dict[str, Any]") -> "List[str]":
    """Return what speaks against ML Compute having trained.

    Args:
        main: of a run with it, `nodes`: names of its subgraphs in the optimised graphs; `log`:
            what `phrases` returns; `losses`.
        control: the same of a run with TF_DISABLE_MLC=1.

    Its README demands two subgraphs of a training at least: forward and gradient.
    """
    log, faults = main["log"], []
    subgraphs = set(main["nodes"]) | set(log.get("mlc_accepted", []))
    if len(subgraphs) < 2:
        faults.append("{} of the graph went to ML Compute, not two".format(len(subgraphs)))
    if log.get("mlc_rejected"):
        faults.append("it rejected {}".format(", ".join(log["mlc_rejected"][:5])))
    if log.get("mlc_fallback"):
        faults.append("it fell back to the CPU {} times".format(len(log["mlc_fallback"])))
    if log.get("mlc_aborted"):
        faults.append("it lost its training graph")
    if control["nodes"] or control["log"].get("mlc_accepted"):
        faults.append("TF_DISABLE_MLC=1 did not turn it off: the control proves nothing")
    if not nearly(main["losses"], control["losses"]):
        faults.append(
            "its losses are {} and without it {}".format(main["losses"], control["losses"])
        )
    return faults


def nearly(losses: "List[float]", others: "List[float]") -> bool:
    """Whether two trainings from the same weights went the same way."""
    pairs = list(zip(losses, others))
    # Not `>`: a NaN is neither more nor less.
    same = all(abs(loss - other) <= 1e-3 * max(1.0, abs(other)) for loss, other in pairs)
    return bool(pairs) and len(losses) == len(others) and same
