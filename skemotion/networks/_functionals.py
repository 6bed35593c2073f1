"""Statistics of sequences over time, as part of a graph.

They are those of :class:`skemotion.SequenceFunctionals` by default, in its order, but
for the unit of the slope.
"""

PERCENTILES = (5, 25, 50, 75, 95)
N_FUNCTIONALS = 4 + len(PERCENTILES)
# So that all functionals are of like size, slopes are over so many frames.
SLOPE_FRAMES = 100


def summarise(sequence, mask=None):
    """Summarise each feature by its functionals.

    Parameters
    ----------
    sequence : tensor of shape (batch, n_frames, n_features)
        Sequences, with padding behind what is real.
    mask : tensor of shape (batch, n_frames), dtype bool, default=None
        The real frames, at least one in every sequence; None means all.

    Returns
    -------
    tensor of shape (batch, n_features * 9)
        Mean, deviation, percentiles 5, 25, 50, 75 and 95, slope in 100 frames,
        and mean absolute difference of neighbouring frames; feature by feature.
    """
    from keras import ops

    if mask is None:
        mask = ops.any(ops.isfinite(sequence), axis=-1)
    real = ops.expand_dims(mask, -1)
    weight = ops.cast(real, sequence.dtype)
    count = ops.sum(weight, axis=1, keepdims=True)
    mean = ops.sum(sequence * weight, axis=1, keepdims=True) / count
    centred = (sequence - mean) * weight
    deviation = ops.sqrt(ops.sum(ops.square(centred), axis=1) / count[:, 0])
    statistics = [
        mean[:, 0],
        deviation,
        *_percentiles(sequence, real, count),
        _slope(centred, weight, count),
        _mean_abs_diff(sequence, weight),
    ]
    stacked = ops.stack(statistics, axis=2)
    return ops.reshape(stacked, (-1, sequence.shape[2] * N_FUNCTIONALS))


def _percentiles(sequence, real, count):
    """Interpolate between order statistics, one tensor for each percentile."""
    from keras import ops

    # Any number above all others: infinity times a weight of 0 would be no number.
    ordered = ops.sort(ops.where(real, sequence, 1e30), axis=1)
    last = ops.cast(count, "int32") - 1
    values = []
    for percentile in PERCENTILES:
        position = (count - 1) * (percentile / 100)
        below = ops.cast(ops.floor(position), "int32")
        low = _frame(ordered, below)
        high = _frame(ordered, ops.minimum(below + 1, last))
        part = (position - ops.floor(position))[:, 0]
        values.append(low + (high - low) * part)
    return values


def _frame(sequence, index):
    from keras import ops

    return ops.take_along_axis(sequence, index, axis=1)[:, 0]


def _slope(centred, weight, count):
    from keras import ops

    time = (ops.cumsum(weight, axis=1) - (count + 1) / 2) * weight
    norm = ops.maximum(ops.sum(ops.square(time), axis=1), 1e-9)
    return SLOPE_FRAMES * ops.sum(centred * time, axis=1) / norm


def _mean_abs_diff(sequence, weight):
    from keras import ops

    pairs = weight[:, 1:] * weight[:, :-1]
    steps = ops.abs(sequence[:, 1:] - sequence[:, :-1]) * pairs
    return ops.sum(steps, axis=1) / ops.maximum(ops.sum(pairs, axis=1), 1)
