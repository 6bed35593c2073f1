"""What the tests of the page share: an evaluation, and a browser."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from skemotion.datasets import make_emotional_speech
from skemotion.report import Evaluation


@pytest.fixture(scope="session")
def hostile():
    """What would run if it were not escaped."""
    return SimpleNamespace(
        name='"><img src=x onerror=alert(1)>.wav',
        label="</script><script>document.title='hacked'</script>",
        speaker="' onmouseover='document.title=`hacked`' {{ 7 * 7 }} <!--",
    )


@pytest.fixture(scope="session")
def speech(hostile, tmp_path_factory):
    """Recordings of two speakers, of which one has a hostile name."""
    folder = tmp_path_factory.mktemp("speech")
    data = make_emotional_speech(n_speakers=2, n_texts=1, folder=folder, random_state=0)
    renamed = Path(data.paths[0]).with_name(hostile.name)
    shutil.move(data.paths[0], renamed)
    paths = data.paths.astype(object)
    paths[0] = str(renamed)
    return {"paths": paths.astype(str), "y": data.target, "speakers": data.speakers}


@pytest.fixture(scope="session")
def evaluation(speech, hostile):
    """Every other prediction is wrong, and each has another confidence."""
    y, n_recordings = np.array(speech["y"], dtype=object), len(speech["paths"])
    y[y == "anger"] = hostile.label
    speakers = np.array(speech["speakers"], dtype=object)
    speakers[speakers == speakers[0]] = hostile.speaker
    classes = np.unique(y.astype(str))
    confidence = np.linspace(0.4, 0.95, n_recordings)
    predicted = np.searchsorted(classes, y.astype(str))
    predicted[::2] = (predicted[::2] + 1) % len(classes)
    probabilities = np.repeat((1 - confidence[:, None]) / (len(classes) - 1), 7, axis=1)
    probabilities[np.arange(n_recordings), predicted] = confidence
    return Evaluation(
        paths=speech["paths"],
        y_true=y.astype(str),
        probabilities=probabilities,
        classes=classes,
        protocol="Each of 2 speakers <b>left out</b> once.",
        caveats=["Transductive: <i>standardised</i> over the speaker."],
        speakers=speakers.astype(str),
        folds=np.unique(speakers.astype(str), return_inverse=True)[1],
        histories=[{"loss": [1.9, 1.2], "val_loss": [1.8, 1.5]}] * 2,
    )


@pytest.fixture(scope="session")
def chromium():
    """A browser of the system without a window."""
    reason = "needs playwright: pip install 'skemotion[test]'"
    api = pytest.importorskip("playwright.sync_api", reason=reason)
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("needs chromium, as of: apt-get install chromium")
    # The sandbox of chromium does not run as root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()
