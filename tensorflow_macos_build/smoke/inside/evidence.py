"""Where ops ran: from the graphs that TensorFlow executed, and from a session's own trace.

Partition graphs are what is left after placement and optimisation, one for each device: they say
where an op will run. Step stats say where it did, with the time that it took, but only of a session
(TensorFlow 2's run metadata has none). The device of a function's result says neither: it names
`CPU:0` for what was computed on another device, and the device for what was folded to a constant.
"""

import importlib
import re
from typing import Any, Callable, Dict, Iterable, List, Tuple

HEAVY = frozenset(
    {
        *("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv3D"),
        *("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter", "FusedBatchNormEx"),
        *("Conv3DBackpropInputV2", "Conv3DBackpropFilterV2", "DepthwiseConv2dNative"),
        *("DepthwiseConv2dNativeBackpropInput", "DepthwiseConv2dNativeBackpropFilter"),
        *("FusedBatchNormV3", "FusedBatchNormGradV3", "MaxPool", "MaxPoolGrad", "AvgPool"),
        *("AvgPoolGrad", "CudnnRNNV3", "CudnnRNNBackpropV3"),
    }
)
"""What training spends its time in."""

# What grappler and oneDNN make of an op, or of a pair: _FusedConv2D, _MklNativeFusedMatMul.
_REWRITTEN = re.compile(r"^_(?:Mkl)?(?:Native)?(?:Fused(?!BatchNorm))?")

COPIES = frozenset({"_Send", "_Recv", "_HostSend", "_HostRecv"})
"""The two ends of a copy from one device, or one memory, to another."""

# What computes nothing: arguments, results, constants, the sequence of other ops.
PASSIVE = frozenset(
    {"_Arg", "_Retval", "_DeviceArg", "_DeviceRetval", "Const", "NoOp", "Placeholder"}
)

_DEVICE = re.compile(r"device:([A-Za-z_]+):(\d+)")
_OLD_DEVICE = re.compile(r"/(cpu|gpu):(\d+)")

Counts = Dict[str, Dict[str, int]]


def short(device: str) -> str:
    """Return the short name of a device: `GPU:0`.

    >>> short("/job:localhost/replica:0/task:0/device:GPU:0")
    'GPU:0'
    """
    matched = _DEVICE.search(device) or _OLD_DEVICE.search(device)
    return "{}:{}".format(matched.group(1).upper(), matched.group(2)) if matched else device


def heavy(ops: "Iterable[str]") -> "List[str]":
    """Return those of `HEAVY` that ops are, or have been made of, sorted.

    >>> heavy(["_MklNativeFusedConv2D", "Relu", "MatMul"])
    ['Conv2D', 'MatMul']
    """
    return sorted(HEAVY & {_REWRITTEN.sub("", op) for op in ops})


def record(ctx: Any, call: "Callable[[], Any]") -> "Tuple[Any, List[Any]]":
    """Return what a call returns, and the partition graphs of the functions that it made."""
    context = importlib.import_module("tensorflow.python.eager.context").context()
    context.ensure_initialized()
    context.enable_run_metadata()
    try:
        result = call()
        # A function is in the metadata only if it was first instantiated since.
        metadata = context.export_run_metadata()
    finally:
        context.disable_run_metadata()
    graphs = [graph for made in metadata.function_graphs for graph in made.partition_graphs]
    return result, graphs or list(metadata.partition_graphs)


def nodes(graphs: "Iterable[Any]") -> "List[Tuple[str, str, str]]":
    """Return (device, op, name) of every node of graphs, those of their functions with them."""
    listed = []  # type: List[Tuple[str, str, str]]
    for graph in graphs:
        own = [(short(node.device), node.op, node.name) for node in graph.node]
        # What a function's node is placed on where it names no device: where it is called from.
        whole = own[0][0] if own else ""
        listed += own
        for function in graph.library.function:
            for node in function.node_def:
                listed.append((short(node.device) or whole, node.op, node.name))
    return listed


def placement(listed: "Iterable[Tuple[str, str, str]]", device: str) -> "Dict[str, Any]":
    """Return what nodes say of a device.

    Returns:
        `on_device` and `elsewhere`: counts by op, without what computes nothing; `copies`: how
        many ends of copies; `heavy_elsewhere`: the heavy ops that are not on the device; `share`:
        the device's part of all that computes; `mlc`: the names of ML Compute's nodes.
    """
    on_device, elsewhere = {}, {}  # type: Dict[str, int], Dict[str, int]
    copies, mlc = 0, []  # type: int, List[str]
    for where, op, name in listed:
        if op.startswith("MLC") or name.startswith("MLCSubgraphOp"):
            mlc.append(name)
        if op in COPIES:
            copies += 1
        elif op not in PASSIVE:
            counts = on_device if where == device else elsewhere
            counts[op] = counts.get(op, 0) + 1
    total = sum(on_device.values()) + sum(elsewhere.values())
    return {
        "on_device": on_device,
        "elsewhere": elsewhere,
        "heavy_on_device": heavy(on_device),
        "heavy_elsewhere": heavy(elsewhere),
        "copies": copies,
        "share": round(sum(on_device.values()) / float(total), 4) if total else 0.0,
        "mlc": mlc[:100],
    }


def stepped(metadata: "Any", device: str) -> "Dict[str, Any]":
    """Return what a session's trace says: which ops ran where, and how long each took.

    Args:
        metadata: a RunMetadata of FULL_TRACE with partition graphs.
        device: the device that is asked about.

    Returns:
        As `placement`, counted by what ran; `microseconds` by device, and `shares_of_time`: each
        device's part of the time of all that computes.
    """
    ops = {node.name: node.op for graph in metadata.partition_graphs for node in graph.node}
    ran, spent = [], {}  # type: List[Tuple[str, str, str]], Dict[str, int]
    for stats in metadata.step_stats.dev_stats:
        where = short(stats.device)
        # A plugin's tracer may report its queues beside the device: `…/device:GPU:0/stream:all`.
        if "stream" in stats.device or "memcpy" in stats.device:
            continue
        for node in stats.node_stats:
            op = ops.get(node.node_name, labelled(node.timeline_label))
            ran.append((where, op, node.node_name))
            if op not in PASSIVE and op not in COPIES:
                spent[where] = spent.get(where, 0) + max(0, int(node.op_end_rel_micros))
    seen = placement(ran, device)
    total = float(sum(spent.values())) or 1.0
    seen["microseconds"] = spent
    seen["shares_of_time"] = {where: round(part / total, 4) for where, part in spent.items()}
    # Of copies the trace has but the ends that took time; the graphs have all.
    seen["copies"] = placement(nodes(metadata.partition_graphs), device)["copies"]
    return seen


def labelled(label: str) -> str:
    """Return the op that a label of the timeline names.

    >>> labelled("dense/MatMul = MatMul(x, w)")
    'MatMul'
    """
    return label.partition(" = ")[2].partition("(")[0]


def faults(seen: "Dict[str, Any]", device: str, what: str) -> "List[str]":
    """Return what is wrong with where ops were: a heavy op elsewhere, or none at all."""
    wrong = []
    if seen["heavy_elsewhere"]:
        wrong.append("{}: {} not on {}".format(what, ", ".join(seen["heavy_elsewhere"]), device))
    if not seen["heavy_on_device"]:
        wrong.append("{}: no heavy op on {}".format(what, device))
    return wrong
