"""Progress: seen on a terminal, absent from what is kept."""

import os
import pty
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-c", "import sys; from strandline.cli import main; sys.exit(main())"]


@pytest.fixture
def files(tmp_path):
    """Two names that look like markup, of files that are no pictures."""
    for name in ("[red]1", ":smile:2"):
        (tmp_path / name).write_bytes(b"not a picture")
    return tmp_path


def run_on_terminal(files, *options, stdout):
    """Run ``strandline hash`` with a terminal as standard error; return both outputs."""
    terminal, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "hash", *options, str(files)],
        stdout=stdout or slave,
        stderr=slave,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "60"},
    )
    os.close(slave)
    seen = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # the last process closed its end
            break
        if not chunk:
            break
        seen += chunk
    os.close(terminal)
    kept = b""
    if process.stdout:
        with process.stdout:
            kept = process.stdout.read()
    assert process.wait(timeout=20) == 1
    return kept.decode(), seen.decode()


def test_a_redirected_result_is_free_of_progress(files):
    kept, seen = run_on_terminal(files, "--json", stdout=subprocess.PIPE)
    assert len(kept.splitlines()) == 2
    assert all(line.startswith('{"path": "/') and line.endswith("}") for line in kept.splitlines())
    assert "hashed" in seen


def test_on_a_terminal_each_line_stands_alone_and_names_are_shown_as_they_are(files):
    _, seen = run_on_terminal(files, stdout=None)
    lines = [line.rpartition("\x1b[2K")[2].rstrip("\r") for line in seen.split("\n")]
    for name in ("[red]1", ":smile:2"):
        assert any(line.startswith(f"{files}/{name}: This is not a picture") for line in lines)


def test_without_a_terminal_there_is_no_progress(files):
    done = subprocess.run(
        [*COMMAND, "hash", str(files)], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 1
    assert "hashed" not in done.stderr
    assert "\x1b" not in done.stderr + done.stdout
