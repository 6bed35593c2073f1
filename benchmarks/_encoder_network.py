"""Many attention BLSTMs at once, one for each fold and member.

What `skemotion.networks` builds is computed here with an axis for folds and
members, since networks this small cost more in calls than in sums. Beyond what
the package can do, there are a choice of functionals, mixup, weight decay, and
whole dimensions that are dropped.
"""

import math
from functools import partial

import numpy as np
from _encoder_frames import join

from skemotion.classification._schedule import rate_of
from skemotion.networks import import_keras

ALL = ("mean", "std", "p5", "p25", "p50", "p75", "p95", "slope", "mean_abs_diff")
DEFAULTS = {
    "front": "base3",
    "frame_step": 4,
    "units": 32,
    "dropout": 0.5,
    "noise": 0.2,
    "functionals": ALL,
    "functionals_units": 256,
    "n_members": 1,
    "label_smoothing": 0.1,
    "learning_rate": 1e-3,
    "epochs": 15,
    "batch_size": 32,
    "weight_decay": 0.0,
    "mixup": 0.0,
    "drop_dims": 0.0,
    "copies": 0,
    "standardise": "train",
    "per_recording": None,
    "class_weight": "balanced",
    "recur": True,
}


class Stack:
    """Networks of the same settings for several folds.

    Parameters
    ----------
    n_folds, n_features, n_classes : int
    seed : int
    settings : dict
        As ``DEFAULTS``.
    """

    def __init__(self, n_folds, n_features, n_classes, seed=0, **settings):
        import_keras()
        import tensorflow as tf

        self.tf, self.s = tf, {**DEFAULTS, **settings}
        s = self.s
        self.K, self.M, self.C = n_folds, s["n_members"], n_classes
        self.D, self.U = n_features, s["units"]
        self.H = s["functionals_units"] or 0
        self.nF = n_features * len(s["functionals"]) if self.H else 0
        self.seed = seed
        self.w = self._draw(np.random.default_rng(seed))
        self.step = tf.function(self._step, reduce_retracing=True, autograph=False)
        self.forward = tf.function(
            partial(self._forward, training=False),
            reduce_retracing=True,
            autograph=False,
        )

    def _draw(self, rng):
        """Draw weights, the same for every fold, others for every member."""
        K, M, D, U, C = self.K, self.M, self.D, self.U, self.C

        def glorot(n_in, n_out):
            limit = math.sqrt(6 / (n_in + n_out))
            return rng.uniform(-limit, limit, (n_in, n_out))

        def orthogonal(n_in, n_out):
            q, r = np.linalg.qr(rng.normal(size=(n_out, n_in)))
            return (q * np.sign(np.diag(r))).T

        kernel = [np.hstack([glorot(D, 4 * U) for _ in range(2)]) for _ in range(M)]
        bias = np.zeros((M, 2, 4 * U))
        bias[..., U : 2 * U] = 1
        values = {
            "kernel": np.hstack(kernel),
            "bias": bias.reshape(-1),
            "recurrent": np.array([orthogonal(U, 4 * U) for _ in range(2 * M)]).reshape(
                M, 2, U, 4 * U
            ),
            "hidden": rng.normal(size=(M, 2 * U, U)),
            "energy": rng.normal(size=(M, U, 1)),
        }
        summary = 4 * U if self.s["recur"] else 0
        if not self.s["recur"]:
            values = {}
        if self.H:
            values["read"] = np.hstack([glorot(self.nF, self.H) for _ in range(M)])
            values["read_bias"] = np.zeros(M * self.H)
        values["out"] = np.array([glorot(summary + self.H, C) for _ in range(M)])
        values["out_bias"] = np.zeros((M, 1, C))
        self.decayed = [not name.endswith("bias") for name in values]
        return {
            name: self.tf.Variable(
                np.repeat(value[None].astype(np.float32), K, axis=0), name=name
            )
            for name, value in values.items()
        }

    def _recur(self, x, mask, training):
        """Return summaries (K, M, B, 4U) of x (K, B, T, D), mask (K, B, T)."""
        tf, w, K, M, U = self.tf, self.w, self.K, self.M, self.U
        B, T = tf.shape(x)[1], tf.shape(x)[2]
        if training and self.s["noise"]:
            noise = tf.random.normal((1, B, T, self.D), stddev=self.s["noise"])
            x = (x + noise) * mask[..., None]
        z = tf.matmul(tf.reshape(x, (K, B * T, self.D)), w["kernel"])
        z = z + w["bias"][:, None]
        z = tf.reshape(z, (K, B, T, M, 2, 4 * U))
        z = tf.transpose(z, (2, 0, 3, 4, 1, 5))  # T, K, M, 2, B, 4U
        z = tf.stack([z[:, :, :, 0], tf.reverse(z[:, :, :, 1], [0])], axis=3)
        m = tf.transpose(mask, (2, 0, 1))[:, :, None, None, :, None]  # T,K,1,1,B,1
        m = tf.concat([m, tf.reverse(m, [0])], axis=3)
        recurrent = w["recurrent"]
        # An array of tensors, since the gradient of a slice is as large as the whole.
        z = tf.TensorArray(tf.float32, size=T).unstack(z)
        states = tf.TensorArray(tf.float32, size=T, element_shape=(K, M, 2, None, U))

        def advance(t, h, c, states):
            gates = z.read(t) + tf.matmul(h, recurrent)
            i, f, g, o = tf.split(gates, 4, axis=-1)
            new_c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            new_h = tf.sigmoid(o) * tf.tanh(new_c)
            c = c + m[t] * (new_c - c)
            h = h + m[t] * (new_h - h)
            return t + 1, h, c, states.write(t, h)

        zeros = tf.zeros((K, M, 2, B, U))
        _, h, _, states = tf.while_loop(
            lambda t, *_: t < T,
            advance,
            (0, zeros, zeros, states),
            parallel_iterations=1,
        )
        states = states.stack()  # T, K, M, 2, B, U
        both = tf.concat(
            [states[:, :, :, 0], tf.reverse(states[:, :, :, 1], [0])], axis=-1
        )
        both = tf.transpose(both, (1, 2, 3, 0, 4))  # K, M, B, T, 2U
        hidden = tf.tanh(tf.matmul(both, w["hidden"][:, :, None]))
        energy = tf.matmul(hidden, w["energy"][:, :, None])[..., 0] / math.sqrt(U)
        energy = energy - 1e9 * (1 - mask[:, None])
        attention = tf.nn.softmax(energy, axis=-1)
        context = tf.reduce_sum(both * attention[..., None], axis=3)
        return tf.concat([context, h[:, :, 0], h[:, :, 1]], axis=-1)

    def _read(self, f, training):
        tf, s = self.tf, self.s
        if training:
            f = f + tf.random.normal((1, tf.shape(f)[1], self.nF), stddev=s["noise"])
            f = tf.nn.dropout(f, s["dropout"]) if s["dropout"] else f
        read = tf.nn.relu(tf.matmul(f, self.w["read"]) + self.w["read_bias"][:, None])
        read = tf.reshape(read, (self.K, -1, self.M, self.H))
        return tf.transpose(read, (0, 2, 1, 3))

    def _forward(self, x, mask, f, training):
        """Return logits (K, M, B, C)."""
        tf, parts = self.tf, []
        if self.s["recur"]:
            parts.append(self._recur(x, mask, training))
        if self.H:
            parts.append(self._read(f, training))
        summary = tf.concat(parts, axis=-1)
        if training and self.s["dropout"]:
            summary = tf.nn.dropout(summary, self.s["dropout"])
        return tf.matmul(summary, self.w["out"]) + self.w["out_bias"]

    def _step(self, x, mask, f, targets, weights, rate, number, moments):
        """Take a step of Adam; weights are 0 for rows that are not there."""
        tf, s = self.tf, self.s
        with tf.GradientTape() as tape:
            logits = self._forward(x, mask, f, training=True)
            goal = targets * (1 - s["label_smoothing"]) + s["label_smoothing"] / self.C
            losses = -tf.reduce_sum(goal[:, None] * tf.nn.log_softmax(logits), axis=-1)
            loss = tf.reduce_sum(losses * weights[:, None])
        variables = list(self.w.values())
        gradients = tape.gradient(loss, variables)
        size = rate * tf.sqrt(1 - 0.999**number) / (1 - 0.9**number)
        slots = zip(*moments, strict=True)
        for v, g, (a, b), decay in zip(
            variables, gradients, slots, self.decayed, strict=True
        ):
            if decay and s["weight_decay"]:
                v.assign_sub(rate * s["weight_decay"] * v)
            a.assign(0.9 * a + 0.1 * g)
            b.assign(0.999 * b + 0.001 * tf.square(g))
            v.assign_sub(size * a / (tf.sqrt(b) + 1e-7))
        return loss

    def fit(self, folds):
        """Train; folds are tuples of sequences, lengths, functionals and codes."""
        tf, s = self.tf, self.s
        rng = np.random.default_rng(self.seed)
        variables = list(self.w.values())
        moments = [[tf.Variable(tf.zeros_like(v)) for v in variables] for _ in range(2)]
        weights = [_class_weights(y, self.C, s["class_weight"]) for *_, y in folds]
        n_steps = -(-max(len(y) for *_, y in folds) // s["batch_size"])
        number = 0
        for epoch in range(s["epochs"]):
            rate = rate_of("one_cycle", s["learning_rate"], s["epochs"], epoch)
            order = rng.permutation(n_steps)
            batches = [_batches(lens, n_steps, rng) for _, lens, _, _ in folds]
            for place in order:
                rows = [of_fold[place] for of_fold in batches]
                number += 1
                batch = self._gather(folds, rows, weights, rng)
                self.step(
                    *batch,
                    tf.constant(rate, tf.float32),
                    tf.constant(number, tf.float32),
                    moments,
                )
        return self

    def _gather(self, folds, rows, weights, rng):
        B = max(map(len, rows))
        T = max(lens[r].max() for (_, lens, _, _), r in zip(folds, rows, strict=True))
        x = np.zeros((self.K, B, T, self.D), np.float32)
        mask = np.zeros((self.K, B, T), np.float32)
        f = np.zeros((self.K, B, self.nF), np.float32)
        y = np.zeros((self.K, B, self.C), np.float32)
        w = np.zeros((self.K, B), np.float32)
        for k, (X, lens, F, codes) in enumerate(folds):
            r, n = rows[k], len(rows[k])
            t = min(T, X.shape[1])
            x[k, :n, :t] = X[r, :t]
            mask[k, :n] = np.arange(T) < lens[r][:, None]
            mask[k, n:, 0] = 1
            if self.nF:
                f[k, :n] = F[r]
            y[k, np.arange(n), codes[r]] = 1
            w[k, :n] = weights[k][r] / n
            if self.s["mixup"]:
                self._mix(x, mask, f, y, w, k, n, rng)
        if p := self.s["drop_dims"]:
            keep = rng.random((self.K, B, 1, self.D)) >= p
            x *= keep.astype(np.float32) / (1 - p)
        return x, mask, f, y, w

    def _mix(self, x, mask, f, y, w, k, n, rng):
        a = self.s["mixup"]
        share = rng.beta(a, a, n).astype(np.float32)
        share = np.maximum(share, 1 - share)
        other = rng.permutation(n)
        for array in (x, f, y, w):
            part = array[k, :n]
            own = share.reshape(-1, *[1] * (part.ndim - 1))
            array[k, :n] = own * part + (1 - own) * part[other]
        mask[k, :n] = np.maximum(mask[k, :n], mask[k, :n][other])

    def get(self):
        return [v.numpy() for v in self.w.values()]

    def put(self, values):
        for v, value in zip(self.w.values(), values, strict=True):
            v.assign(value)

    def predict(self, folds):
        """Return probabilities for each of K sets (X, lens, F), members averaged."""
        n = max(len(lens) for _, lens, _ in folds)
        T = max(X.shape[1] for X, _, _ in folds)
        x = np.zeros((self.K, n, T, self.D), np.float32)
        mask = np.zeros((self.K, n, T), np.float32)
        mask[:, :, 0] = 1
        f = np.zeros((self.K, n, self.nF), np.float32)
        for k, (X, lens, F) in enumerate(folds):
            x[k, : len(lens), : X.shape[1]] = X
            mask[k, : len(lens)] = np.arange(T) < lens[:, None]
            if self.nF:
                f[k, : len(lens)] = F
        logits = self.forward(x, mask, f)
        proba = self.tf.nn.softmax(logits).numpy().mean(axis=1)
        return [p[: len(lens)] for p, (_, lens, _) in zip(proba, folds, strict=True)]


def _batches(lens, n_steps, rng):
    """Split rows into batches, of lengths that are alike among eight of them."""
    rows = rng.permutation(len(lens))
    pool = -(-len(rows) * 8 // n_steps)
    for start in range(0, len(rows), pool):
        part = rows[start : start + pool]
        rows[start : start + pool] = part[np.argsort(lens[part], kind="stable")]
    return np.array_split(rows, n_steps)


def _class_weights(codes, n_classes, how):
    if how != "balanced":
        return np.ones(len(codes), np.float32)
    counts = np.bincount(codes, minlength=n_classes)
    return (len(codes) / (counts > 0).sum() / counts[codes]).astype(np.float32)


class Condition:
    """Frames of all recordings under a condition, joined, with their sums."""

    def __init__(self, data, name, s):
        kept = data.work / f"joined-{name}-{s['front']}-{s['frame_step']}.npz"
        if not kept.exists():
            frames, lens = data.frames(name, s["front"])
            starts = np.cumsum(lens) - lens
            joined, joined_lens = join(frames, lens, s["frame_step"])
            np.savez(
                kept,
                n=lens,
                sums=np.add.reduceat(frames, starts, axis=0),
                squares=np.add.reduceat(np.square(frames), starts, axis=0),
                frames=joined,
                lens=joined_lens,
            )
        with np.load(kept) as file:
            self.n, self.frames, self.lens = file["n"], file["frames"], file["lens"]
            self.sums = file["sums"].astype(np.float64)
            self.squares = file["squares"].astype(np.float64)
        self.ends = np.cumsum(self.lens)
        self.functionals = None
        if s["functionals_units"]:
            f = data.functionals(name, s["front"], s["functionals"])
            self.functionals = f.reshape(len(self.n), -1)
        if s["per_recording"]:
            self._normalise(s["per_recording"])

    def _normalise(self, how):
        mean = self.sums / self.n[:, None]
        var = self.squares / self.n[:, None] - mean**2
        scale = np.sqrt(np.maximum(var, 1e-8)) if how == "both" else np.ones_like(var)
        which = np.repeat(np.arange(len(self.n)), self.lens)
        self.frames = ((self.frames - mean[which]) / scale[which]).astype(np.float32)
        self.sums = 0 * self.sums
        self.squares = self.n[:, None] * var / scale**2

    def moments(self, rows):
        """Return mean and deviation over frames, then over functionals."""
        n = self.n[rows].sum()
        mean = self.sums[rows].sum(axis=0) / n
        var = self.squares[rows].sum(axis=0) / n - mean**2
        found = [mean, np.sqrt(np.maximum(var, 1e-10))]
        if self.functionals is not None:
            f = self.functionals[rows]
            found += [f.mean(axis=0), np.maximum(f.std(axis=0), 1e-6)]
        return found

    def take(self, rows, moments):
        """Return standardised sequences, padded behind, and functionals."""
        mean, scale, *others = moments
        lens = self.lens[rows]
        X = np.zeros((len(rows), lens.max(), self.frames.shape[1]), np.float32)
        offset, factor = mean.astype(np.float32), (1 / scale).astype(np.float32)
        for place, row in enumerate(rows):
            own = self.frames[self.ends[row] - self.lens[row] : self.ends[row]]
            X[place, : len(own)] = (own - offset) * factor
        F = None
        if others:
            F = ((self.functionals[rows] - others[0]) / others[1]).astype(np.float32)
        return X, lens, F


def pooled_moments(parts, rows):
    """Return the moments over the same rows of several conditions."""
    found = [part.moments(rows) for part in parts]
    weights = [part.n[rows].sum() for part in parts]
    result = []
    for place in range(0, len(found[0]), 2):
        w = weights if place == 0 else np.ones(len(parts))
        mean = np.average([f[place] for f in found], axis=0, weights=w)
        square = np.average(
            [f[place + 1] ** 2 + f[place] ** 2 for f in found], axis=0, weights=w
        )
        result += [mean, np.sqrt(np.maximum(square - mean**2, 1e-10))]
    return result


def prepare(parts, rows, names, standardise):
    """Return what is trained on of several conditions, and the moments used."""
    moments = pooled_moments(parts, rows)
    taken = []
    for part in parts:
        if standardise == "speaker":
            taken.append(_by_speaker(part, rows, names))
        else:
            taken.append(part.take(rows, moments))
    length = max(X.shape[1] for X, _, _ in taken)
    X = np.concatenate(
        [np.pad(X, ((0, 0), (0, length - X.shape[1]), (0, 0))) for X, _, _ in taken]
    )
    lens = np.concatenate([lens for _, lens, _ in taken])
    F = None if taken[0][2] is None else np.concatenate([F for _, _, F in taken])
    return (X, lens, F), moments


def _by_speaker(part, rows, names):
    """Standardise each speaker by their own frames and functionals."""
    width = part.lens[rows].max()
    X = np.zeros((len(rows), width, part.frames.shape[1]), np.float32)
    F = None
    if part.functionals is not None:
        F = np.zeros((len(rows), part.functionals.shape[1]), np.float32)
    for name in np.unique(names[rows]):
        own = np.flatnonzero(names[rows] == name)
        x, _, f = part.take(rows[own], part.moments(rows[own]))
        X[own, : x.shape[1]] = x
        if F is not None:
            F[own] = f
    return X, part.lens[rows], F
