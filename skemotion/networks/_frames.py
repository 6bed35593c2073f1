"""Frames as a network reads them: padding behind, neighbours joined."""

from typing import Any


class JoinedFrames:
    """Means of neighbouring frames, and how they stand to the frames that came in.

    Parameters
    ----------
    sequence : tensor of shape (batch, n_frames, n_features)
        Frames, with padding behind what is real.
    mask : tensor of shape (batch, n_frames) or None
        The real ones. None means all.
    shift : tensor of shape (batch, 1) or None
        By how many frames each sequence was rolled to the left.
    step : int
        Number of frames that are joined to one.

    Attributes
    ----------
    sequence : tensor of shape (batch, n_joined, n_features)
        Means over what is real.
    mask : tensor of shape (batch, n_joined) or None
        Joined frames with anything real in them.
    """

    def __init__(self, sequence: Any, mask: Any, shift: Any, step: int):
        self.sequence, self.mask = sequence, mask
        self._shift, self._step = shift, step
        self._numbers = _frame_numbers(sequence[:, :, 0])
        if step > 1:
            self._join(sequence, mask)

    def _join(self, sequence, mask):
        from keras import ops

        if mask is None:
            real = ops.ones_like(sequence[:, :, 0])
        else:
            real = ops.cast(mask, sequence.dtype)
        counts = self._add_up(real)
        self.sequence = self._add_up(
            sequence * ops.expand_dims(real, -1)
        ) / ops.expand_dims(ops.maximum(counts, 1), -1)
        self.mask = None if mask is None else ops.greater(counts, 0)
        self._shares = self._spread(1 / ops.maximum(counts, 1)) * real

    def name_weights(self, weights, name):
        """Pass weights through a layer in which they stand as the frames came in.

        Parameters
        ----------
        weights : tensor of shape (batch, n_joined)
            A weight for each joined frame.
        name : str
            Name of the layer, which puts out a tensor (batch, n_frames).

        Returns
        -------
        tensor of shape (batch, n_joined)
            The same weights.
        """
        from keras import layers

        if self._step > 1:
            weights = self._spread(weights) * self._shares
        if self._shift is not None:
            weights = _roll(weights, -self._shift)
        weights = layers.Identity(name=name)(weights)
        if self._shift is not None:
            weights = _roll(weights, self._shift)
        return self._add_up(weights) if self._step > 1 else weights

    def _add_up(self, values):
        """Add up the frames that are joined."""
        from keras import ops

        flat = len(values.shape) == 2
        if flat:
            values = ops.expand_dims(values, -1)
        values = ops.pad(values, [(0, 0), (0, self._step - 1), (0, 0)])
        means = ops.average_pool(values, self._step, strides=self._step)
        return self._step * (means[..., 0] if flat else means)

    def _spread(self, values):
        """Repeat the value of a joined frame for each frame in it."""
        from keras import ops

        return ops.take_along_axis(values, self._numbers // self._step, axis=1)


def move_padding_behind(inputs):
    """Roll leading padding to the end, since cuDNN masks padding only there.

    Returns the rolled sequence, the mask of real frames, and by how many
    frames each sequence was rolled.
    """
    from keras import ops

    real = ops.any(ops.not_equal(inputs, 0), axis=-1)
    leading = _first_true(real)
    trailing = _first_true(ops.flip(real, axis=1))
    numbers = _frame_numbers(real)
    n_real = ops.maximum(numbers[:, -1:] + 1 - leading - trailing, 1)
    mask = ops.less(numbers, n_real)
    return _roll(inputs, leading), mask, leading


def _first_true(flags):
    from keras import ops

    return ops.expand_dims(ops.argmax(ops.cast(flags, "int32"), axis=1), -1)


def _frame_numbers(flags):
    from keras import ops

    return ops.cumsum(ops.ones_like(flags, dtype="int32"), axis=1) - 1


def _roll(values, shift):
    """Move every row to the left by its own number of frames, in a circle."""
    from keras import ops

    flat = values.ndim == 2
    numbers = _frame_numbers(values if flat else values[:, :, 0])
    n_frames = numbers[:, -1:] + 1
    index = ops.mod(numbers + shift, n_frames)
    if flat:
        return ops.take_along_axis(values, index, axis=1)
    # Whole frames are taken, which is soon done, where along an axis it is numbers.
    rows = ops.cumsum(ops.ones_like(n_frames), axis=0) - 1
    frames = ops.reshape(values, (-1, values.shape[-1]))
    return ops.take(frames, rows * n_frames + index, axis=0)
