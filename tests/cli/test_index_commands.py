"""``strandline index``: files of hashes in, an index kept, answers out."""

import contextlib
import io
import json
import os
import pty
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from strandline.cli import main
from strandline.matching import Index

COMMAND = [sys.executable, "-c", "import sys; from strandline.cli import main; sys.exit(main())"]


def near(digits, *bits):
    value = int(digits, 16)
    for bit in bits:
        value ^= 1 << bit
    return f"{value:064x}"


@pytest.fixture
def hashes():
    numbers = random.Random(7)
    return [f"{numbers.getrandbits(256):064x}" for _ in range(50)]


@pytest.fixture
def lines(tmp_path):
    """Writes a file of lines; gives its name."""

    def write(*lines, name="hashes.txt", end="\n"):
        (tmp_path / name).write_bytes("".join(line + end for line in lines).encode())
        return str(tmp_path / name)

    return write


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "list.index")


@pytest.fixture
def standard_input(monkeypatch):
    def give(text):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return give


@pytest.fixture
def built(hashes, lines, path, capsys):
    """An index of 50 bare hashes."""
    assert main(["index", "build", lines(*hashes, name="built.txt"), "-o", path]) == 0
    capsys.readouterr()
    return path


def ask(capsys, path, file, *options):
    """The exit status and the JSON objects."""
    capsys.readouterr()
    status = main(["index", "query", path, file, "--json", *options])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_hash_that_was_indexed_is_found_with_the_number_of_its_line(built, hashes, lines, capsys):
    status, (exact, changed, other) = ask(
        capsys, built, lines(hashes[3], near(hashes[4], 0, 100, 255), "0" * 64)
    )
    assert status == 0
    found = {"id": "4", "hash": hashes[3], "distance": 0, "labels": []}
    assert exact == {"query": hashes[3], "matches": [found]}
    assert [(m["id"], m["distance"]) for m in changed["matches"]] == [("5", 3)]
    assert other["matches"] == []


def test_a_line_may_name_an_id_and_labels(hashes, lines, path, capsys):
    file = lines(
        f"{hashes[0]}\tcase 1",
        f"{hashes[1]}\tcasé 2\tseries, 2024,",
        f"{hashes[2]}\t\tseries",
        f"  {hashes[3].upper()} ",
    )
    assert main(["index", "build", file, "-o", path]) == 0
    assert "4 entries" in capsys.readouterr().err
    _, answers = ask(capsys, path, lines(*hashes[:4]))
    assert [
        (m["id"], m["hash"], sorted(m["labels"])) for answer in answers for m in answer["matches"]
    ] == [
        ("case 1", hashes[0], []),
        ("casé 2", hashes[1], ["2024", "series"]),
        ("3", hashes[2], ["series"]),
        ("4", hashes[3], []),
    ]


def test_only_entries_with_one_of_the_labels_are_asked(hashes, lines, path, capsys):
    file = lines(*(f"{hashes[0]}\t{label}\t{label}" for label in ("a", "b", "c")))
    assert main(["index", "build", file, "-o", path]) == 0
    _, (answer,) = ask(capsys, path, lines(hashes[0]), "--label", "a", "--label", "c")
    assert [match["id"] for match in answer["matches"]] == ["a", "c"]


def test_the_same_hash_on_two_lines_is_two_entries(hashes, lines, path, capsys):
    assert main(["index", "build", lines(hashes[0], hashes[1], hashes[0]), "-o", path]) == 0
    _, (answer,) = ask(capsys, path, lines(hashes[0]))
    assert [match["id"] for match in answer["matches"]] == ["1", "3"]


def test_comments_and_empty_lines_count_as_lines_and_stand_for_nothing(hashes, lines, path, capsys):
    file = lines("# a list", hashes[0], "", "   ", hashes[1], end="\r\n")
    assert main(["index", "build", file, "-o", path]) == 0
    assert "left out" not in capsys.readouterr().err
    _, answers = ask(capsys, path, lines("", hashes[1], "# no query", hashes[0]))
    assert [answer["matches"][0]["id"] for answer in answers] == ["5", "2"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
def test_a_list_from_any_editor_is_read(before, end, hashes, tmp_path, path, capsys):
    file = tmp_path / "hashes.txt"
    file.write_bytes(before + end.join(hashes).upper().encode())
    assert main(["index", "build", str(file), "-o", path]) == 0
    assert "50 entries" in capsys.readouterr().err
    _, answers = ask(capsys, path, str(file))
    assert [answer["matches"][0]["id"] for answer in answers] == [str(n) for n in range(1, 51)]


CORRUPT = {
    "does not begin with a hash": "g" * 64,
    "64 hex digits": "0" * 63,
    "more than hash, id and labels": "0" * 64 + "\ta\tb\tc",
    "too long": "0" * 3_000_000,
}


@pytest.mark.parametrize("reason", CORRUPT)
def test_one_corrupt_line_is_told_with_its_number_and_the_rest_is_built(
    reason, hashes, lines, path, capsys
):
    file = lines(*hashes[:30], CORRUPT[reason], *hashes[30:])
    assert main(["index", "build", file, "-o", path]) == 0
    told = capsys.readouterr().err
    assert "Line 31: " in told
    assert reason in told
    assert "50 entries" in told
    assert "1 line was left out" in told
    status, answers = ask(capsys, path, file)
    assert status == 1
    assert len(answers) == 51
    assert answers[30].keys() == {"query", "line", "error", "message"}
    assert answers[30]["query"] == CORRUPT[reason][:80]
    assert [answer["matches"][0]["id"] for answer in answers[31:]] == [
        str(n) for n in range(32, 52)
    ]


def test_an_id_that_is_not_utf8_is_refused(hashes, tmp_path, path, capsys):
    file = tmp_path / "hashes.txt"
    file.write_bytes(f"{hashes[0]}\t".encode() + b"\xff\n" + hashes[1].encode())
    assert main(["index", "build", str(file), "-o", path]) == 0
    assert "Line 1: The line is not UTF-8." in capsys.readouterr().err


def test_a_file_that_is_no_list_is_refused_and_few_of_its_lines_are_told(lines, path, capsys):
    file = lines(*(f"\x1b[2J{number}" for number in range(1000)))
    assert main(["index", "build", file, "-o", path]) == 1
    told = capsys.readouterr().err
    assert "No line is a hash" in told
    assert "and 980 more" in told
    assert "\x1b" not in told
    assert not Path(path).exists()


def test_strict_builds_and_adds_nothing(built, hashes, lines, tmp_path, capsys):
    file = lines("f" * 64, "corrupt")
    assert main(["index", "build", file, "-o", str(tmp_path / "new"), "--strict"]) == 1
    assert main(["index", "add", built, file, "--strict"]) == 1
    assert "1 line was refused; nothing was changed." in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert ask(capsys, built, lines("f" * 64)) == (0, [{"query": "f" * 64, "matches": []}])


def test_an_empty_file_is_an_empty_index(lines, path, hashes, capsys):
    assert main(["index", "build", lines(), "-o", path]) == 0
    assert "0 entries" in capsys.readouterr().err
    assert ask(capsys, path, lines(hashes[0]))[1] == [{"query": hashes[0], "matches": []}]


def test_an_index_that_is_there_is_replaced_only_by_force(built, hashes, lines, capsys):
    arguments = ["index", "build", lines(hashes[0], name="new.txt"), "-o", built]
    assert main(arguments) == 1
    assert "--force replaces it" in capsys.readouterr().err
    assert len(Index.open(built_path := Path(built))) == 50
    assert main([*arguments, "--force"]) == 0
    assert len(Index.open(built_path)) == 1


def test_lines_come_from_standard_input_too(hashes, path, standard_input, capsys):
    standard_input("\n".join(hashes))
    assert main(["index", "build", "-", "-o", path]) == 0
    standard_input(hashes[9])
    _, (answer,) = ask(capsys, path, "-")
    assert answer["matches"][0]["id"] == "10"


def test_what_is_added_is_found_at_once_and_adding_it_again_changes_nothing(built, lines, capsys):
    file = lines("f" * 64 + "\tnew\tlate", "corrupt", name="more.txt")
    assert main(["index", "add", built, file]) == 0
    told = capsys.readouterr().err
    assert "Line 2: " in told
    assert "1 entry added, 51 in all. 1 line was left out." in told
    _, (answer,) = ask(capsys, built, lines("f" * 64))
    assert answer["matches"] == [{"id": "new", "hash": "f" * 64, "distance": 0, "labels": ["late"]}]
    assert main(["index", "add", built, file]) == 0
    assert "0 entries added, 51 in all. 1 were there already." in capsys.readouterr().err


def test_what_is_withdrawn_is_found_no_more(built, hashes, lines, standard_input, capsys):
    assert main(["index", "withdraw", built, "1", "2", "no such"]) == 0
    assert "2 entries withdrawn, 48 left." in capsys.readouterr().err
    standard_input("3\r\n\n4\n")
    assert main(["index", "withdraw", built, "-"]) == 0
    _, answers = ask(capsys, built, lines(*hashes))
    assert [len(answer["matches"]) for answer in answers] == [0, 0, 0, 0] + [1] * 46


def test_an_id_nobody_has_is_not_withdrawn(built, capsys):
    assert main(["index", "withdraw", built, "no such"]) == 1
    assert "nothing was changed" in capsys.readouterr().err


def test_info_says_what_is_held(built, capsys):
    assert main(["index", "info", built]) == 0
    assert "entries    50\n" in capsys.readouterr().out
    assert main(["index", "info", built, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["entries"], found["hashes"]) == (50, 50)
    assert found["bytes"] > 50 * 32


def test_verify_has_status_1_when_a_byte_differs(built, capsys):
    assert main(["index", "verify", built]) == 0
    assert "50 entries, all as they were written." in capsys.readouterr().out
    content = bytearray(Path(built).read_bytes())
    held = [place for place, byte in enumerate(content) if byte]
    content[held[len(held) // 2]] ^= 1
    Path(built).write_bytes(content)
    assert main(["index", "verify", built]) == 1
    assert capsys.readouterr().err.startswith("Error: ")


def test_rows_for_a_person_are_aligned_and_a_summary_ends_them(hashes, lines, path, capsys):
    file = lines(f"{hashes[0]}\ta", f"{near(hashes[0], 9)}\tlonger\x1b\tone,two", hashes[1])
    assert main(["index", "build", file, "-o", path]) == 0
    capsys.readouterr()
    assert main(["index", "query", path, lines(hashes[0], "0" * 64, "no hash")]) == 1
    shown = capsys.readouterr()
    assert shown.out == (f"{hashes[0]}    0  a\n{hashes[0]}    1  longer\\x1b  one,two\n")
    assert "Line 3: " in shown.err
    assert shown.err.endswith("3 asked, 1 matched, 1 could not be read.\n")


def test_the_radius_is_the_most_bits_that_may_differ(built, hashes, lines, capsys):
    file = lines(near(hashes[0], *range(40)))
    for radius, found in ((39, 0), (40, 1)):
        _, (answer,) = ask(capsys, built, file, "--radius", str(radius))
        assert len(answer["matches"]) == found
    assert main(["index", "query", built, file, "--radius", "257"]) == 2


def test_many_queries_are_answered_in_their_order(hashes, lines, path, capsys):
    # Enough equal entries that queries are asked one at a time, then many at a time again.
    file = lines(*hashes, *([hashes[0]] * 4_000))
    assert main(["index", "build", file, "-o", path]) == 0
    wanted = [hashes[0]] * 20 + hashes * 4
    _, answers = ask(capsys, path, lines(*wanted))
    assert [answer["query"] for answer in answers] == wanted
    assert all(
        len(answer["matches"]) == (4_001 if answer["query"] == hashes[0] else 1)
        for answer in answers
    )


def test_clusters_are_entries_linked_by_others_the_largest_first(hashes, lines, path, capsys):
    first, second = hashes[:2]
    chain = [first, near(first, *range(20)), near(first, *range(40))]
    pair = [f"{second}\tx\tlabel", f"{near(second, 1)}\ty"]
    assert main(["index", "build", lines(*pair, *chain, hashes[2]), "-o", path]) == 0
    capsys.readouterr()
    assert main(["index", "cluster", path, "--json"]) == 0
    shown = capsys.readouterr()
    large, small = [json.loads(line) for line in shown.out.splitlines()]
    assert shown.err == "2 clusters, 5 entries.\n"
    assert (large["size"], small["size"]) == (3, 2)
    assert {(e["id"], e["hash"]) for e in large["entries"]} == set(zip("345", chain, strict=True))
    labels = {entry["id"]: entry["labels"] for entry in small["entries"]}
    assert labels == {"x": ["label"], "y": []}
    assert main(["index", "cluster", path, "--radius", "19"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert sorted(row.split()[2] for row in rows) == ["x", "y"]


@pytest.mark.parametrize("command", ["add", "query"])
def test_a_file_that_is_no_index_is_a_sentence(command, lines, capsys):
    file = lines("0" * 64)
    assert main(["index", command, file, file]) == 1
    told = capsys.readouterr().err
    assert told.startswith("Error: ")
    assert "Traceback" not in told


def test_an_index_that_is_not_there_is_a_sentence(tmp_path, lines, capsys):
    assert main(["index", "query", str(tmp_path / "none"), lines("0" * 64)]) == 1
    assert "none: No such file or directory." in capsys.readouterr().err
    assert main(["index", "build", lines("0" * 64), "-o", str(tmp_path / "no/folder")]) == 1
    assert "There is no folder" in capsys.readouterr().err


def test_an_interrupted_build_leaves_nothing(tmp_path, hashes):
    arguments = ["index", "build", "-", "-o", str(tmp_path / "new")]
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stderr is not None
    with process.stdin, process.stderr:
        # More than a pipe holds: it is being read once this is written.
        process.stdin.write("\n".join(hashes * 100).encode())
        process.stdin.flush()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read() == b"Interrupted.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_query_from_a_pipe_is_answered_before_the_next_is_written(built, hashes):
    process = subprocess.Popen(
        [*COMMAND, "index", "query", built, "-", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdin as asked, process.stdout as answers, process.stderr as told:
        for number, digits in enumerate(hashes[:3], 1):
            asked.write(digits + "\n")
            asked.flush()
            assert json.loads(answers.readline())["matches"][0]["id"] == str(number)
        asked.close()
        assert process.wait(timeout=20) == 0
        assert told.read() == "3 asked, 3 matched, 0 could not be read.\n"


def test_progress_is_shown_on_a_terminal_and_refused_lines_below_it(hashes, lines, path):
    terminal, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "index", "build", lines(*hashes, "corrupt"), "-o", path],
        stderr=slave,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(slave)
    seen = b""
    with contextlib.suppress(OSError):  # the last process closed its end
        while piece := os.read(terminal, 4096):
            seen += piece
    os.close(terminal)
    assert process.wait(timeout=20) == 0
    progress, _, told = seen.decode().partition("Line 51: ")
    assert "read" in progress
    assert "\x1b[" in progress
    assert "50 entries" in told
    assert "\x1b[" not in told
