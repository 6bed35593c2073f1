"""What is fuzzed: readers, what they are given, and what they may do with it.

A target is right where it gives what is right, or refuses by the error that its
documentation names. All else that comes out of `run` is a defect.
"""

import io
import json
import os
import re
import warnings
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from _damage import mutate_bytes, mutate_json, mutate_text

RIGHT, REFUSED = "right", "refused"


class Target(NamedTuple):
    """A reader of something from disk.

    Attributes
    ----------
    title : str
        What is read.
    make_seeds : callable
        Called with a folder, it returns whole files, as bytes.
    mutate : callable
        ``mutate(content, rng, others)`` returns a damaged one.
    run : callable
        ``run(content, folder)`` reads one, and returns RIGHT or REFUSED.
    """

    title: str
    make_seeds: Callable[[Path], list[bytes]]
    mutate: Callable[[bytes, Random, Sequence[bytes]], bytes]
    run: Callable[[bytes, Path], str]


class WrongResult(Exception):
    """A reader has given something else than what is there."""


def _require(holds, what):
    if not holds:
        raise WrongResult(what)


def _refuses(error):
    """Tell whether this is the documented error, and none of its kin."""
    from skemotion.exceptions import AudioError

    return type(error) in (ValueError, AudioError) and bool(str(error).strip())


def _attempt(function, *args, **kwargs):
    """Return what a function gives, or None where it refuses as it should."""
    try:
        return function(*args, **kwargs)
    except ValueError as error:
        if not _refuses(error):
            raise
        return None


def _sound(n_samples, rate):
    time = np.arange(n_samples) / rate
    noise = np.random.default_rng(0).normal(0, 0.05, n_samples)
    return 0.3 * np.sin(2 * np.pi * 220 * time) + noise


# Audio


def _audio_seeds(folder):
    """Write a short sound in all that libsndfile can write."""
    import soundfile

    seeds = []
    for number, (format_, subtype) in enumerate(_audio_kinds()):
        rate = (8000, 16000, 44100)[number % 3]
        for channels in (1, 2) if number % 4 == 0 else (1,):
            signal = np.repeat(_sound(rate // 20, rate)[:, np.newaxis], channels, 1)
            file = io.BytesIO()
            with suppress(soundfile.LibsndfileError, ValueError, AssertionError):
                soundfile.write(file, signal, rate, subtype, format=format_)
                seeds.append(file.getvalue())
    plain = next(seed for seed in seeds if seed[:4] == b"RIFF")
    coded = [seed for seed in seeds if seed[:2] in (b"\xff\xfb", b"\xff\xf3")]
    tag = b"ID3\x04\0\0\0\0\0\x19TIT2\0\0\0\x0f\0\0\x03a title of it\0"
    tag += b"COMM\0\0\0\x05\0\0\x03eng\0"
    return [*seeds, *(tag + seed for seed in coded), plain[:44]]


def _audio_kinds():
    import soundfile

    for format_ in soundfile.available_formats():
        for subtype in soundfile.available_subtypes(format_):
            if format_ != "RAW" and soundfile.check_format(format_, subtype):
                yield format_, subtype


def _run_audio(content, folder):
    from skemotion.audio import (
        check_audio,
        decode,
        header_seconds,
        iter_blocks,
        load_audio,
    )

    path = folder / "a.wav"
    path.write_bytes(content)
    whole = _attempt(load_audio, path)
    held = _attempt(load_audio, io.BytesIO(content))
    _require((whole is None) == (held is None), "a path and a file object differ")
    looked_at = _attempt(_succeeds, check_audio, path)
    header_seconds(path)
    _attempt(load_audio, path, duration=0.02)
    _attempt(load_audio, (str(path), 0.01, 0.03))
    blocks = _attempt(_collect, iter_blocks, path)
    if whole is None:
        return REFUSED
    _require(looked_at, "what is read is refused by its header")
    _require(whole.dtype == np.float32 and whole.ndim == 1, "no 1-D float32")
    _require(whole.size and np.isfinite(whole).all(), "no finite samples")
    _require(np.array_equal(whole, held), "a path and a file object differ")
    signal, _ = decode(path, sampling_rate=16000, duration=None)
    _require(blocks is not None, "blocks of it cannot be read")
    _require(np.array_equal(signal, blocks), "blocks of it differ")
    return RIGHT


def _succeeds(function, *args):
    function(*args)
    return True


def _collect(iter_blocks, path):
    return np.concatenate([block for block, _ in iter_blocks(path, 10**6)])


# Bundles


def _bundle_seeds(folder):
    from skemotion import (
        AttentionBLSTMClassifier,
        EmotionPipeline,
        NoveltyDetector,
        SequenceScaler,
        SpeechAugmenter,
        SpeechFeatureExtractor,
    )
    from skemotion.persistence import save_model

    rng = np.random.default_rng(0)
    signals = [rng.normal(size=2500 + 150 * i).astype(np.float32) for i in range(12)]
    labels = np.repeat(["anger", "fear", "sadness"], 4)
    extractor = SpeechFeatureExtractor(duration=0.3, n_mfcc=2, n_mels=8, n_jobs=1)
    whole = EmotionPipeline(
        [
            ("augment", SpeechAugmenter(effects=("noise",), random_state=0)),
            ("extract", extractor),
            ("scale", SequenceScaler(ignore_padding=True)),
            ("classify", AttentionBLSTMClassifier(units=1, epochs=1, random_state=0)),
        ],
        validation_fraction=None,
        novelty_detector=NoveltyDetector(),
        random_state=0,
    ).fit(signals, labels)
    models = [
        SequenceScaler().fit(rng.normal(size=(5, 4, 3))),
        SequenceScaler(scope="cell").fit(rng.normal(size=(5, 4, 3))),
        SpeechFeatureExtractor(duration=0.3),
        EmotionPipeline(whole.steps[:-1], validation_fraction=None),
        whole,
    ]
    models[3].fit(signals, labels)
    seeds = []
    for model in models:
        save_model(model, folder / "seed.skemotion")
        seeds.append((folder / "seed.skemotion").read_bytes())
    return seeds


def _mutate_bundle(content, rng, others):
    """Damage a bundle, or write one whose sums are right and whose content is not."""
    way = rng.random()
    members = _unzip(content)
    if way < 0.25 or members is None or "manifest.json" not in members:
        return mutate_bytes(content, rng, others)
    try:
        manifest = json.loads(members.pop("manifest.json"))
    except (ValueError, RecursionError):
        return mutate_bytes(content, rng, others)
    if way < 0.4 and members:
        name = rng.choice(list(members))
        members[name] = mutate_bytes(members[name], rng, list(members.values()))
    elif way < 0.45:
        manifest = mutate_json(manifest, rng)
    elif isinstance(manifest, dict):
        manifest["model"] = mutate_json(manifest.get("model"), rng)
    return _bundle(manifest, members)


def _bundle(manifest, members):
    from skemotion.persistence._archive import pack, sha256

    if isinstance(manifest, dict) and "sha256" in manifest:
        sums = {name: sha256(member) for name, member in members.items()}
        manifest = {**manifest, "sha256": sums}
    return pack({"manifest.json": json.dumps(manifest).encode()} | members)


def _unzip(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except Exception:
        return None


def _run_bundle(content, folder):
    from skemotion.persistence import load_model, save_model

    path = folder / "a.skemotion"
    path.write_bytes(content)
    model = _attempt(load_model, path)
    if model is None:
        return REFUSED
    repr(model)
    _attempt(_use, model)
    save_model(model, folder / "again.skemotion")  # what is loaded can be saved
    _require(_attempt(load_model, folder / "again.skemotion"), "it loads but once")
    return RIGHT


def _use(model):
    """Let a model work on a short recording, as far as it can."""
    if hasattr(model, "steps") or hasattr(model, "get_feature_names_out"):
        signal = _sound(8000, 16000).astype(np.float32)
        last = model.steps[-1][1] if hasattr(model, "steps") else model
        method = "predict_proba" if hasattr(last, "predict_proba") else "transform"
        if hasattr(model, method) and not hasattr(last, "mean_"):
            getattr(model, method)([(signal, 16000)])


# Weights of an encoder


def _weight_seeds(folder):
    from safetensors.numpy import save

    rng = np.random.default_rng(0)
    arrays = {"conv1.weight": rng.normal(size=(64, 80, 3))}
    arrays |= {"conv2.weight": rng.normal(size=(64, 64, 3))}
    arrays |= {f"conv{number}.bias": np.zeros(64) for number in (1, 2)}
    block = "layers.0."
    for norm in ("self_attn_layer_norm", "final_layer_norm"):
        arrays |= {f"{block}{norm}.{part}": np.ones(64) for part in ("weight", "bias")}
    for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
        arrays[f"{block}self_attn.{part}.weight"] = rng.normal(size=(64, 64))
        if part != "k_proj":
            arrays[f"{block}self_attn.{part}.bias"] = np.zeros(64)
    arrays |= {f"{block}fc1.weight": np.ones((8, 64)), f"{block}fc1.bias": np.ones(8)}
    arrays |= {f"{block}fc2.weight": np.ones((64, 8)), f"{block}fc2.bias": np.ones(64)}
    named = {f"model.encoder.{name}": np.float16(each) for name, each in arrays.items()}
    return [save(named)]


def _mutate_weights(content, rng, others):
    """Damage the JSON at the head of a safetensors file, or its bytes."""
    size = int.from_bytes(content[:8], "little")
    if rng.random() < 0.3 or not 2 <= size <= len(content) - 8:
        return mutate_bytes(content, rng, others)
    try:
        header = json.loads(content[8 : 8 + size])
    except (ValueError, RecursionError):
        return mutate_bytes(content, rng, others)
    header = json.dumps(mutate_json(header, rng)).encode()
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


def _run_weights(content, folder):
    from skemotion.feature_extraction._weights import load_weights, read_weights

    path = folder / "model.safetensors"
    path.write_bytes(content)
    held = _attempt(read_weights, content, (1,))
    read = _attempt(load_weights, path, (1,))
    _require((held is None) == (read is None), "a path and its content differ")
    if held is None:
        return REFUSED
    for name, array in held.arrays.items():
        _require(np.array_equal(array, read.arrays[name]), f"{name} differs")
    return RIGHT


# Tables and lists


def _table_seeds(folder):
    return [
        b"path,label,speaker\na.wav,anger,1\nb.wav,fear,2\n",
        b'path,label\n"a.wav",anger\n"b.wav","fe""ar"\n',
        "\ufeffpath,label,note\r\na.wav,Ärger,x\r\nb.wav,fear,\r\n".encode(),
        b"path\tlabel\na.wav\tanger\nb.wav\tfear\n",
        b"a.wav\nb.wav\n",
    ]


def _run_table(content, folder):
    from skemotion.audio import check_audio
    from skemotion.cli._recordings import Recordings, read_list
    from skemotion.cli._sources import open_source
    from skemotion.datasets import load_recordings

    for name in ("a.wav", "b.wav"):
        (folder / name).touch()
    path = folder / "table.csv"
    path.write_bytes(content)
    corpus = _attempt(load_recordings, path)
    source = _attempt(open_source, str(path))
    if source is not None:
        recordings = Recordings(source.columns, source.rows)
        _attempt(recordings.split, "speaker")
        for row in source.rows:
            _require(len(row) == len(source.columns), "rows of another length")
            _attempt(check_audio, row[0])
    listed = _attempt(read_list, str(path))
    for chunk in [] if listed is None else listed.chunks(100):
        for (name,) in chunk:
            _attempt(check_audio, name)
    if corpus is None:
        return REFUSED
    _require(len(corpus.paths) == len(corpus.target), "paths without labels")
    _require(all(map(os.path.isfile, corpus.paths)), "paths that are not there")
    return RIGHT


# Data frames, and indexes of audformat


def _frame_seeds(folder):
    texts = [
        {
            "index": {"file": ["a.wav", "b.wav"], "start": [0, 0.5], "end": [None, 1]},
            "columns": {"label": ["anger", "fear"], "speaker": ["1", "2"]},
        },
        {
            "index": {"file": ["a.wav", "b.wav"]},
            "columns": {"emotion": ["anger", "fear"]},
        },
        {
            "index": {},
            "columns": {"path": ["a.wav", "b.wav"], "label": ["anger", "fear"]},
        },
    ]
    return [json.dumps(text).encode() for text in texts]


def _mutate_as_json(content, rng, others):
    return json.dumps(mutate_json(json.loads(content), rng)).encode()


def _run_frame(content, folder):
    from skemotion.datasets import load_recordings

    for name in ("a.wav", "b.wav"):
        (folder / name).touch()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = _make_frame(json.loads(content), folder)
    except Exception:  # of which pandas makes nothing
        return REFUSED
    try:
        corpus = load_recordings(table)
    except (TypeError, ValueError) as error:
        _require(type(error) in (TypeError, ValueError), f"{error!r}")
        return REFUSED
    _require(len(corpus.paths) == len(corpus.target), "paths without labels")
    return RIGHT


def _make_frame(described, folder):
    import pandas as pd

    levels = {
        name: pd.to_timedelta(values, unit="s")
        if name in ("start", "end")
        else [_in_folder(value, folder) for value in values]
        for name, values in described["index"].items()
    }
    columns = {
        name: [_in_folder(value, folder) for value in values]
        if name == "path"
        else values
        for name, values in described["columns"].items()
    }
    index = None
    if len(levels) == 1:
        ((name, values),) = levels.items()
        index = pd.Index(values, name=name)
    elif levels:
        index = pd.MultiIndex.from_arrays(list(levels.values()), names=list(levels))
    return pd.DataFrame(columns, index=index)


def _in_folder(value, folder):
    return str(folder / value) if value in ("a.wav", "b.wav") else value


# Journals of long work. Files of a folder stand in one JSON, as Latin-1.

_CHUNKS = tuple(f"row {number}\n" for number in range(4))
_IDENTITY = {"command": "fuzz"}


def _journal_seeds(folder):
    from skemotion.cli._journal import open_journal

    seeds = []
    for n_done in (1, 3):
        with (
            suppress(KeyboardInterrupt),
            open_journal(_journal_targets(folder), _IDENTITY) as journal,
        ):
            _go_on(journal, n_done)
            raise KeyboardInterrupt
        partial = folder / "out.csv.partial"
        files = {path.name: path.read_bytes() for path in partial.iterdir()}
        seeds.append(_pack_files(files))
        for path in partial.iterdir():
            path.unlink()
    return seeds


def _go_on(journal, n_done):
    for number in range(journal.n_done, n_done):
        journal.write("table", _CHUNKS[number].encode())
        journal.write_failures("failed.csv", {f"{number}.wav": "bad"})
        journal.commit(1)


def _journal_targets(folder):
    return {"table": folder / "out.csv", "failed.csv": folder / "out.csv.failed"}


def _pack_files(files):
    return json.dumps(
        {name: content.decode("latin-1") for name, content in files.items()}
    ).encode()


def _unpack_files(content):
    """Return the files of a folder; what is none of these becomes the state."""
    with suppress(AttributeError, RecursionError, ValueError):
        return {
            name: text.encode("latin-1")
            for name, text in json.loads(content).items()
            if re.fullmatch(r"[a-z.]{1,40}", name)
        }
    return {"state.json": content}


def _mutate_journal(content, rng, others):
    """Damage one file of a folder, the state most often, or lose one."""
    files = _unpack_files(content)
    name = rng.choice(["state.json", "state.json", *sorted(files)])
    way = rng.random()
    if name not in files or way < 0.02:
        files.pop(name, None)
    elif name == "state.json" and way < 0.6:
        with suppress(ValueError, RecursionError):
            state = mutate_json(json.loads(files[name]), rng)
            files[name] = json.dumps(state).encode()
    elif way < 0.8:
        files[name] = mutate_text(files[name], rng, list(files.values()))
    else:
        files[name] = mutate_bytes(files[name], rng, list(files.values()))
    return _pack_files(files)


def _run_journal(content, folder):
    from skemotion.cli._journal import open_journal

    files, partial = _unpack_files(content), folder / "out.csv.partial"
    _empty(folder)
    partial.mkdir()
    for name, held in files.items():
        (partial / name).write_bytes(held)

    def work():
        with open_journal(_journal_targets(folder), _IDENTITY) as journal:
            _go_on(journal, len(_CHUNKS))
            journal.read_failures("failed.csv")
        return True

    state = files.get("state.json")
    if _attempt(work) is None:
        kept = {path.name: path.read_bytes() for path in partial.iterdir()}
        _require(kept.get("state.json") == state, "what is refused is noted anew")
        _require(kept.get("table", b"") in files.get("table", b""), "rows are added")
        return REFUSED
    result = (folder / "out.csv").read_bytes()
    before = {"n_done": 0, "sizes": {"table": 0}}
    before = before if state is None else json.loads(state)
    rest = "".join(_CHUNKS[before["n_done"] :]).encode()
    kept = files.get("table", b"")[: before["sizes"]["table"]]
    _require(result == kept + rest, "another table")
    _require(len(result) == len("".join(_CHUNKS)), "rows are lost or doubled")
    return RIGHT


def _empty(folder):
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


# Entries of the cache, and folds that are kept: what is not whole is not there

_SHAPE = (5, 3)
_KEY = "0123456789abcdef" * 4


def _features():
    return np.arange(15, dtype=np.float32).reshape(_SHAPE)


def _cache_seeds(folder):
    from skemotion.feature_extraction._cache import FeatureCache

    cache = FeatureCache(folder)
    cache.create()
    cache.store(_KEY, _features())
    return [cache._path(_KEY).read_bytes()]


def _run_cache(content, folder):
    from skemotion.feature_extraction._cache import FeatureCache

    cache = FeatureCache(folder)
    cache.create()
    cache._path(_KEY).parent.mkdir(exist_ok=True)
    cache._path(_KEY).write_bytes(content)
    found = cache.load(_KEY, _SHAPE)
    if found is None:
        return REFUSED
    _require(np.array_equal(found, _features()), "other features")
    return RIGHT


def _fold():
    from skemotion.cli._folds import Fold

    return Fold(
        np.arange(4),
        np.full((4, 2), 0.5),
        np.zeros(4, dtype=bool),
        {"loss": [1.0, 0.5]},
        2.0,
    )


def _fold_seeds(folder):
    from skemotion.cli._folds import KeptFolds

    KeptFolds(folder).save(0, _fold())
    (path,) = folder.iterdir()
    return [path.read_bytes()]


def _mutate_fold(content, rng, others):
    """Damage an archive, or a member of it whose checksum is right again."""
    members = _unzip(content)
    if rng.random() < 0.5 or not members:
        return mutate_bytes(content, rng, others)
    name = rng.choice(list(members))
    members[name] = mutate_bytes(members[name], rng, list(members.values()))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for each, member in members.items():
            archive.writestr(each, member)
    return file.getvalue()


def _run_fold(content, folder):
    from skemotion.cli._folds import KeptFolds

    folds = KeptFolds(folder)
    if not any(folder.iterdir()):
        folds.save(0, _fold())
    (path,) = folder.iterdir()
    path.write_bytes(content)
    found, expected = folds.load(0), _fold()
    if found is None:
        return REFUSED
    for name, value in vars(expected).items():
        _require(np.array_equal(getattr(found, name), value), f"another {name}")
    return RIGHT


# Archives of a corpus


def _archive_seeds(folder):
    seeds = []
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", compression) as archive:
            archive.writestr("a.wav", b"a recording" * 20)
            archive.writestr("b.txt", b"what is said of it")
        seeds.append(file.getvalue())
    return seeds


def _run_archive(content, folder):
    from hashlib import sha256

    from skemotion.datasets import Archive, Corpus
    from skemotion.datasets._download import unpack

    _empty(folder)
    path = folder / "archive.zip"
    path.write_bytes(content)
    recording = b"a recording" * 20
    sums = {"a.wav": sha256(recording).hexdigest()}
    known = {"b.txt": sha256(b"what is said of it").hexdigest()}
    archive = Archive(
        ["https://example.org"], 10**6, files=sums, documents=known, largest=10**6
    )
    corpus = Corpus("it", lambda path: {"label": path.stem}, archive=archive)
    try:
        unpack(corpus, archive, path, folder, url=archive.urls[0])
    except OSError as error:
        _require(type(error) is OSError, f"{error!r}")
        return REFUSED
    files = {each.name for each in folder.iterdir()} - {"archive.zip"}
    _require(files <= {"a.wav", "b.txt"}, f"foreign files {files}")
    return RIGHT


TARGETS = {
    "audio": Target("audio", _audio_seeds, mutate_bytes, _run_audio),
    "bundle": Target("bundles", _bundle_seeds, _mutate_bundle, _run_bundle),
    "weights": Target(
        "weights of an encoder", _weight_seeds, _mutate_weights, _run_weights
    ),
    "table": Target("tables and lists", _table_seeds, mutate_text, _run_table),
    "frame": Target(
        "data frames, indexes of audformat", _frame_seeds, _mutate_as_json, _run_frame
    ),
    "journal": Target("journals", _journal_seeds, _mutate_journal, _run_journal),
    "cache": Target("entries of the cache", _cache_seeds, mutate_bytes, _run_cache),
    "fold": Target("kept folds", _fold_seeds, _mutate_fold, _run_fold),
    "archive": Target(
        "archives of a corpus", _archive_seeds, mutate_bytes, _run_archive
    ),
}


def run_watched(target: Target, content: bytes, folder: Path) -> str:
    """Run a target on one input; what another package warns of is a defect, too."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = target.run(content, folder)
    for warning in caught:
        if not warning.category.__module__.startswith("skemotion."):
            raise WrongResult(
                f"a warning: {warning.category.__name__}: {warning.message}"
            )
    return outcome


def describe(error: BaseException) -> dict[str, Any]:
    """Return of which kind a defect is: what was raised, and where in the package."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    ours = [each for each in frames if f"{os.sep}skemotion{os.sep}" in each]
    kind = type(error).__name__
    if isinstance(error, WrongResult):
        kind += f" {str(error)[:60]}"
    elif ours:
        kind += f" at {ours[-1].rpartition(f'{os.sep}skemotion{os.sep}')[2]}"
    return {"kind": kind, "error": repr(error)[:500]}
