"""What a TensorFlow registers: its kernels by device and type, and the OpDefs that they are of."""

import importlib
import json
from typing import Any, Dict, List


def type_name(number: int) -> str:
    """Return a DataType's name such as `float32`; `#41` where TensorFlow knows none."""
    dtypes = importlib.import_module("tensorflow.python.framework.dtypes")
    try:
        return str(dtypes.as_dtype(number).name)
    except (TypeError, ValueError):
        return "#%d" % number


def kernel_rows() -> List[Dict[str, Any]]:
    """Return every kernel that is registered: op, device type, types by attribute, label."""
    kernels = importlib.import_module("tensorflow.python.framework.kernels")
    return [
        {
            "op": kernel.op,
            "device": kernel.device_type,
            "types": {
                constraint.name: [type_name(t) for t in constraint.allowed_values.list.type]
                for constraint in kernel.constraint
                if constraint.allowed_values.list.type
            },
            # Of other attributes, such as a flag: what sets two kernels for the same types apart.
            "values": {
                constraint.name: str(constraint.allowed_values)
                for constraint in kernel.constraint
                if not constraint.allowed_values.list.type
            },
            "label": kernel.label,
            "priority": kernel.priority,
        }
        for kernel in kernels.get_all_registered_kernels().kernel
    ]


def op_row(definition: Any) -> Dict[str, Any]:
    """Return what an OpDef says that decides whether and how the op can be called."""
    return {
        "attrs": {
            attr.name: {
                "type": attr.type,
                "allowed": [type_name(t) for t in attr.allowed_values.list.type],
            }
            for attr in definition.attr
        },
        # By a name of fixed type, such as a queue's; a variable's reference has the op's own type.
        "ref": any(
            arg.is_ref and not arg.type_attr
            for arg in list(definition.input_arg) + list(definition.output_arg)
        ),
    }


def op_rows(names: List[str]) -> Dict[str, Any]:
    """Return the OpDefs of these names; those that TensorFlow does not know are left out."""
    registry = importlib.import_module("tensorflow.python.framework.op_def_registry")
    definitions = {name: registry.get(name) for name in names}
    return {name: op_row(definition) for name, definition in definitions.items() if definition}


def list_file(path: str) -> None:
    """Write the listing as JSON: versions, devices, kernels, ops."""
    tf = importlib.import_module("tensorflow")
    kernels = kernel_rows()
    devices = [
        device.name.partition("physical_device:")[2] for device in tf.config.list_physical_devices()
    ]
    listing = {
        "tensorflow": tf.__version__,
        "devices": sorted(devices),
        "kernels": kernels,
        "ops": op_rows(sorted({kernel["op"] for kernel in kernels})),
    }
    with open(path, "w") as file:
        json.dump(listing, file)
