"""What layers compute, in NumPy and float64: convolutions, pooling, normalisation, recurrence.

Axes are as TensorFlow has them on a CPU: batch first, channels last.
"""

import itertools
from typing import Any, List, Sequence, Tuple

from .lazy import np


def _pads(size: int, window: int, stride: int, padding: str) -> Tuple[int, int]:
    """Return the zeros before and after; TensorFlow's SAME puts the odd one after."""
    if padding == "VALID":
        return 0, 0
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def _windows(
    x: Any, windows: Sequence[int], strides: Sequence[int], padding: str, fill: float
) -> List[Tuple[Tuple[int, ...], Any]]:
    """Return, for each offset in a window, what lies there in every window: (offset, array)."""
    space = x.shape[1:-1]
    pads = [_pads(*each) for each in zip(space, windows, strides, [padding] * len(space))]
    padded = np.pad(x, [(0, 0), *pads, (0, 0)], "constant", constant_values=fill)
    counts = [
        (size + sum(pad) - window) // stride + 1
        for size, pad, window, stride in zip(space, pads, windows, strides)
    ]
    views = []
    for offset in itertools.product(*(range(window) for window in windows)):
        spans = [
            slice(start, start + (count - 1) * stride + 1, stride)
            for start, count, stride in zip(offset, counts, strides)
        ]
        window = (slice(None), *spans, slice(None))
        views.append((offset, padded[window]))
    return views


def dilated(w: Any, rates: Sequence[int]) -> Any:
    """Return a filter with rate-1 zeros between its taps."""
    axes = len(rates)
    sizes = [(size - 1) * rate + 1 for size, rate in zip(w.shape[:axes], rates)]
    spread = np.zeros(tuple(sizes) + w.shape[axes:])
    spread[tuple(slice(None, None, rate) for rate in rates)] = w
    return spread


def convolution(x: Any, w: Any, strides: Sequence[int], padding: str = "VALID") -> Any:
    """Return a convolution; the filter is (window…, channels in, channels out)."""
    windows = w.shape[:-2]
    return sum(part.dot(w[at]) for at, part in _windows(x, windows, strides, padding, 0.0))


def depthwise(x: Any, w: Any, strides: Sequence[int], padding: str = "VALID") -> Any:
    """Return a convolution by channel; the filter is (window…, channels, multiplier)."""
    parts = _windows(x, w.shape[:-2], strides, padding, 0.0)
    result = sum(part[..., None] * w[at] for at, part in parts)
    return result.reshape((*result.shape[:-2], w.shape[-2] * w.shape[-1]))


def transposed(x: Any, w: Any, strides: Sequence[int], padding: str = "VALID") -> Any:
    """Return a transposed convolution; the filter is (window…, channels out, channels in)."""
    space, windows = x.shape[1:-1], w.shape[:-2]
    full = [(size - 1) * s + max(window, s) for size, window, s in zip(space, windows, strides)]
    result = np.zeros((len(x), *tuple(full), w.shape[-2]))
    for offset in itertools.product(*(range(window) for window in windows)):
        spans = [
            slice(start, start + (size - 1) * stride + 1, stride)
            for start, size, stride in zip(offset, space, strides)
        ]
        reached = (slice(None), *spans)
        result[reached] += x.dot(w[offset].T)
    if padding == "VALID":
        return result
    cuts = [
        slice(max(window - s, 0) // 2, max(window - s, 0) // 2 + size * s)
        for size, window, s in zip(space, windows, strides)
    ]
    kept = (slice(None), *cuts)
    return result[kept]


def max_pool(x: Any, windows: Sequence[int], strides: Sequence[int], padding: str) -> Any:
    """Return the largest of each window."""
    parts = _windows(x, windows, strides, padding, -np.inf)
    return np.max([part for _, part in parts], axis=0)


def average_pool(x: Any, windows: Sequence[int], strides: Sequence[int], padding: str) -> Any:
    """Return the mean of each window; what was padded does not count."""
    total = sum(part for _, part in _windows(x, windows, strides, padding, 0.0))
    ones = np.ones((1, *x.shape[1:]))
    return total / sum(part for _, part in _windows(ones, windows, strides, padding, 0.0))


def softmax(x: Any) -> Any:
    """Return the softmax over the last axis."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True)) if x.size else x
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(x: Any) -> Any:
    """Return the logistic function."""
    return 1.0 / (1.0 + np.exp(-x))


def layer_norm(x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    """Return what has mean 0 and variance 1 over the last axis, scaled and moved."""
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def batch_norm(x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    """Return what has mean 0 and variance 1 over all axes but the last, scaled and moved."""
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axis=axes)) / np.sqrt(x.var(axis=axes) + epsilon) * gamma + beta


def attention(query: Any, value: Any, key: Any) -> Any:
    """Return dot-product attention (Luong), as Keras' layer Attention has it."""
    return np.matmul(softmax(np.matmul(query, np.swapaxes(key, -1, -2))), value)


def simple_rnn(x: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    """Return the states of a recurrent layer after each step: (batch, steps, units)."""
    state, states = np.zeros((len(x), recurrent.shape[0])), []
    for step in range(x.shape[1]):
        state = np.tanh(x[:, step].dot(kernel) + state.dot(recurrent) + bias)
        states.append(state)
    return np.stack(states, axis=1)


def lstm(x: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    """Return the states of an LSTM after each step; the gates are input, forget, cell, output."""
    state = np.zeros((len(x), recurrent.shape[0]))
    cell, states = state, []
    for step in range(x.shape[1]):
        gates = x[:, step].dot(kernel) + state.dot(recurrent) + bias
        i, f, c, o = np.split(gates, 4, axis=1)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        state = sigmoid(o) * np.tanh(cell)
        states.append(state)
    return np.stack(states, axis=1)


def gru(x: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    """Return the states of a GRU (reset after, bias of 2 rows); gates are update, reset, new."""
    state, states = np.zeros((len(x), recurrent.shape[0])), []
    for step in range(x.shape[1]):
        from_input = np.split(x[:, step].dot(kernel) + bias[0], 3, axis=1)
        from_state = np.split(state.dot(recurrent) + bias[1], 3, axis=1)
        update = sigmoid(from_input[0] + from_state[0])
        reset = sigmoid(from_input[1] + from_state[1])
        state = update * state + (1 - update) * np.tanh(from_input[2] + reset * from_state[2])
        states.append(state)
    return np.stack(states, axis=1)
