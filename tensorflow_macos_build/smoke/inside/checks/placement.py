"""Whether it was the device that computed: op by op, and in a model's training."""

from typing import Any, Callable, Dict, List, Tuple

from .. import evidence, logs
from ..context import Context
from ..registry import CheckFailed, NotApplicable, check
from . import ml_compute

Call = Callable[[Any, Any], Any]


def core_ops(tf: "Any", np: "Any") -> "List[Tuple[str, List[Any], Call]]":
    """Return the ops that no device for training can lack, with inputs and a call of each."""
    raw = tf.raw_ops
    image = np.linspace(-1.0, 1.0, 2 * 8 * 8 * 3).reshape(2, 8, 8, 3).astype("float32")
    kernel = np.linspace(-0.5, 0.5, 3 * 3 * 3 * 4).reshape(3, 3, 3, 4).astype("float32")
    gradient = np.linspace(-1.0, 1.0, 2 * 8 * 8 * 4).reshape(2, 8, 8, 4).astype("float32")
    matrix = np.linspace(-1.0, 1.0, 6 * 4).reshape(6, 4).astype("float32")
    bias = np.arange(4, dtype="float32")
    window = {"strides": [1, 1, 1, 1], "padding": "SAME"}
    return [
        ("MatMul", [matrix, matrix], lambda a, b: raw.MatMul(a=a, b=b, transpose_b=True)),
        ("BiasAdd", [matrix, bias], lambda a, b: raw.BiasAdd(value=a, bias=b)),
        ("BiasAddGrad", [matrix, bias], lambda a, b: raw.BiasAddGrad(out_backprop=a)),
        ("AddV2", [matrix, bias], lambda a, b: raw.AddV2(x=a, y=b)),
        ("Mul", [matrix, bias], lambda a, b: raw.Mul(x=a, y=b)),
        ("Sub", [matrix, bias], lambda a, b: raw.Sub(x=a, y=b)),
        ("Relu", [matrix, bias], lambda a, b: raw.Relu(features=a)),
        ("ReluGrad", [matrix, matrix], lambda a, b: raw.ReluGrad(gradients=a, features=b)),
        ("Softmax", [matrix, bias], lambda a, b: raw.Softmax(logits=a)),
        ("Sum", [matrix, bias], lambda a, b: raw.Sum(input=a, axis=[0])),
        ("Conv2D", [image, kernel], lambda a, b: raw.Conv2D(input=a, filter=b, **window)),
        (
            "Conv2DBackpropInput",
            [gradient, kernel],
            lambda a, b: raw.Conv2DBackpropInput(
                input_sizes=[2, 8, 8, 3], filter=b, out_backprop=a, **window
            ),
        ),
        (
            "Conv2DBackpropFilter",
            [gradient, image],
            lambda a, b: raw.Conv2DBackpropFilter(
                input=b, filter_sizes=[3, 3, 3, 4], out_backprop=a, **window
            ),
        ),
        ("MaxPool", [image, bias], lambda a, b: raw.MaxPool(input=a, ksize=[1, 2, 2, 1], **window)),
    ]


@check("placement", group="proof", issue="apple#74")
def check_placement(ctx: "Context") -> "Dict[str, Any]":
    """Each of the ops that training needs runs on the device, and is asked for nowhere else."""
    tf = ctx.tf
    ran, missing = {}, {}  # type: Dict[str, str], Dict[str, str]
    for op, inputs, call in core_ops(tf, ctx.np):
        with ctx.on(ctx.device):
            tensors = [tf.constant(value) for value in inputs]
            try:
                # Soft placement is off: without a kernel this is an error.
                result = call(*tensors)
            except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError) as error:
                missing[op] = str(error).partition("\n")[0][:300]
                continue
        ran[op] = evidence.short(result.device)
    elsewhere = {op: device for op, device in ran.items() if device != ctx.device}
    seen = {"ran_on": ran, "missing": missing}
    if missing:
        names = ", ".join(sorted(missing))
        raise CheckFailed("{} has no kernel for {}".format(ctx.device, names), **seen)
    if elsewhere:
        raise CheckFailed("not on {}: {}".format(ctx.device, elsewhere), **seen)
    return seen


@check("training_on_device", group="proof", issue="apple#195", needs=("keras.layers", "raw_ops"))
def check_training(ctx: "Context") -> "Dict[str, Any]":
    """A model's training and a session's steps spend their heavy ops on the device."""
    if ml_compute.is_compiled_in():
        raise NotApplicable("ML Compute names no device: the check ml_compute tells")
    # As users have it: what has no kernel goes to the CPU, and is counted here.
    ctx.soft_placement(True)
    fitted = evidence.placement(evidence.nodes(fit(ctx)), ctx.device)
    stepped = session_steps(ctx)
    wrong = evidence.faults(fitted, ctx.device, "fit") + evidence.faults(
        stepped, ctx.device, "session"
    )
    seen = {"fit": fitted, "session": stepped, "log": logs.read(ctx.log)}
    if ctx.virtual:
        del stepped["microseconds"], stepped["shares_of_time"]  # nobody's: no times are taken
    else:
        seen["coverage"] = stepped["shares_of_time"]
    if wrong:
        raise CheckFailed("; ".join(wrong), **seen)
    return seen


def fit(ctx: "Context") -> "List[Any]":
    """Train a small convolutional network for two steps; return the graphs that it ran."""
    keras, random = ctx.keras, ctx.rng(3)
    images = random.normal(size=(32, 12, 12, 1)).astype("float32")
    labels = random.randint(0, 4, size=(32,)).astype("int64")

    def train() -> None:
        with ctx.on(ctx.device):
            # A variable is where it was made, and ops on it follow: the model is built in here.
            model = keras.Sequential(
                [
                    keras.layers.Conv2D(4, 3, activation="relu"),
                    keras.layers.MaxPooling2D(),
                    keras.layers.Flatten(),
                    keras.layers.Dense(16, activation="relu"),
                    keras.layers.Dense(4),
                ]
            )
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            # Keras 3 asks for XLA by itself where a GPU is listed; no plugin's device has it.
            flags = {"jit_compile": False} if ctx.keras_version >= 3 else {}
            model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss, **flags)
            model.fit(images, labels, batch_size=16, epochs=1, verbose=0, shuffle=False)

    return evidence.record(ctx, train)[1]


def session_steps(ctx: "Context") -> "Dict[str, Any]":
    """Train a dense layer in a session; return what the trace of a step says."""
    v1 = ctx.tf.compat.v1
    random = ctx.rng(4)
    points = random.normal(size=(32, 8)).astype("float32")
    labels = random.randint(0, 4, size=(32,)).astype("int64")
    with ctx.tf.Graph().as_default():
        with ctx.on(ctx.device):
            x, y = v1.placeholder("float32", (None, 8)), v1.placeholder("int64", (None,))
            weights = [
                v1.get_variable(name, initializer=random.normal(size=shape).astype("float32"))
                for name, shape in (("hidden", (8, 16)), ("out", (16, 4)))
            ]
            logits = ctx.tf.matmul(ctx.tf.nn.relu(ctx.tf.matmul(x, weights[0])), weights[1])
            losses = v1.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
            loss = v1.reduce_mean(losses)
            step = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
        return traced(ctx, [loss, step], {x: points, y: labels})


def traced(ctx: "Context", fetches: "List[Any]", feed: "Dict[Any, Any]") -> "Dict[str, Any]":
    """Run fetches of the default graph three times; return the trace of the last."""
    v1 = ctx.tf.compat.v1
    options = v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE, output_partition_graphs=True)
    metadata = v1.RunMetadata()
    with v1.Session(config=session_config(ctx)) as session:
        session.run(v1.global_variables_initializer())
        for _ in range(2):  # the first steps make what the later ones use
            session.run(fetches, feed)
        session.run(fetches, feed, options=options, run_metadata=metadata)
    return evidence.stepped(metadata, ctx.device)


def session_config(ctx: "Context") -> "Any":
    """Return a session's settings. It makes its devices by itself: as many CPUs as are named."""
    cpus = int(ctx.device.partition(":")[2]) + 1 if ctx.device.startswith("CPU:") else 1
    return ctx.tf.compat.v1.ConfigProto(allow_soft_placement=True, device_count={"CPU": cpus})
