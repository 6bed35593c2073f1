"""Keras' bidirectional LSTM, trained in fewer operations.

Keras multiplies the inputs of each step on their own, and adds up the gradient of
the weights step by step. Here that is done for all steps at once, before and after
the recurrence, of which the gradient is written down. The numbers are those of
Keras, to rounding.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

_SHUT = -1e9  # of which a sigmoid is 0


@contextlib.contextmanager
def quick_recurrence(model: Any) -> Iterator[None]:
    """Let what a model computes be traced in fewer operations.

    Parameters
    ----------
    model : keras.Model
        With bidirectional LSTMs whose masks are true first, then false. Those of
        other settings than ours stay as they are, and so do all on a GPU, for
        which Keras has cuDNN.
    """
    import tensorflow as tf

    layers = [layer for layer in model.layers if _is_as_ours(layer)]
    if tf.config.list_physical_devices("GPU"):
        layers = []
    for layer in layers:
        layer.call = _make_call(layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call


def _is_as_ours(layer):
    import keras

    if type(layer) is not keras.layers.Bidirectional or layer.merge_mode != "concat":
        return False
    return all(
        type(lstm) is keras.layers.LSTM
        and lstm.compute_dtype == "float32"
        and lstm.cell.activation is keras.activations.tanh
        and lstm.cell.recurrent_activation is keras.activations.sigmoid
        and lstm.cell.use_bias
        and not (lstm.cell.dropout or lstm.cell.recurrent_dropout)
        and not (lstm.stateful or lstm.unroll)
        and lstm.return_sequences == lstm.return_state
        for lstm in (layer.forward_layer, layer.backward_layer)
    )


def _make_call(layer):
    import tensorflow as tf

    def call(sequences, initial_state=None, mask=None, training=None):
        cells = layer.forward_layer.cell, layer.backward_layer.cell
        forward, backward = _multiply(sequences, cells)
        if mask is not None:
            # Backward, padding comes first, and nothing may enter there.
            real = tf.expand_dims(tf.transpose(mask), -1)
            backward = tf.where(real, backward, _SHUT)
        kernels = [_order_gates(cell.recurrent_kernel) for cell in cells]
        forward = _recur(forward, kernels[0])
        backward = _recur(backward, kernels[1], go_backwards=True)
        ends = _find_last(forward, mask), backward[0]
        if not layer.return_sequences:
            return tf.concat(ends, axis=1)
        states = tf.transpose(tf.concat([forward, backward], axis=2), [1, 0, 2])
        unread = tf.zeros_like(ends[0])
        return states, ends[0], unread, ends[1], unread

    return call


def _multiply(sequences, cells):
    """Return what the inputs add to the gates of each cell, frames first."""
    import tensorflow as tf

    kernel, bias = (
        tf.concat([_order_gates(weight) for weight in weights], axis=-1)
        for weights in zip(*((cell.kernel, cell.bias) for cell in cells), strict=True)
    )
    products = tf.transpose(tf.tensordot(sequences, kernel, 1) + bias, [1, 0, 2])
    return tf.split(products, len(cells), axis=2)


def _order_gates(weight):
    """Put those that are sigmoids side by side: input, forget, output; candidate."""
    import tensorflow as tf

    enter, forget, new, leave = tf.split(tf.convert_to_tensor(weight), 4, axis=-1)
    return tf.concat([enter, forget, leave, new], axis=-1)


def _find_last(states, mask):
    import tensorflow as tf

    if mask is None:
        return states[-1]
    lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    return tf.gather_nd(
        states, tf.stack([lengths - 1, tf.range(tf.size(lengths))], axis=1)
    )


def _recur(inputs, kernel, go_backwards=False):
    """Return the states of a cell, of shape (n_frames, n_rows, n_units)."""
    import tensorflow as tf

    n_units = kernel.shape[0]
    last = tf.shape(inputs)[0] - 1

    def same(number):
        return number

    def turned(number):
        return last - number

    there, back = (turned, same) if go_backwards else (same, turned)

    @tf.custom_gradient
    def recur(inputs, kernel):
        end, states, *kept = _go_there(there, inputs, kernel)
        states = states.stack()

        def gradient(by_states):
            by_inputs = _go_back(back, end, kept, kernel, by_states)
            before, after = states[:-1], by_inputs[1:]
            if go_backwards:
                before, after = states[1:], by_inputs[:-1]
            by_kernel = tf.matmul(
                tf.reshape(before, [-1, n_units]),
                tf.reshape(after, [-1, 4 * n_units]),
                transpose_a=True,
            )
            return by_inputs, by_kernel

        return states, gradient

    return recur(inputs, kernel)


def _go_there(when: Callable, inputs, kernel):
    """Return the last cells, and all states, gates, candidates and cells before."""
    import tensorflow as tf

    n_frames, n_rows, _ = tf.unstack(tf.shape(inputs))
    n_units = kernel.shape[0]

    def step(number, cell, state, *arrays):
        time = when(number)
        total = tf.gather(inputs, time) + tf.matmul(state, kernel)
        gates, new = tf.split(total, [3 * n_units, n_units], axis=1)
        gates, new = tf.sigmoid(gates), tf.tanh(new)
        enter, forget, leave = tf.split(gates, 3, axis=1)
        after = forget * cell + enter * new
        state = leave * tf.tanh(after)
        values = state, gates, new, cell
        written = (
            array.write(time, value)
            for array, value in zip(arrays, values, strict=True)
        )
        return number + 1, after, state, *written

    widths = (n_units, 3 * n_units, n_units, n_units)
    arrays = [_make_array(n_frames, width) for width in widths]
    zeros = tf.zeros([n_rows, n_units])
    _, end, _, *arrays = _loop(n_frames, step, (zeros, zeros, *arrays))
    return end, *arrays


def _go_back(when: Callable, end, kept, kernel, by_states):
    """Return the derivatives by the inputs from those by the states."""
    import tensorflow as tf

    n_frames, n_rows, _ = tf.unstack(tf.shape(by_states))

    def step(number, after, by_cell, by_state, array):
        time = when(number)
        gates, new, cell = (values.read(time) for values in kept)
        enter, forget, leave = tf.split(gates, 3, axis=1)
        by_state = by_state + tf.gather(by_states, time)
        out = tf.tanh(after)
        by_cell = by_cell + tf.raw_ops.TanhGrad(y=out, dy=by_state * leave)
        by_gates = tf.concat([by_cell * new, by_cell * cell, by_state * out], axis=1)
        by_gates = tf.raw_ops.SigmoidGrad(y=gates, dy=by_gates)
        by_new = tf.raw_ops.TanhGrad(y=new, dy=by_cell * enter)
        by_total = tf.concat([by_gates, by_new], axis=1)
        by_state = tf.matmul(by_total, transposed)
        array = array.write(time, by_total)
        return number + 1, cell, by_cell * forget, by_state, array

    transposed = tf.transpose(kernel)
    array = _make_array(n_frames, kernel.shape[1])
    zeros = tf.zeros([n_rows, kernel.shape[0]])
    return _loop(n_frames, step, (end, zeros, zeros, array))[-1].stack()


def _loop(n_times, step, values):
    import tensorflow as tf

    return tf.while_loop(
        lambda number, *_: number < n_times,
        step,
        (0, *values),
        maximum_iterations=n_times,
    )


def _make_array(size, width):
    import tensorflow as tf

    return tf.TensorArray(tf.float32, size, element_shape=(None, width))
