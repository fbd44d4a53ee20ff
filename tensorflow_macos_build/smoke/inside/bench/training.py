"""A step of supervised training, in graph mode."""

from typing import Any, Callable

from .bench_context import BenchContext


def classifier_step(context: BenchContext, model: Any, rate: float) -> "Callable[..., Any]":
    """Return a traced step that trains a model of logits on inputs and labels."""
    tf = context.tf
    loss_of = context.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = context.adam(rate, model.trainable_variables)

    def step(inputs: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(inputs, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    traced: Callable[..., Any] = tf.function(step)
    return traced
