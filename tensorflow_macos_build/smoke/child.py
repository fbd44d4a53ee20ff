"""What runs inside the fresh environment: imports the module, computes, trains, and says where.

It is started as a program by the environment's own Python, which may be as old as 3.7, and imports
nothing of this package. It rewrites its result file after each check, so that a crash leaves what
was seen before it. Arguments: the module's name, the result file.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Matrix = list[list[float]]

A = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
B = [[1.0, -1.0], [0.5, 2.0], [-3.0, 0.25]]
C = [[2.0, 0.5, -1.0], [1.5, -2.0, 4.0]]

TOLERANCE = 1e-5
"""Of the largest number of a result; 32-bit floats keep 1e-7, and a device may add in any order."""


def flat(value: Any) -> list[float]:
    """Return the numbers of nested lists, of an array or of a tensor, in order."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [number for item in value for number in flat(item)]
    return [float(value)]


def product(a: Matrix, b: Matrix) -> Matrix:
    """Return the matrix product."""
    # No `strict=`, here and below: zip takes it from Python 3.10 on.
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def pairs(a: Matrix, b: Matrix, op: Callable[[float, float], float]) -> Matrix:
    """Return an operation of two matrices, element by element."""
    return [[op(x, y) for x, y in zip(*rows)] for rows in zip(a, b)]


def expectations(tf: Any) -> list[tuple[str, Callable[[], Any], Any]]:
    """Return each op's name, how it is called, and what it has to give, computed in Python."""
    a, b, c = tf.constant(A), tf.constant(B), tf.constant(C)
    numbers = flat(A)
    return [
        ("matmul", lambda: tf.matmul(a, b), product(A, B)),
        ("add", lambda: tf.add(a, c), pairs(A, C, lambda x, y: x + y)),
        ("subtract", lambda: tf.subtract(a, c), pairs(A, C, lambda x, y: x - y)),
        ("multiply", lambda: tf.multiply(a, c), pairs(A, C, lambda x, y: x * y)),
        ("square", lambda: tf.square(a), [x * x for x in numbers]),
        ("reduce_sum", lambda: tf.reduce_sum(a), sum(numbers)),
        ("reduce_mean", lambda: tf.reduce_mean(a), sum(numbers) / len(numbers)),
    ]


def check_import(name: str) -> dict[str, Any]:
    """The module is imported, from this environment."""
    module = importlib.import_module(name)
    # On a Mac TMPDIR is below /var, a link to /private/var: one path may have the one, and one the
    # other.
    path = os.path.realpath(str(module.__file__))
    if not path.startswith(os.path.realpath(sys.prefix) + os.sep):
        raise AssertionError(f"it was imported from {path}, not from {sys.prefix}")
    return {"version": str(module.__version__), "python": sys.version.split()[0]}


def listed_devices(tf: Any) -> list[str]:
    """Return the devices that the module lists, such as `CPU:0`, sorted."""
    return sorted(
        d.name.partition("physical_device:")[2] for d in tf.config.list_physical_devices()
    )


def check_devices(tf: Any) -> dict[str, Any]:
    """It lists at least one device."""
    devices = listed_devices(tf)
    if not devices:
        raise AssertionError("it lists no device")
    return {"devices": devices}


def check_compute(tf: Any) -> dict[str, Any]:
    """Each op gives the right numbers and names a device that was listed."""
    listed = listed_devices(tf)
    ran_on = {}
    for name, call, expected in expectations(tf):
        result = call()
        right, got = flat(expected), flat(result)
        allowed = TOLERANCE * max(map(abs, right))
        if len(got) != len(right) or any(abs(g - r) > allowed for g, r in zip(got, right)):
            raise AssertionError(f"{name} gave {got}, not {right}")
        # `/job:localhost/replica:0/task:0/device:GPU:0`: the device that the op's kernel ran on
        # (EagerTensor.backing_device tells the two apart: that one is where the result lies).
        device = str(result.device)
        if device.partition("device:")[2] not in listed:
            raise AssertionError(f"{name} ran on {device!r}, which is none of {listed}")
        ran_on[name] = device
    return {"ran_on": ran_on}


def check_train(tf: Any) -> dict[str, Any]:
    """A small model learns: its loss stays finite and falls to less than a tenth.

    What it learns is linear in its two inputs, so that one layer can reach a loss of 0.
    """
    xs = [[0.1 * i, math.sin(i)] for i in range(20)]
    ys = [[0.7 * x - 1.3 * y + 0.2] for x, y in xs]
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="mse")
    history = model.fit(tf.constant(xs), tf.constant(ys), epochs=60).history
    losses = [float(loss) for loss in history["loss"]]
    first, last = losses[0], losses[-1]
    if not all(map(math.isfinite, losses)) or last > 0.1 * first:
        raise AssertionError(f"the loss went from {first:g} to {last:g}")
    return {"first_loss": first, "last_loss": last, "epochs": len(losses)}


def main(name: str, result_file: Path) -> None:
    """Run the checks in order; what follows a failed import is not tried."""
    rows: list[dict[str, Any]] = []

    def attempt(title: str, check: Callable[[Any], dict[str, Any]], argument: Any) -> bool:
        row: dict[str, Any] = {"name": title, "outcome": "passed", "why": "", "evidence": {}}
        try:
            row["evidence"] = check(argument)
        except Exception as error:
            traceback.print_exc()
            row.update(outcome="failed", why=f"{type(error).__name__}: {error}")
        rows.append(row)
        # The next check may crash this process: what is known by now is kept, whole.
        unfinished = result_file.with_suffix(".part")
        unfinished.write_text(json.dumps(rows), encoding="utf-8")
        unfinished.replace(result_file)
        return bool(row["outcome"] == "passed")

    if attempt("import", check_import, name):
        module = sys.modules[name]
        attempt("devices", check_devices, module)
        attempt("compute", check_compute, module)
        attempt("train", check_train, module)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
