"""What stands on the page, read without a browser."""

import base64
import hashlib
import os
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from skemotion import load_pretrained
from skemotion.metrics import bootstrap_interval, expected_calibration_error
from skemotion.metrics import unweighted_average_recall as uar
from skemotion.report import write_report


class Page(HTMLParser):
    """Elements in order, each with its attributes and the text within."""

    def __init__(self, path):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag not in {"meta", "img", "link", "br", "input"}:
            self._open.append(self.elements[-1])

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        for _, _, texts in self._open:
            texts.append(data)

    def find(self, tag, **wanted):
        return [
            (attrs, " ".join("".join(texts).split()))
            for name, attrs, texts in self.elements
            if name == tag and wanted.items() <= attrs.items()
        ]

    def text(self, tag="body", **wanted):
        return " ".join(text for _, text in self.find(tag, **wanted))

    def rows(self):
        return [attrs for attrs, _ in self.find("tr") if "data-truth" in attrs]


@pytest.fixture(scope="module")
def page(evaluation, tmp_path_factory):
    return Page(write_report(evaluation, tmp_path_factory.mktemp("page")))


def test_scores_are_those_of_scikit_learn(page, evaluation):
    y_true, y_pred = evaluation.y_true, evaluation.y_pred
    f1 = f1_score(y_true, y_pred, average="macro")
    expected = [uar(y_true, y_pred), accuracy_score(y_true, y_pred), f1]
    shown = [text for _, text in page.find("dd")]
    assert shown[::2] == [f"{value:.3f}" for value in expected]
    low, high = bootstrap_interval(y_true, y_pred, random_state=0)
    assert shown[1] == f"{low:.3f} to {high:.3f}"
    assert "95 % bootstrap interval over recordings" in page.text()
    ece = expected_calibration_error(
        y_true, evaluation.probabilities, labels=evaluation.classes
    )
    assert f"(ECE): {ece:.3f}" in page.text("section", id="confidence")


def test_macro_f1_where_classes_are_missing():
    from skemotion.report._scores import _macro_f1

    rng = np.random.default_rng(0)
    for _ in range(50):
        y_true, y_pred = rng.integers(0, 6, (2, 9))
        expected = f1_score(y_true, y_pred, average="macro", zero_division=0)
        assert _macro_f1(y_true, y_pred) == pytest.approx(expected)


def test_many_speakers_make_the_interval(evaluation, tmp_path):
    speakers = np.array([f"s{i % 7}" for i in range(len(evaluation))])
    page = Page(
        write_report(replace(evaluation, speakers=speakers), tmp_path, n_recordings=0)
    )
    assert "95 % bootstrap interval over speakers" in page.text()
    low, high = bootstrap_interval(
        evaluation.y_true, evaluation.y_pred, groups=speakers, random_state=0
    )
    assert page.find("dd")[1][1] == f"{low:.3f} to {high:.3f}"


def test_protocol_and_caveats_are_told(page, evaluation):
    text = page.text("section", id="protocol")
    assert evaluation.protocol in text
    assert evaluation.caveats[0] in text


def test_sections(page):
    ids = [attrs["id"] for attrs, _ in page.find("section")]
    assert ids[:4] == ["protocol", "corpus", "classes", "speakers"]
    assert ids[4:] == ["confusion", "confidence", "training", "listen"]


def test_what_is_not_known_is_not_shown(evaluation, tmp_path):
    bare = replace(
        evaluation,
        speakers=None,
        folds=None,
        histories=(),
        caveats=(),
        protocol="A model of another corpus.",
    )
    page = Page(write_report(bare, tmp_path, n_recordings=2))
    ids = [attrs["id"] for attrs, _ in page.find("section")]
    assert "speakers" not in ids
    assert "training" not in ids
    assert "speaker" not in page.text("main").lower()
    assert "too kind" not in page.text()


def test_the_most_confident_mistake_comes_first(page, evaluation):
    wrong = np.flatnonzero(evaluation.y_pred != evaluation.y_true)
    right = np.flatnonzero(evaluation.y_pred == evaluation.y_true)
    order = [
        *wrong[np.argsort(-evaluation.confidence[wrong])],
        *right[np.argsort(evaluation.confidence[right])],
    ]
    rows = page.rows()
    codes = {str(name): str(code) for code, name in enumerate(evaluation.classes)}
    assert [row["data-truth"] for row in rows] == [
        codes[evaluation.y_true[row]] for row in order
    ]
    assert [row["data-right"] for row in rows] == ["0"] * len(wrong) + ["1"] * len(
        right
    )


def test_recordings_are_named_within_their_folder(page, evaluation, hostile):
    names = [text for _, text in page.find("div", **{"class": "file"})]
    assert f"anger/{hostile.name}" in names
    folder = os.path.commonpath(list(evaluation.paths))
    assert folder not in page.text()


def test_names_and_labels_are_text(page, hostile):
    """Nothing that is filled in becomes an element, an attribute or a script."""
    (attrs, script), *others = page.find("script")
    assert not others
    assert not attrs
    assert "hacked" not in script
    for name, attributes, _ in page.elements:
        assert not [key for key in attributes if key.startswith("on")]
        assert attributes.get("src", "data:").startswith("data:")
        assert name not in {"link", "iframe", "object", "base"}
    assert hostile.label in page.text()
    assert "{{ 7 * 7 }}" in page.text()
    assert page.find("option", value="0")[0][1] == hostile.label


def test_only_the_own_script_is_allowed(evaluation, tmp_path):
    text = write_report(evaluation, tmp_path, n_recordings=1).read_text(
        encoding="utf-8"
    )
    script = re.search("<script>(.*)</script>", text, re.DOTALL).group(1)
    allowed = re.search("script-src 'sha256-([^']+)'", text).group(1)
    digest = hashlib.sha256(script.encode()).digest()
    assert base64.b64decode(allowed) == digest
    assert "default-src 'none'" in text


@pytest.mark.parametrize(
    "name",
    ["\udcff.wav", "\u202egnp.wav", "a\0b", "$\\frac{$", "怒り 😠"],
)
def test_names_of_any_kind(evaluation, tmp_path, name):
    y_true, classes = (
        evaluation.y_true.astype(object),
        evaluation.classes.astype(object),
    )
    y_true[y_true == classes[1]] = name
    classes[1] = name
    strange = replace(
        evaluation,
        y_true=y_true,
        classes=classes,
        paths=np.array([name, *evaluation.paths[1:]], dtype=object),
        speakers=np.array([name] * 14, dtype=object),
    )
    page = Page(write_report(strange, tmp_path, n_recordings=14, audio=False))
    shown = name.encode(errors="replace").decode()
    assert shown in page.text("section", id="classes")
    assert "1 could not be read" in page.text()


def test_few_recordings_and_no_sound(evaluation, tmp_path):
    page = Page(write_report(evaluation, tmp_path, n_recordings=3, audio=False))
    assert len(page.rows()) == 3
    assert page.find("audio") == []
    text = page.text("section", id="listen")
    assert "3 of 14 recordings" in text
    assert "Left out, to keep the page small: 11, of which 4 were" in text
    assert "made without sound" in text


def test_the_page_stays_small(evaluation, monkeypatch, tmp_path):
    monkeypatch.setattr("skemotion.report._listening._BUDGET", 100_000)
    path = write_report(evaluation, tmp_path)
    page = Page(path)
    assert 0 < len(page.rows()) < 14
    media = [attrs["src"] for attrs, _ in page.find("audio")]
    media += [a["src"] for a, _ in page.find("img") if "Waveform" in a["alt"]]
    assert sum(map(len, media)) <= 100_000
    assert f"Left out, to keep the page small: {14 - len(page.rows())}" in page.text()


def test_long_recordings_are_cut_and_it_is_said(evaluation, tmp_path):
    import soundfile

    signal = np.random.default_rng(0).normal(scale=0.1, size=25 * 8000)
    soundfile.write(tmp_path / "long.wav", signal, 8000)
    paths = [str(tmp_path / "long.wav"), *evaluation.paths[1:]]
    changed = replace(evaluation, paths=np.array(paths))
    page = Page(write_report(changed, tmp_path / "page", audio=False))
    assert "Of 1, the first 20 s alone are here." in page.text()
    assert "first 20.0 s" in page.text()


@pytest.mark.parametrize("n_samples", [1, 150, 300])
def test_short_recordings(evaluation, tmp_path, n_samples):
    import soundfile

    soundfile.write(tmp_path / "short.wav", np.zeros(n_samples), 16000)
    paths = [str(tmp_path / "short.wav"), *evaluation.paths[1:]]
    changed = replace(evaluation, paths=np.array(paths))
    page = Page(write_report(changed, tmp_path / "page", audio=False))
    assert len(page.rows()) == 14


def test_recordings_that_are_gone_are_named(evaluation, tmp_path):
    paths = [str(tmp_path / "gone.wav"), *evaluation.paths[1:]]
    changed = replace(evaluation, paths=np.array(paths))
    page = Page(write_report(changed, tmp_path / "page", audio=False))
    assert len(page.rows()) == 13
    assert "gone.wav: no such file" in page.text("details")
    assert "The length of 1 recordings is not known" in page.text()


def test_silent_recordings(evaluation, tmp_path):
    silent = np.zeros(len(evaluation), dtype=bool)
    silent[3] = True  # of which the first class would be right
    probabilities = evaluation.probabilities.copy()
    probabilities[3] = 1 / 7
    y_true = evaluation.y_true.copy()
    y_true[3] = evaluation.classes[0]
    found = replace(
        evaluation, silent=silent, probabilities=probabilities, y_true=y_true
    )
    page = Page(write_report(found, tmp_path, audio=False))
    assert "1 recording holds no speech, and counts as not recognised" in page.text()
    n_right = np.sum((found.y_pred == y_true) & ~silent)
    assert page.find("dd")[2][1] == f"{n_right / 14:.3f}"
    assert "no speech" in page.text("table", **{"class": "confusion"})
    ece = expected_calibration_error(
        y_true[~silent], probabilities[~silent], labels=found.classes
    )
    assert f"(ECE): {ece:.3f}" in page.text("section", id="confidence")
    verdicts = [text for _, text in page.find("div", **{"class": "verdict"})]
    assert sum(text == "no speech wrong" for text in verdicts) == 1


def test_no_speech_at_all(evaluation, tmp_path):
    silent = np.ones(len(evaluation), dtype=bool)
    everywhere = replace(evaluation, silent=silent)
    page = Page(write_report(everywhere, tmp_path, n_recordings=0))
    assert page.find("dd")[0][1] == "0.000"
    assert page.find("section", id="confidence") == []


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_all_wrong(evaluation, tmp_path, right):
    codes = np.searchsorted(evaluation.classes, evaluation.y_true)
    certain = np.eye(7)[codes if right else (codes + 1) % 7]
    certain_too = replace(evaluation, probabilities=certain)
    page = Page(write_report(certain_too, tmp_path, n_recordings=0))
    assert page.find("dd")[0][1] == ("1.000" if right else "0.000")


def test_a_class_without_recordings(evaluation, tmp_path):
    rows = np.flatnonzero(evaluation.y_true != evaluation.classes[0])[:1]
    one = replace(
        evaluation,
        paths=evaluation.paths[rows],
        y_true=evaluation.y_true[rows],
        probabilities=evaluation.probabilities[rows],
        speakers=evaluation.speakers[rows],
        folds=None,
    )
    page = Page(write_report(one, tmp_path))
    assert "bootstrap" not in page.text()
    assert len(page.rows()) == 1


def test_attention_is_drawn(evaluation, tmp_path):
    plain = Page(write_report(evaluation, tmp_path / "plain", n_recordings=2))
    page = Page(
        write_report(
            evaluation,
            tmp_path / "attention",
            n_recordings=2,
            pipeline=load_pretrained("emodb-descriptors"),
        )
    )
    assert "Waveform, attention, mel spectrogram" in page.text("th")
    assert "attention" not in plain.text("th")
    pictures = [
        [attrs["src"] for attrs, _ in each.find("img") if "Waveform" in attrs["alt"]]
        for each in (plain, page)
    ]
    assert len(pictures[1]) == 2
    assert not set(pictures[0]) & set(pictures[1])


def test_a_page_is_not_overwritten(evaluation, tmp_path):
    path = tmp_path / "index.html"
    path.write_text("mine")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"index.html exists: delete it"):
        write_report(evaluation, tmp_path)
    assert path.read_text() == "mine"
    path.unlink()
    write_report(evaluation, tmp_path, n_recordings=0)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "index.html",
        "notes.txt",
    ]


def test_a_file_is_no_folder(evaluation, tmp_path):
    (tmp_path / "page").write_text("mine")
    with pytest.raises(NotADirectoryError, match="page is a file: name a folder"):
        write_report(evaluation, tmp_path / "page")


def test_nothing_is_half_written(evaluation, monkeypatch, tmp_path):
    def fail(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        write_report(evaluation, tmp_path / "page", n_recordings=0)
    assert not list(tmp_path.rglob("*.html"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_true": np.array(["Wut"] * 14)}, r"labelled 'Wut', which the model"),
        ({"probabilities": np.eye(7)}, r"shape \(7, 7\) for 14 recordings"),
        ({"speakers": np.array(["a"])}, "1 speakers for 14 recordings"),
        ({"paths": np.array([], dtype=str)}, "holds no recordings"),
    ],
)
def test_what_does_not_fit_is_refused_first(evaluation, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        write_report(replace(evaluation, **changes), tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_without_jinja_it_says_what_to_install(evaluation, monkeypatch, tmp_path):
    from skemotion.report._page import load_engine

    load_engine.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r'pip install "skemotion\[report\]"'):
        write_report(evaluation, tmp_path / "page")
    assert not (tmp_path / "page").exists()
