"""What is made small in training: the loss of each member, as if it were alone."""

from typing import Any

# What a compiled model reports of itself to those who ask it.
LOSS = "sparse_categorical_crossentropy"


def member_losses(members: list[Any], codes: Any, label_smoothing: float) -> list[Any]:
    """Return the cross-entropy of each member.

    Parameters
    ----------
    members : list of tensor of shape (batch, n_classes)
        Probabilities.
    codes : tensor of shape (batch,)
        Numbers of the classes.
    label_smoothing : float
        Part of a label that is spread evenly over all classes.

    Returns
    -------
    list of tensor of shape (batch,)
    """
    from keras import losses, ops

    targets = ops.one_hot(codes, members[0].shape[-1], dtype="float32")
    return [
        losses.categorical_crossentropy(
            targets, ops.cast(member, "float32"), label_smoothing=label_smoothing
        )
        for member in members
    ]


def count_correct(members: list[Any], codes: Any) -> Any:
    """Return how many recordings the members together take for what they are."""
    from keras import ops

    best = ops.argmax(sum(members[1:], members[0]), axis=-1)
    hits = ops.equal(best, ops.cast(codes, best.dtype))
    return ops.sum(ops.cast(hits, "float32"))
