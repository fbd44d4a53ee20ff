"""Apple's fork of 2020: it lists no GPU and names no device, and has to be proved otherwise."""

import importlib
import json
import os
import subprocess
import sys
from typing import Any, Dict

from .. import logs
from ..context import Context
from ..registry import CheckFailed, NotApplicable, check

PROGRAM = """
import json, sys
import numpy as np
import tensorflow.compat.v1 as tf
try:
    from tensorflow.python.compiler.mlcompute import mlcompute
    mlcompute.set_mlc_device(device_name="gpu")
except ImportError:
    pass
tf.disable_eager_execution()
random = np.random.RandomState(5)
points = random.normal(size=(32, 8)).astype("float32")
labels = random.randint(0, 4, size=(32,)).astype("int64")
x, y = tf.placeholder("float32", (None, 8)), tf.placeholder("int64", (None,))
weights = [
    tf.get_variable(name, initializer=random.normal(size=shape).astype("float32"))
    for name, shape in (("hidden", (8, 16)), ("out", (16, 4)))
]
logits = tf.matmul(tf.nn.relu(tf.matmul(x, weights[0])), weights[1])
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
metadata, losses = tf.RunMetadata(), []
options = tf.RunOptions(output_partition_graphs=True)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(8):
        value, _ = session.run([loss, step], {x: points, y: labels}, options, metadata)
        losses.append(round(float(value), 6))
names = [node.name for graph in metadata.partition_graphs for node in graph.node]
nodes = sorted({name for name in names if name.startswith("MLCSubgraphOp")})
with open(sys.argv[1], "w") as opened:
    json.dump({"nodes": nodes, "losses": losses}, opened)
"""
"""Trains in graph mode, where ML Compute uses the GPU (apple#268); writes what the graph holds."""


@check("ml_compute", group="proof", issue="apple#195", needs=("raw_ops", "compat.v1"))
def check_ml_compute(ctx: "Context") -> "Dict[str, Any]":
    """ML Compute took the training's graphs, and does not when it is turned off."""
    if not is_compiled_in():
        raise NotApplicable("ML Compute is not compiled in")
    seen = {"main": observe({}), "control": observe({"TF_DISABLE_MLC": "1"})}
    faults = logs.ml_compute_faults(seen["main"], seen["control"])
    if faults:
        raise CheckFailed("; ".join(faults), **seen)
    return seen


def is_compiled_in() -> bool:
    """Whether the native hook of Apple's fork is there (apple#16); a queue's Python is no proof."""
    try:
        port = importlib.import_module("tensorflow.python._pywrap_util_port")
    except ImportError:
        return False
    return bool(getattr(port, "IsAppleMLCEnabled", bool)())


def observe(variables: "Dict[str, str]") -> "Dict[str, Any]":
    """Train in a process of its own, where the variables are set before the import.

    Returns:
        `nodes`, `losses` and `log`, as `logs.ml_compute_faults` takes them.
    """
    name = "control" if variables else "main"
    # Without the first, rejections are printed five times at most.
    environment = dict(os.environ, TF_MLC_LOGGING="1", TF_CPP_MIN_LOG_LEVEL="0", **variables)
    argv = [sys.executable, "-I", "-c", PROGRAM, name + ".json"]
    with open(name + ".log", "wb") as log:
        subprocess.check_call(argv, stdout=log, stderr=log, env=environment)
    with open(name + ".json") as opened:
        seen = dict(json.load(opened), log=logs.read(name + ".log"))  # type: Dict[str, Any]
    return seen
