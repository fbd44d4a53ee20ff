"""Whose kernels the device has: the wheel's own, or a plugin's."""

import ctypes
import glob
import importlib
import os
import subprocess
import sys
from typing import Any, Dict, List, Set

from ..context import Context
from ..registry import CheckFailed, NotApplicable, check

PLUGINS = "tensorflow-plugins"
"""The folder beside TensorFlow's that it loads plugins from, at its import."""

VARIABLE = "TF_PLUGGABLE_DEVICE_LIBRARY_PATH"
"""Names one more plugin, which need not be installed."""

SYMBOLS = (
    *("TF_AddNVariant", "TF_AssignRefVariable", "TF_AssignUpdateVariable", "TF_AssignVariable"),
    *("TF_DestroyTemporaryVariable", "TF_GetInputByName", "TF_GetInputTensorFromVariable"),
    *("TF_IsRefInput", "TF_MaybeLockVariableInputMutexesInOrder"),
    "TF_OpKernelConstruction_GetAttrTensorShape",
    "TF_OpKernelContext_ForwardRefInputToRefOutput",
    *("TF_ReleaseVariableInputLockHolder", "TF_TemporaryVariable", "TF_ZerosLikeVariant"),
)
"""Of kernels_experimental.h: without them no plugin can update a variable (tensorflow#126374)."""

TRAINING = frozenset({"MatMul", "BiasAdd", "Relu", "ReluGrad"})
"""What a plugin has kernels of its own for when anything is to be trained on its device."""

STOCK = """
import json, os, sys
real = os.path.exists
os.path.exists = lambda path: not str(path).endswith("tensorflow-plugins") and real(path)
from tensorflow.python.framework import kernels
with open(sys.argv[1], "wb") as opened:
    opened.write(kernels.get_all_registered_kernels().SerializeToString())
"""
"""Imports TensorFlow without its plugins: their folder looks as if it were not there."""


@check("kernels", sets=("full",), group="proof", needs=("raw_ops",))
def check_kernels(ctx: "Context") -> "Dict[str, Any]":
    """A plugin's device has kernels for training that the stock wheel has not."""
    kind = ctx.device.partition(":")[0]
    libraries = plugin_libraries(ctx)
    symbols = exported(os.path.dirname(os.path.abspath(ctx.tf.__file__)))
    seen = {
        "plugins": libraries,
        "symbols": sorted(symbols),
        "symbols_missing": sorted(set(SYMBOLS) - symbols),
    }  # type: Dict[str, Any]
    if not libraries:
        raise NotApplicable("no plugin is installed: the kernels are the wheel's own", **seen)
    kernels = importlib.import_module("tensorflow.python.framework.kernels")
    every = kernels.get_all_registered_kernels()
    here = registered(every, kind)
    own = here - registered(stock(type(every)), kind)
    ops = {kernel.partition(" ")[0] for kernel in own}
    seen.update(registered=len(here), of_plugin=len(own), ops=sorted(ops))
    lacking = sorted(TRAINING - ops)
    if lacking:
        raise CheckFailed("the plugin has no kernel for {}".format(", ".join(lacking)), **seen)
    return seen


def registered(kernels: "Any", kind: str) -> "Set[str]":
    """Return those of a list of kernels for a type of device, each as its op and constraints."""
    return {
        "{} {}".format(kernel.op, constraints(kernel))
        for kernel in kernels.kernel
        if kernel.device_type == kind
    }


def constraints(kernel: "Any") -> str:
    """Return what a kernel asks of a node's attributes, in one order: `T=1,2 Tidx=3`."""
    named = [
        "{}={}".format(asked.name, ",".join(map(str, sorted(asked.allowed_values.list.type))))
        for asked in kernel.constraint
    ]
    return " ".join(sorted(named) + ([kernel.label] if kernel.label else []))


def stock(list_of_kernels: "Any") -> "Any":
    """Return the kernels that the wheel registers without any plugin, seen in a process without."""
    result = os.path.abspath("stock")
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    subprocess.check_call([sys.executable, "-I", "-c", STOCK, result], env=environment)
    with open(result, "rb") as opened:
        return list_of_kernels.FromString(opened.read())


def plugin_libraries(ctx: "Context") -> "List[str]":
    """Return the files of the plugins that TensorFlow has loaded."""
    site = os.path.dirname(os.path.dirname(os.path.abspath(ctx.tf.__file__)))
    names = [*glob.glob(os.path.join(site, PLUGINS, "*")), os.environ.get(VARIABLE, "")]
    return sorted(os.path.basename(name) for name in names if name.endswith((".so", ".dylib")))


def exported(folder: str) -> "Set[str]":
    """Return those of `SYMBOLS` that the wheel's libraries export."""
    names = set()
    for path in glob.glob(os.path.join(folder, "libtensorflow*")):
        library = ctypes.CDLL(path)
        names |= {name for name in SYMBOLS if hasattr(library, name)}
    return names
