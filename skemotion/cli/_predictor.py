"""From rows of recordings to predictions, by one model or by one for each voice."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from skemotion.cli._formats import NO_SPEECH, Prediction
from skemotion.cli._opening import find_novelty_limit, predict_with_novelty
from skemotion.cli._recordings import Recordings, keep_readable
from skemotion.cli._warnings import OddRecordings, silence_noted, unreadable_noted
from skemotion.pipeline._extents import Extent, extents_noted, measure_extent

UNCERTAIN = "uncertain"
# What is looked at where the model does not tell, in Hz and in seconds.
_SAMPLING_RATE, _DURATION, _HOP_DURATION = 16000, 5.0, 2.5


@dataclass
class Predictor:
    """What predicts chunks of recordings.

    Parameters
    ----------
    models : dict of str to estimator
        By the speaker, or one under "" for all.
    recordings : Recordings
        All that are to be predicted.
    min_confidence : float
        The emotion is uncertain where the confidence is below.
    speaker_place : int or None
        Where in a row the speaker stands.
    left_out : dict of str to str or None
        What could not be read when models were adapted; None if none were.

    Attributes
    ----------
    odd : OddRecordings
        What was found out about them.
    """

    models: dict[str, Any]
    recordings: Recordings
    min_confidence: float = 0.0
    speaker_place: int | None = None
    left_out: dict[str, str] | None = None
    odd: OddRecordings = field(default_factory=OddRecordings)

    @classmethod
    def of(cls, model: Any, recordings: Recordings, options: Any) -> "Predictor":
        """Return one that does what the options say, adapted if they say so."""
        models, left_out, place = {"": model}, None, None
        if options.speaker_column:
            from skemotion.cli._voices import adapt_to_voices

            models, left_out = adapt_to_voices(model, recordings, options)
            place = recordings.columns.index(options.speaker_column)
        elif options.adapt or options.one_speaker:
            from skemotion.cli._models import adapt_model

            models[""], left_out = adapt_model(model, recordings, options)
        return cls(models, recordings, options.min_confidence, place, left_out)

    def predict(self, rows: list) -> list[Prediction]:
        """Return a prediction for each row, of recordings that cannot be read too."""
        places: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            voice = "" if self.speaker_place is None else row[self.speaker_place]
            places.setdefault(voice, []).append(place)
        found: dict[int, Prediction] = {}
        for voice, chosen in places.items():
            predictions = self._predict(
                self.models[voice], [rows[place] for place in chosen]
            )
            found |= dict(zip(chosen, predictions, strict=True))
        return [found[place] for place in range(len(rows))]

    def _predict(self, model, rows):
        paths = [row[0] for row in rows]
        work = partial(self._ask, model)
        with (
            self.odd.collected(len(paths)),
            silence_noted() as silent,
            unreadable_noted() as unreadable,
            extents_noted() as extents,
        ):
            results, failures = keep_readable(work, paths)
        kept = [path for path in paths if path not in failures]
        answers = iter(() if results is None else zip(*results, strict=True))
        numbers = iter(range(len(kept)))
        return [
            Prediction(row[0], error=failures[row[0]], kept=row[1:])
            if row[0] in failures
            else self._describe(
                model, row, next(answers), next(numbers), silent, extents, unreadable
            )
            for row in rows
        ]

    def _ask(self, model, paths):
        return predict_with_novelty(model, self.recordings.audio(paths))

    def _describe(self, model, row, answer, number, silent, extents, unreadable):
        """Name the emotion of what was the row `number` of those asked about."""
        if number in unreadable:  # of a model that goes on without them
            return Prediction(row[0], error=unreadable[number], kept=row[1:])
        extent = extents.get(number) or self._measure(row[0])
        if number in silent:
            return Prediction(row[0], error=NO_SPEECH, extent=extent, kept=row[1:])
        probabilities, novelty = answer
        best, limit = probabilities.argmax(), find_novelty_limit(model)
        certain = probabilities[best] >= self.min_confidence
        return Prediction(
            row[0],
            str(model.classes_[best]) if certain else UNCERTAIN,
            probabilities,
            novelty=novelty,
            is_novel=limit is not None and novelty > limit,
            extent=extent,
            kept=row[1:],
        )

    def _measure(self, path) -> Extent | None:
        """Find out what a model has not that does not look for speech everywhere."""
        (recording,) = self.recordings.audio([path])
        try:
            return measure_extent(
                recording,
                sampling_rate=_SAMPLING_RATE,
                duration=_DURATION,
                hop_duration=_HOP_DURATION,
            )
        except ValueError:  # behind what the model has looked at
            return None
