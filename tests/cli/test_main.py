"""The command line as a whole: quick, and a sentence for whatever goes wrong."""

import json
import os
import signal
import subprocess
import sys
import time

import click
import pytest

from strandline import __version__
from strandline.cli import cli, main
from strandline.cli.files import files_under, printable
from strandline.cli.registry import LAZY, Lazy

COMMAND = [sys.executable, "-c", "import sys; from strandline.cli import main; sys.exit(main())"]


def test_help_lists_every_command_and_the_exit_statuses(capsys):
    assert main(["--help"]) == 0
    output = capsys.readouterr().out
    for name, lazy in LAZY.items():
        assert name in output
        assert lazy.help.split()[0] in output
    for status in ("0  ", "1  ", "2  ", "130", "141"):
        assert f"\n    {status}" in output


def test_help_imports_nothing_slow():
    program = (
        "import sys, json; from strandline.cli import main; main(['--help']);"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr)}
    assert "click" in loaded
    assert not loaded & {"numpy", "django", "rich", "PIL", "cryptography", "httpx2"}


def test_help_answers_at_once():
    spent = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([*COMMAND, "--help"], capture_output=True, check=True)
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.3


def test_the_version_is_the_packages(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"strandline {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nonsense"], "There is no command 'nonsense'."),
        (["lst"], "Did you mean 'list'?"),
        (["--nonsense"], "No such option"),
        (["list", "nonsense"], "No such command 'nonsense'"),
        (["list", "sync"], "Missing argument 'DIR'"),
        (["list", "match", "d", "f", "--radius", "x"], "not a valid integer"),
        (["list", "match", "d", "f", "--radius", "65"], "not in the range"),
        (["hash"], "Missing argument"),
        ([], "Usage"),
    ],
)
def test_what_is_not_understood_is_a_sentence_and_status_2(arguments, sentence, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert "Traceback" not in captured.err


def test_a_refusal_is_a_sentence_and_status_1(tmp_path, capsys):
    assert main(["list", "verify", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("Error: ")


def raising(error):
    @click.command()
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (
            PermissionError(13, "Permission denied", "a\x1b[2Jb"),
            1,
            "a\\x1b[2Jb: Permission denied.",
        ),
        (OSError(28, "No space left on device"), 1, "Error: No space left on device."),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (click.ClickException("Refused."), 1, "Error: Refused."),
    ],
)
def test_what_goes_wrong_is_a_sentence(error, status, sentence, monkeypatch, capsys):
    monkeypatch.setattr(cli, "get_command", lambda _context, _name: raising(error))
    monkeypatch.setattr(cli, "list_commands", lambda _context: ["fail"])
    assert main(["fail"]) == status
    assert sentence in capsys.readouterr().err


def test_an_error_nobody_foresaw_is_a_sentence_and_its_traceback_is_to_be_had(monkeypatch, capsys):
    monkeypatch.setattr(cli, "get_command", lambda _context, _name: raising(ZeroDivisionError()))
    monkeypatch.setattr(cli, "list_commands", lambda _context: ["fail"])
    assert main(["fail"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    monkeypatch.setenv("STRANDLINE_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["fail"])


def test_a_part_that_is_not_installed_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "needs_more.py").write_text("import a_library_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(
        "strandline.cli.registry.LAZY", {"more": Lazy("needs_more:more", "Do more.")}
    )
    assert main(["more"]) == 1
    error = capsys.readouterr().err
    assert "a_library_nobody_has" in error
    assert "strandline[hotline]" in error


def test_an_interruption_ends_with_status_130(tmp_path):
    pipe = tmp_path / "key"
    os.mkfifo(pipe)
    arguments = ["list", "init", str(tmp_path / "d"), "--url", "http://127.0.0.1:9"]
    arguments += ["--fingerprint", "0" * 64, "--api-key-file", str(pipe)]
    process = subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True)
    with pipe.open("w"):  # returns once the command waits for the key
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == "Interrupted.\n"


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}").write_bytes(b"not a picture")
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as closed:
        done = subprocess.run(
            [*COMMAND, "hash", "--json", str(tmp_path)],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            timeout=20,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, "")


def test_folders_are_walked_in_order_and_links_to_folders_are_not(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/2").write_bytes(b"")
    (tmp_path / "b/1").write_bytes(b"")
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b/loop").symlink_to(tmp_path)
    found = [str(path.relative_to(tmp_path)) for path in files_under([tmp_path, tmp_path / "no"])]
    assert found == ["a", "b/1", "b/2", "no"]


def test_text_a_terminal_would_obey_is_written_as_escapes():
    assert printable("a\x1b[2J\x9b\u202eé\n") == "a\\x1b[2J\\x9b\\u202eé\\n"
    assert printable("\udcff") == "\\udcff"
