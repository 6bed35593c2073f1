"""What all commands have in common: options, messages, errors and exit codes."""

import os
import signal
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from skemotion.cli import main
from skemotion.cli._main import make_parser
from skemotion.cli._terminal import heeding, progress_bar

COMMANDS = list(make_parser()._subparsers._group_actions[0].choices.items())


def set_command(monkeypatch, work):
    """Let ``skemotion cache`` do something else."""
    monkeypatch.setattr("skemotion.cli._cache.run", work)
    return ["cache", "info", "folder"]


@pytest.mark.parametrize(("name", "parser"), COMMANDS)
def test_one_name_for_one_thing(name, parser):
    options = {
        text: action for action in parser._actions for text in action.option_strings
    }
    assert {"-q", "--quiet", "-v", "--verbose"} <= options.keys()
    assert "--output" not in options
    for short, long in [("-o", "--out"), ("-m", "--model"), ("-q", "--quiet")]:
        assert options.get(short) is options.get(long)
    assert not parser.allow_abbrev


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "a.wav", "--mod", "x"],
        ["evaluate", "x", "--fold", "2"],
        ["train", "x", "--rec", "post"],
        ["predict", "a.wav", "--quiet", "--progress"],
        ["predict", "a.wav", "--quiet", "--verbose"],
        ["train", "x", "--n-jobs", "0"],
        ["train", "x", "--seed", "one"],
        ["evaluate", "x", "--map", "anger"],
        ["evaluate", "x", "--map", "=anger"],
    ],
)
def test_wrong_usage_names_the_command(arguments, capfd):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    err = capfd.readouterr().err
    assert err.startswith(f"usage: skemotion {arguments[0]} ")
    assert f"skemotion {arguments[0]}: error: " in err


@pytest.mark.parametrize("out", [".", "..", "folder.npy"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "a.wav"],
        ["timeline", "a.wav"],
        ["timeline", "a.wav", "--format", "jsonl"],
        ["extract", "a.wav"],
        ["adapt", "a.wav"],
        ["check", "corpus.csv"],
        ["evaluate", "corpus.csv"],
        ["train", "corpus.csv"],
    ],
)
def test_folders_are_refused_where_a_file_is_wanted(
    arguments, out, tmp_path, monkeypatch, capfd
):
    here = tmp_path / "here"
    (here / "folder.npy").mkdir(parents=True)
    soundfile.write(here / "a.wav", np.zeros(16000), 16000)
    (here / "corpus.csv").write_text("path,label\na.wav,x\na.wav,y\n")
    monkeypatch.chdir(here)
    if arguments[0] == "extract":
        out = "folder.npy"  # what ends otherwise is refused by its end
    assert main([*arguments, "-o", out]) == 1
    err = capfd.readouterr().err
    assert err.startswith(f"skemotion {arguments[0]}: error: {out} is a folder: give ")
    assert sorted(os.listdir(here)) == ["a.wav", "corpus.csv", "folder.npy"]
    assert os.listdir(tmp_path) == ["here"]


def test_unknown_options_are_answered_by_those_of_the_command(capfd):
    with pytest.raises(SystemExit):
        main(["evaluate", "x", "--fold", "2"])
    err = capfd.readouterr().err
    assert "unrecognized arguments: --fold (near it: --folds" in err


@pytest.mark.parametrize("name", ["predict", "adapt"])
def test_files_can_be_left_out_beside_a_list(name, capfd):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    usage = " ".join(capfd.readouterr().out.split())
    assert "[FILE ...]" in usage.partition("positional")[0]
    assert " FILE [FILE ...]" not in usage


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ValueError("what is wrong."), 1, "error: what is wrong.\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (MemoryError(), 1, "error: there is not enough memory"),
        (FileNotFoundError(2, "No such file", "x.txt"), 1, "x.txt: no such file\n"),
        (RuntimeError("odd"), 1, "error: unexpected RuntimeError: odd (-v shows"),
        (KeyError("odd"), 1, "error: unexpected KeyError: 'odd'"),
    ],
)
def test_errors(error, code, message, monkeypatch, capfd):
    def work(options):
        raise error

    command = set_command(monkeypatch, work)
    assert main(command) == code
    err = capfd.readouterr().err
    assert err.startswith("skemotion cache: ")
    assert message in err
    assert "Traceback" not in err
    assert main([*command, "-v"]) == code
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
def test_control_c_in_a_process():
    code = (
        "import sys, os, signal; import skemotion.cli._cache as c\n"
        # What a shell has put into the background is born to ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "c.run = lambda options: os.kill(os.getpid(), signal.SIGINT)\n"
        "from skemotion.cli import main; sys.exit(main(['cache', 'info', 'x']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr == "skemotion cache: interrupted\n"


@pytest.mark.filterwarnings("default")
def test_quiet_leaves_results_and_errors(monkeypatch, capfd):
    def work(options):
        import logging

        from skemotion.cli._terminal import note, say

        print("result")
        say("saved")
        note("going on")
        warnings.warn("careful", stacklevel=1)
        logging.getLogger("tensorflow").error("of no interest")
        logging.getLogger("absl").critical("of no interest")

    command = set_command(monkeypatch, work)
    assert main(command) == 0
    captured = capfd.readouterr()
    assert captured.out == "result\nsaved\n"
    assert captured.err == ("skemotion: going on\nskemotion cache: warning: careful\n")
    assert main([*command, "--quiet"]) == 0
    assert capfd.readouterr() == ("result\n", "")


def test_progress_in_a_pipe_is_lines(capfd):
    options = SimpleNamespace(quiet=False, verbose=False, progress=True)
    before = sys.stderr
    with heeding(options):
        with progress_bar(3, shown=True) as bar:
            for _ in range(3):
                bar.update()
        print("after", file=sys.stderr)
    assert sys.stderr is before
    err = capfd.readouterr().err
    assert "\r" not in err
    lines = err.splitlines()
    assert len(lines) <= 3
    assert lines[-1] == "after"
    assert lines[-2].startswith("skemotion: 100% 3/3 [00:00<00:00")


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(shell, capfd):
    pytest.importorskip("shtab")
    with pytest.raises(SystemExit) as caught:
        main(["--print-completion", shell])
    assert caught.value.code == 0
    out = capfd.readouterr().out
    assert all(name in out for name, _ in COMMANDS)


@pytest.mark.skipif(not os.path.exists("/bin/bash"), reason="no bash")
def test_bash_completes_commands_and_options(tmp_path, capfd):
    pytest.importorskip("shtab")
    with pytest.raises(SystemExit):
        main(["--print-completion", "bash"])
    script = tmp_path / "completion"
    script.write_text(capfd.readouterr().out)
    code = (
        f". {script}; COMP_WORDS=(skemotion evaluate --fo); COMP_CWORD=2; "
        "_shtab_skemotion; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(
        ["/bin/bash", "-c", code], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == {"--format", "--folds"}


def test_completion_without_shtab(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(SystemExit) as caught:
        main(["--print-completion", "bash"])
    assert caught.value.code == 2
    assert "pip install 'skemotion[completion]'" in capfd.readouterr().err
