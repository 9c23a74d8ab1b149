"""``strandline list certify`` and ``strandline init``."""

import json
import os
import subprocess
import sys

import pytest

from list_publisher import API_KEY
from strandline.cli import main
from strandline.transparency import open_note

BEACON = "drand-quicknet:4711:8f14e45fceea167a5a36dedd4bea2543"


@pytest.fixture
def folder(tmp_path, published, list_site, monkeypatch, capsys):
    """The second hotline's own copy, and its key beside it."""
    monkeypatch.setenv("STRANDLINE_API_KEY", API_KEY)
    made = tmp_path / "copy"
    fingerprint = ("--fingerprint", published.fingerprint)
    named = ("--certifying", "second.example")
    assert main(["list", "init", str(made), "--url", list_site.url, *fingerprint, *named]) == 0
    assert main(["list", "sync", str(made), *at(published)]) == 0
    published.second.save(tmp_path / "second.key")
    capsys.readouterr()
    return made


def test_an_uncertified_edition_is_told_by_every_command_and_never_answered_from(
    folder, published, list_site, tmp_path, capsys
):
    published.publish(published.book.add(10), certified=False)
    awaiting = "Edition 4 is awaiting your certificate: not certified by enough countries."
    for command in ("sync", "verify"):
        assert main(["list", command, str(folder), *at(published)]) == 0
        output = capsys.readouterr().out
        assert awaiting in output
        assert "witnessed and certified" not in output
    assert main(["list", "explain", str(folder), "entry-10"]) == 0
    output = capsys.readouterr().out
    assert awaiting in output
    assert "second.example (de)" not in output
    assert main(["list", "explain", str(folder), "entry-10", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["certified"], len(told["vouched"])) == (False, 1)
    assert told["awaiting"].startswith(awaiting)
    for words in (["match", str(folder), str(tmp_path)], ["export", str(folder)]):
        assert main(["list", *words]) == 1
        output = capsys.readouterr()
        assert awaiting in output.err
        assert not output.out
    assert certify(folder, published, "--key", f"{folder.parent}/second.key") == 0
    capsys.readouterr()

    strict = str(tmp_path / "strict")
    init = ["list", "init", strict, "--url", list_site.url, "--fingerprint", published.fingerprint]
    assert main(init) == 0
    assert main(["list", "sync", strict, *at(published)]) == 1
    assert main([*init, "--certifying", "second.example"]) == 1
    assert "make a folder of its own" in capsys.readouterr().err


def at(published):
    return ["--at", published.now.isoformat()]


def certify(folder, published, *options):
    return main(["list", "certify", str(folder), *options, *at(published)])


def test_the_certificate_is_printed_where_no_publisher_is_named(folder, published, capsys):
    assert certify(folder, published, "--key", f"{folder.parent}/second.key") == 0
    opened = open_note(capsys.readouterr().out, [published.second.verifier])
    assert opened.text.startswith("list.example/certificate\nformat 2\nedition 3\n")


def test_drawn_entries_are_looked_at_and_named_in_a_protocol(folder, published, capsys):
    drawing = ("--beacon", BEACON, "--sample", "3")
    assert certify(folder, published, *drawing) == 0
    drawn = capsys.readouterr().out.split()
    assert len(drawn) == 3
    results, protocol = folder.parent / "results", folder.parent / "protocol"
    results.write_text("".join(f"{entry} ok\n" for entry in drawn))
    key = ("--key", f"{folder.parent}/second.key")
    files = ("--results", str(results), "--protocol", str(protocol))
    assert certify(folder, published, *key, *drawing, *files) == 0
    assert "sample 3\nbad 0\n" in open_note(protocol.read_text(), [published.second.verifier]).text
    assert "\naudit -\n" not in capsys.readouterr().out

    results.write_text(f"{drawn[0]} bad not-illegal\n{drawn[1]} ok\n{drawn[2]} ok\n")
    assert certify(folder, published, *key, *drawing, *files) == 1
    assert "Nothing was signed" in capsys.readouterr().err
    results.write_text("entry-1 perhaps\n")
    assert certify(folder, published, *key, *drawing, *files) == 1
    assert "neither" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [[], ["--key", "KEY", "--results", "KEY"], ["--key", "KEY", "--beacon", BEACON]]
)
def test_what_is_missing_is_said(options, folder, published, capsys):
    words = [word.replace("KEY", f"{folder.parent}/second.key") for word in options]
    if "--beacon" in words:
        words += ["--protocol", "x", "--results", words[1], "--beacon", "a:b"]
    assert certify(folder, published, *words) != 0
    assert capsys.readouterr().err


def run(home, *words):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STRANDLINE_")}
    return subprocess.run(
        [sys.executable, "-m", "strandline", *words],
        env=environment | {"STRANDLINE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_init_makes_a_root_of_trust_once_or_leaves_it_to_a_ceremony(tmp_path):
    home = tmp_path / "home"
    done = run(home, "init", "--ceremony")
    assert done.returncode == 0, done.stderr
    assert "none made" in done.stdout
    assert not (home / "list").exists()
    first = run(home, "init")
    assert "fingerprint" in first.stdout
    assert (home / "list/metadata/1.root.json").exists()
    assert run(home, "init").stdout.splitlines()[-4:] == first.stdout.splitlines()[-4:]
    refused = run(home, "init", "--origin", "another.example")
    assert refused.returncode != 0
    assert "STRANDLINE_LIST_ORIGIN" in refused.stderr
