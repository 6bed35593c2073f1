"""Models of the Hugging Face hub, for which a server on this machine stands in."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from safetensors.numpy import save

from skemotion.feature_extraction._weights import load_weights
from skemotion.networks import hash_weights

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")

COMMIT = "a" * 40
CODE = """
import sys, time
from skemotion import SpeechEncoder
from skemotion.feature_extraction import _weights
start = time.monotonic()
try:
    print(SpeechEncoder(weights=sys.argv[1], layer=3).fit(["a.wav"])._digest)
except (ImportError, ValueError) as error:
    print(type(error).__name__, error)
print(time.monotonic() - start)
"""


class Hub(ThreadingHTTPServer):
    """Serves files of models as the hub does, and remembers what was asked."""

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked = files, []


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        content = self._answer()
        if content is not None:
            self.wfile.write(content)

    def _answer(self):
        self.server.asked.append(f"{self.command} {self.path}")
        model, _, file = self.path.strip("/").partition("/resolve/main/")
        files = self.server.files.get(model)
        content = (files or {}).get(file)
        self.send_response(200 if content is not None else 404)
        if files is None:
            self.send_header("X-Error-Code", "RepoNotFound")
        elif content is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        else:
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        return content

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def hub(encoder_arrays):
    arrays = {f"model.encoder.{name}": each for name, each in encoder_arrays.items()}
    half = len(arrays) // 2
    parts = {
        "model-00001-of-00002.safetensors": dict([*arrays.items()][:half]),
        "model-00002-of-00002.safetensors": dict([*arrays.items()][half:]),
    }
    where = {name: part for part, held in parts.items() for name in held}
    index = json.dumps({"weight_map": where}).encode()
    files = {
        "openai/whole": {"model.safetensors": save(arrays)},
        "openai/parts": {
            "model.safetensors.index.json": index,
            **{part: save(held) for part, held in parts.items()},
        },
        "openai/pickled": {"pytorch_model.bin": b"no"},
        "openai/broken": {"model.safetensors": b"no"},
    }
    with Hub(files) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def load(model, home, endpoint, **environment):
    """Load in a process of its own, which reads the settings of the hub anew."""
    environment = {
        **{n: each for n, each in os.environ.items() if not n.startswith("HF_")},
        "HF_HOME": str(home),
        "HF_ENDPOINT": endpoint,
        **environment,
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE, model],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result, seconds = done.stdout.splitlines()
    return result, float(seconds)


@pytest.fixture
def endpoint(hub):
    hub.asked.clear()
    return f"http://127.0.0.1:{hub.server_port}"


@pytest.mark.parametrize("model", ["openai/whole", "openai/parts"])
def test_a_model_is_fetched_once(model, hub, endpoint, encoder_file, tmp_path):
    expected = hash_weights(load_weights(encoder_file, (3,)).arrays)
    assert load(model, tmp_path, endpoint)[0] == expected
    assert not any(".bin" in asked for asked in hub.asked)
    n_asked = len(hub.asked)
    assert load(model, tmp_path, endpoint)[0] == expected
    assert len(hub.asked) == n_asked
    assert load(model, tmp_path, endpoint, HF_HUB_OFFLINE="1")[0] == expected


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("openai/none", "no model of this name that may be read."),
        ("openai/pickled", "has no safetensors files."),
        ("openai/broken", "no intact safetensors file"),
        ("..openai/whole", "does not give it"),
    ],
)
def test_models_that_cannot_be_used(model, reason, endpoint, tmp_path):
    message, seconds = load(model, tmp_path, endpoint)
    assert message.startswith(f"ValueError weights={model!r} cannot be used: ")
    assert reason in message
    assert seconds < 15


@pytest.mark.parametrize(
    ("endpoint", "environment"),
    [
        ("http://127.0.0.1:9", {}),
        ("http://name.invalid", {}),
        ("https://huggingface.co", {"HF_HUB_OFFLINE": "1"}),
    ],
)
def test_no_connection_is_told_at_once(endpoint, environment, tmp_path):
    message, seconds = load("openai/whole", tmp_path, endpoint, **environment)
    assert message.startswith("ValueError weights='openai/whole' cannot be used: ")
    assert "the Hugging Face hub does not give it (" in message
    assert seconds < 15


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub.utils", None)
    with pytest.raises(ImportError, match=r"pip install \"skemotion\[hub\]\""):
        load_weights("openai/whole", (1,))
