"""What feeds a device and surrounds it: tf.data, strategies, memory, disk, and threads."""

import os
import resource
import sys
import threading
from typing import Any, Dict, Iterator, List

from ..bounds import megabytes
from ..context import Context
from ..lazy import np
from ..models import compiled, fitted, image_data, image_model, reseeded
from ..registry import CheckFailed, check

Json = Dict[str, Any]

LOSS = "sparse_categorical_crossentropy"


def _pipeline(ctx: Context) -> Any:
    tf = ctx.tf
    numbers = tf.data.Dataset.range(103).map(lambda i: tf.cast(i, tf.float32) * 2.0)
    return numbers.filter(lambda i: i < 190.0).cache().repeat(2).batch(16).prefetch(2)


@check("data.pipeline", group="data", needs=("data.Dataset",))
def check_pipeline(ctx: Context) -> Json:
    """A pipeline yields every element once in order, and shuffled, every element once."""
    ctx.soft_placement(True)
    right = np.array([2.0 * i for i in range(95)] * 2)
    with ctx.on(ctx.reference):  # where a pipeline's stages run, whatever the device
        seen = np.concatenate([batch.numpy() for batch in _pipeline(ctx)])
    if seen.shape != right.shape or (seen != right).any():
        raise CheckFailed("it yields {}".format(seen.tolist()))
    shuffled = [int(i) for i in ctx.tf.data.Dataset.range(100).shuffle(50, seed=3)]
    if sorted(shuffled) != list(range(100)) or shuffled == sorted(shuffled):
        raise CheckFailed("shuffled it yields {}".format(shuffled))
    return {"elements": len(right)}


@check("data.in_scope", group="data", issue="tensorflow#53026", needs=("data.Dataset",))
def check_in_scope(ctx: Context) -> Json:
    """A data set that is made and read in the device's scope feeds the device's operations."""
    ctx.soft_placement(True)
    x = ctx.rng(1).normal(size=(50, 3)).astype("float32")
    with ctx.on(ctx.device):
        data = ctx.tf.data.Dataset.from_tensor_slices(x).batch(16)
        rows = [(2.0 * batch).numpy() for batch in data]
    seen = np.concatenate(rows)
    if seen.shape != x.shape or (seen != 2 * x).any():
        raise CheckFailed("rows are not those that were put in")
    return {"batches": [len(each) for each in rows]}


@check("data.fit", group="data", needs=("data.Dataset", "keras.Sequential"))
def check_fit(ctx: Context) -> Json:
    """A model that is fed by tf.data has the losses that it has on the same arrays."""
    ctx.soft_placement(True)
    data, runs = image_data(ctx.rng(2), 150), []
    for source in ("arrays", "data set"):
        with ctx.on(ctx.device):
            model = image_model(ctx)
            reseeded(model, 6)
            compiled(ctx, model, ctx.keras.optimizers.SGD(0.05), LOSS)
        if source == "arrays":
            runs.append(fitted(ctx, model, data["x"], data["y"], epochs=2, batch_size=32))
        else:
            pairs = ctx.tf.data.Dataset.from_tensor_slices((data["x"], data["y"])).batch(32)
            runs.append(fitted(ctx, model, pairs.prefetch(2), None, epochs=2))
    if not np.abs(np.array(runs[0]) - np.array(runs[1])).max() < 1e-4:
        raise CheckFailed("losses differ", losses=runs)
    return {"losses": runs[0]}


@check("strategy", group="data", needs=("distribute", "keras.Sequential"))
def check_strategy(ctx: Context) -> Json:
    """In MirroredStrategy and OneDeviceStrategy on the device, a model has its plain losses."""
    ctx.soft_placement(True)
    tf, data = ctx.tf, image_data(ctx.rng(3), 96)
    strategies = {
        "plain": tf.distribute.get_strategy(),
        "one device": tf.distribute.OneDeviceStrategy("/device:" + ctx.device),
        "mirrored": tf.distribute.MirroredStrategy(["/device:" + ctx.device]),
    }
    losses = {}  # type: Dict[str, List[float]]
    for name, strategy in strategies.items():
        with strategy.scope(), ctx.on(ctx.device):
            model = image_model(ctx)
        reseeded(model, 7)
        with strategy.scope():
            compiled(ctx, model, ctx.keras.optimizers.SGD(0.05), LOSS)
        losses[name] = fitted(ctx, model, data["x"], data["y"], epochs=2, batch_size=32)
    for name, run in losses.items():
        if not np.abs(np.array(run) - np.array(losses["plain"])).max() < 1e-3:
            raise CheckFailed("{} has other losses".format(name), losses=losses)
    return {"losses": losses}


def resident_mb() -> float:
    """Return the memory that this process holds, in MiB; on a Mac, the most that it has held."""
    try:
        with open("/proc/self/statm") as opened:
            return int(opened.read().split()[1]) * resource.getpagesize() / 1048576.0
    except OSError:
        return float(megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def folder_bytes(folder: str) -> int:
    """Return the bytes of the files below a folder."""
    return sum(
        os.path.getsize(os.path.join(path, name))
        for path, _, names in os.walk(folder)
        for name in names
        if os.path.isfile(os.path.join(path, name))
    )


WARM, LEAK_MB = 40, 0.35
"""Steps before memory is watched; MiB that a step may keep. Nadam of apple#200 kept 0.6 GB an epoch
of some hundred steps, and batches here have 0.5 MiB; a sound 2.4.4 has shown 0.16."""


def _stepped(ctx: Context, optimizer: str, steps: int) -> "Iterator[float]":
    """Yield the memory that is held after each tenth step of a training."""
    data = image_data(ctx.rng(4), 1024)
    with ctx.on(ctx.device):
        model = image_model(ctx)
        compiled(ctx, model, getattr(ctx.keras.optimizers, optimizer)(0.001), LOSS)
        for step in range(steps):
            model.train_on_batch(data["x"], data["y"])
            if step >= WARM and step % 10 == 0:
                yield resident_mb()


@check("memory", group="memory", issue="apple#200", needs=("keras.Sequential",))
def check_memory(ctx: Context) -> Json:
    """Training keeps no memory from step to step, and fills no disk."""
    steps = 120 if ctx.quick else 240
    before = folder_bytes(os.getcwd())
    seen = {}  # type: Dict[str, List[float]]
    for optimizer in ("Adam",) if ctx.quick else ("Adam", "Nadam"):
        seen[optimizer] = list(_stepped(ctx, optimizer, steps))
    written = folder_bytes(os.getcwd()) - before
    slopes = {name: slope(held) / 10 for name, held in seen.items()}
    evidence = {"mb_a_step": slopes, "resident_mb": seen, "written": written}
    if not max(slopes.values()) < LEAK_MB:
        raise CheckFailed("it keeps {:.2f} MiB a step".format(max(slopes.values())), **evidence)
    if written > 1 << 20:
        raise CheckFailed("it has written {} bytes".format(written), **evidence)
    return evidence


def slope(values: "List[float]") -> float:
    """Return the median of the slopes between all pairs of values (Theil and Sen).

    A single jump, as of an allocator that takes its next block, is no slope.
    """
    pairs = [
        (late - early) / (j - i)
        for i, early in enumerate(values)
        for j, late in enumerate(values)
        if i < j
    ]
    return float(np.median(pairs))


@check("memory.eager", group="memory", issue="tensorflow#60616", needs=("GradientTape",))
def check_eager_memory(ctx: Context) -> Json:
    """Eager operations and their tapes keep no memory."""
    tf, held = ctx.tf, []  # type: Any, List[float]
    with ctx.on(ctx.device):
        x, w = tf.ones([256, 256]), tf.Variable(tf.ones([256, 256]))
        for step in range(200):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.matmul(x, w))
            w.assign_sub(0.01 * tape.gradient(loss, w))
            if step >= WARM and step % 10 == 0:
                held.append(resident_mb())
    kept = slope(held) / 10
    if not kept < LEAK_MB:
        raise CheckFailed("it keeps {:.2f} MiB a step".format(kept), resident_mb=held)
    return {"mb_a_step": kept}


@check("threads", group="threads", issue="apple#116", needs=("keras.Sequential",))
def check_threads(ctx: Context) -> Json:
    """Four threads that compute and predict at once each get their own right results."""
    ctx.soft_placement(True)
    tf, problems = ctx.tf, []  # type: Any, List[str]
    x = image_data(ctx.rng(5), 24)["x"]
    with ctx.on(ctx.device):
        model = image_model(ctx)
        model(tf.constant(x))
    right = model(tf.constant(x)).numpy()
    run = tf.function(lambda batch: model(batch, training=False), autograph=False)

    def work(number: int) -> None:
        rng = np.random.RandomState(number)
        a = rng.normal(size=(40, 40)).astype("float32")
        for _ in range(25):
            with ctx.on(ctx.device):
                product = tf.matmul(tf.constant(a), tf.constant(a)).numpy()
                predicted = run(tf.constant(x)).numpy()
            if not np.abs(product - a.astype("float64").dot(a)).max() < 1e-3:
                problems.append("thread {} has another product".format(number))
            if not np.abs(predicted - right).max() < 1e-4:
                problems.append("thread {} predicts something else".format(number))

    def guarded(number: int) -> None:
        try:
            work(number)
        except Exception as error:  # a thread's own would go to the log alone
            problems.append("thread {}: {}".format(number, error))

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise CheckFailed("; ".join(problems[:8]), problems=problems)
    return {"threads": len(threads), "python": sys.version.split()[0]}
