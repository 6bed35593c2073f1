import io

import numpy as np
import pytest
import soundfile
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from skemotion import EmotionPipeline, SpeechFeatureExtractor, load_pretrained
from skemotion.datasets import make_emotional_speech
from skemotion.exceptions import AudioError
from skemotion.inspection import (
    RecordingDisplay,
    attention_over_time,
    occlusion_over_time,
)

RATE = 16000
LABELS = ["anger", "boredom", "fear"]
ATTENTION = (np.array([0, 0.5, 1.0, 1.5, 2.0]), np.array([0.1, 0.2, 0.6, 0.1]))
OCCLUSION = (np.array([0, 1.0, 2.0]), np.array([-0.1, 0.4]))


class Plain(ClassifierMixin, BaseEstimator):
    """A classifier without attention."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.tile([0.25, 0.75], (len(X), 1))


@pytest.fixture(scope="module")
def pipeline():
    steps = [("extract", SpeechFeatureExtractor()), ("classify", Plain())]
    noise = np.random.default_rng(0).normal(size=RATE)
    return EmotionPipeline(steps).fit([noise, noise], ["calm", "loud"])


@pytest.fixture(scope="module")
def speech():
    return make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)


def tone(seconds=2.0, hertz=1000.0, rate=RATE):
    times = np.arange(int(seconds * rate)) / rate
    signal = 0.5 * np.sin(2 * np.pi * hertz * times)
    signal[: len(signal) // 2] *= 0.1
    return signal.astype(np.float32)


def draw(**kwargs):
    given = {"attention": ATTENTION, "occlusion": OCCLUSION, **kwargs}
    pair = given.pop("recording", (tone(), RATE))
    return RecordingDisplay.from_predictions(pair, [0.7, 0.1, 0.2], LABELS, **given)


def test_all_parts_share_the_recordings_own_time():
    display = draw()
    waveform, spectrogram, _, occlusion = display.ax_
    for ax in (waveform, spectrogram, occlusion):
        assert ax.get_xlim() == (0, 2)
    assert display.attention_ax_.get_xlim() == (0, 2)
    assert display.im_.get_extent()[:2] == [0, 2]
    assert occlusion.get_xlabel() == "Time (s)"
    assert display.figure_ is waveform.figure


def test_waveform_is_the_range_of_samples():
    path = draw().waveform_.get_paths()[0].vertices
    assert path[:, 1].max() == pytest.approx(0.5, abs=0.01)
    early = path[(path[:, 0] > 0) & (path[:, 0] < 0.98)]
    assert early[:, 1].max() == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("rate", [16000, 8000, 44100])
@pytest.mark.parametrize("hertz", [300, 1000, 3000])
def test_spectrogram_has_the_tone_where_its_axis_says(rate, hertz):
    display = draw(recording=(tone(hertz=hertz, rate=rate), rate))
    levels = np.asarray(display.im_.get_array())
    _, _, bottom, top = display.im_.get_extent()
    loudest = levels[:, -50].argmax()
    mel = bottom + (loudest + 0.5) * (top - bottom) / len(levels)
    ax = display.ax_[1]
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    ticks = dict(zip(names, ax.get_yticks(), strict=True))
    # Slaney's scale: linear to 1 kHz, logarithmic from there.
    expected = {300: 0.3, 1000: 1.0}.get(hertz)
    if expected is None:
        share = np.log(3) / np.log(4)
        at = ticks["1"] + share * (ticks["4"] - ticks["1"])
    else:
        at = expected * ticks["1"]
    assert mel == pytest.approx(at, abs=0.5)
    assert levels.max() == 0
    assert display.im_.get_clim() == (-60, 0)
    assert display.colorbar_.ax.get_ylabel() == "Level (dB)"


def test_attention_is_a_density_and_occlusion_what_falls():
    display = draw()
    values, edges, _ = display.attention_.get_data()
    np.testing.assert_allclose(values, ATTENTION[1] / 0.5)
    np.testing.assert_array_equal(edges, ATTENTION[0])
    values, edges, _ = display.occlusion_.get_data()
    np.testing.assert_array_equal(values, OCCLUSION[1])
    np.testing.assert_array_equal(edges, OCCLUSION[0])


def test_bars_are_the_probabilities_and_the_truth_is_marked():
    display = draw(y_true="fear", class_names=["Wut", "Langeweile", "Angst"])
    assert [bar.get_width() for bar in display.bars_] == [0.7, 0.1, 0.2]
    ticks = display.ax_[2].get_yticklabels()
    assert [tick.get_text() for tick in ticks] == ["Wut", "Langeweile", "Angst"]
    assert [tick.get_fontweight() for tick in ticks] == ["normal", "normal", "bold"]
    assert display.ax_[0].get_title(loc="left") == "Wut 0.70, labelled Angst"


def test_parts_that_are_not_given_are_not_drawn():
    display = draw(attention=None, occlusion=None)
    assert display.attention_ is display.attention_ax_ is display.occlusion_ is None
    assert len(display.ax_) == 3
    assert display.ax_[1].get_xlabel() == "Time (s)"


def test_what_is_not_looked_at_is_hatched():
    whole, part = draw(), draw(recording=(tone(5.0), RATE))
    n_patches = [len(display.ax_[0].patches) for display in (whole, part)]
    assert n_patches == [0, 1]
    (hatched,) = part.ax_[0].patches
    to_seconds = part.ax_[0].transData.inverted()
    begin, _ = to_seconds.transform(hatched.get_window_extent())[0]
    assert begin == pytest.approx(2)


def test_without_speech_bars_are_grey_and_nothing_is_drawn_over_it():
    display = draw(silent=True, name="noise.wav")
    assert display.ax_[0].get_title(loc="left") == "noise.wav\nno speech found"
    assert {bar.get_facecolor()[:3] for bar in display.bars_} == {(0.75,) * 3}
    assert display.attention_ is display.occlusion_ is None


def test_one_axes_is_a_frame_also_without_pyplot():
    figure = Figure((6, 4), layout="constrained")
    frames = figure.subplots(2, 2)
    display = draw(ax=frames[1, 1])
    assert not plt.get_fignums()
    assert display.figure_ is figure
    frame = frames[1, 1].get_position()
    for part in display.ax_:
        box = part.get_position()
        assert box.x0 >= frame.x0 - 1e-6
        assert box.y1 <= frame.y1 + 1e-6
    figure.savefig(io.BytesIO())


def test_axes_for_each_part():
    _, axes = plt.subplots(2, 2)
    assert draw(ax=axes).ax_.tolist() == axes.ravel().tolist()
    with pytest.raises(ValueError, match="ax holds 4 axes; give one.* or 3"):
        draw(ax=axes, occlusion=None)


def test_long_names_are_shortened_in_the_middle():
    title = draw(name="begin" + "x" * 200 + "end.wav").ax_[0].get_title(loc="left")
    assert len(title.splitlines()[0]) < 50
    assert title.startswith("begin")
    assert title.splitlines()[0].endswith("end.wav")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recording": (np.zeros(0), RATE)}, "holds no samples"),
        ({"y_true": "joy"}, "y_true='joy' is none of the labels: anger, boredom"),
        ({"class_names": ["a"]}, "1 names for 3 classes"),
    ],
)
def test_bad_input_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        draw(**change)


def test_bad_arrays_are_refused():
    with pytest.raises(ValueError, match=r"signal has shape \(0,\)"):
        RecordingDisplay(np.zeros(0), RATE, np.ones(1), ["a"]).plot()
    with pytest.raises(ValueError, match="for 2 class_names"):
        RecordingDisplay(tone(), RATE, np.ones(1), ["a", "b"]).plot()
    with pytest.raises(ValueError, match="at least one"):
        RecordingDisplay(tone(), RATE, np.ones(0), []).plot()


# From a pipeline


def test_pipeline_and_path_are_enough(pipeline, tmp_path):
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(7.0), RATE)
    display = RecordingDisplay.from_estimator(pipeline, path)
    assert display.ax_[0].get_title(loc="left") == "tone.wav\nloud 0.75"
    assert [bar.get_width() for bar in display.bars_] == [0.25, 0.75]
    assert display.ax_[0].get_xlim() == (0, 7)
    assert display.attention is None
    with path.open("rb") as file:
        assert len(RecordingDisplay.from_estimator(pipeline, file).signal) == 7 * RATE


def test_errors_name_the_recording_and_come_first(pipeline, tmp_path):
    with pytest.raises(AudioError, match=r"nowhere\.wav"):
        RecordingDisplay.from_estimator(pipeline, tmp_path / "nowhere.wav")
    unfitted = EmotionPipeline(
        [("extract", SpeechFeatureExtractor()), ("classify", Plain())]
    )
    with pytest.raises(NotFittedError):
        RecordingDisplay.from_estimator(unfitted, tone())
    assert not plt.get_fignums()


def test_model_that_comes_with_the_package(speech):
    model, signal = load_pretrained(), speech.signals[0]
    display = RecordingDisplay.from_estimator(model, signal, occlusion=True)
    np.testing.assert_array_equal(
        display.probabilities, model.predict_proba([signal])[0]
    )
    for course, expected in (
        (display.attention, attention_over_time(model, signal)),
        (display.occlusion, occlusion_over_time(model, signal)),
    ):
        np.testing.assert_allclose(course[0], expected[0])
        np.testing.assert_allclose(course[1], expected[1], atol=1e-6)
    noise = np.random.default_rng(0).normal(size=2 * RATE) / 10
    display = RecordingDisplay.from_estimator(model, noise, occlusion=True)
    assert display.silent
    assert display.ax_[0].get_title(loc="left") == "no speech found"
