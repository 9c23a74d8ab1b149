"""``strandline list root``: people at a table, each at a machine of their own."""

import shutil

import pytest

from list_trust import FILES, Member, Table, make_policy
from strandline.cli import main
from strandline.lists.trust import ceremony
from strandline.lists.trust.keys import PublicKey, grouped
from strandline.lists.trust.repository import OnlineKeys, Repository
from strandline.lists.trust.roots import statement

HOLDERS = ("anna", "ben", "carla")
ONLINE = ("targets", "snapshot", "timestamp")


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A folder to work in, with a policy and everybody's keys."""
    monkeypatch.chdir(tmp_path)
    policy = make_policy()
    lines = [
        f'origin = "{policy.origin}"',
        f"witnesses = {list(policy.witnesses)!r}",
        "witness_quorum = 2",
        "[log]",
        f'vkey = "{policy.log}"',
        "[publisher]",
        *(f'{name} = "{value}"' for name, value in vars(policy.publisher).items()),
        "[[hotlines]]",
        *(f'{name} = "{value}"' for name, value in vars(policy.hotlines[0]).items()),
    ]
    (tmp_path / "policy.toml").write_text("\n".join(lines))
    for name in (*HOLDERS, *ONLINE):
        assert run("key", f"{name}.key") == 0
    return tmp_path


def run(*arguments):
    return main(["list", "root", *map(str, arguments)])


def first_draft(**changes):
    options = {"policy": "policy.toml", "threshold": 2, "out": "root.draft"}
    options |= {role: f"{role}.pub" for role in ONLINE} | changes
    typed = [part for name, value in options.items() for part in (f"--{name}", value)]
    holders = [part for name in HOLDERS for part in ("--holder", f"{name}.pub")]
    return run("draft", *typed, *holders)


def sign(room, draft, *names, previous=()):
    digest = statement((room / draft).read_bytes())
    for name in names:
        out = f"{draft}.{name}"
        assert run("sign", draft, f"{name}.key", "--out", out, "--digest", digest, *previous) == 0
    return [f"{draft}.{name}" for name in names]


@pytest.fixture
def published(room):
    assert first_draft() == 0
    signatures = sign(room, "root.draft", "anna", "carla")
    assert run("publish", "root.draft", *signatures, "--into", "list", "--transcript", "1.txt") == 0
    heartbeat(room)
    return room / "list"


def heartbeat(room, **places):
    keys = {role: f"file:{room}/{role}.key" for role in ONLINE} | places
    from datetime import UTC, datetime

    Repository(room / "list", OnlineKeys.open(**keys)).release(FILES, datetime.now(UTC))


def member_of(room, root):
    """One who pins the fingerprint that the transcript gives."""
    from datetime import UTC, datetime

    digits = root.read_text().rpartition("which members pin:")[2]
    made = ceremony.Made("".join(digits.split()), {}, {})
    table = Table(room, made, make_policy(), datetime.now(UTC))
    shutil.copytree(room / "list", table.published)
    member = Member(room / "trust", table)
    member.pin()
    return member


def test_a_key_is_told_by_a_fingerprint_to_read_aloud(room, capsys):
    assert run("key", "dora.key", "--holder", "Dora") == 0
    output = capsys.readouterr()
    public = PublicKey.load("dora.pub")
    assert public.holder == "Dora"
    assert grouped(public.keyid).split("\n")[0] in output.out
    assert "stays here" in output.err


def test_a_key_can_be_locked_with_a_passphrase(room, monkeypatch):
    said = iter(["seven words", "seven words", "seven words"])
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda prompt: next(said))
    assert run("key", "dora.key", "--passphrase") == 0
    assert "ENCRYPTED" in (room / "dora.key").read_text()
    first_draft()
    digest = statement((room / "root.draft").read_bytes())
    # She is no holder; that her key opened is what this is about.
    assert run("sign", "root.draft", "dora.key", "--out", "s", "--digest", digest) == 1
    assert next(said, None) is None


def test_the_public_half_of_a_key_elsewhere_can_be_written(room, monkeypatch, capsys):
    monkeypatch.setenv("CLOCK_KEY", (room / "timestamp.key").read_text())
    assert run("public", "env:CLOCK_KEY", "--holder", "timestamp", "--out", "clock.pub") == 0
    assert (room / "clock.pub").read_bytes() == (room / "timestamp.pub").read_bytes()
    assert run("public", "anna.key", "--holder", "x", "--out", "anna.pub") == 1
    assert "exists and was kept" in capsys.readouterr().err


def test_a_draft_is_shown_whole_and_signed_by_nobody(room, capsys):
    capsys.readouterr()
    assert first_draft() == 0
    output = capsys.readouterr()
    assert "2 of these 3 must sign together" in output.out
    assert "Nobody has signed it" in output.err
    assert run("show", "root.draft") == 0
    assert "A draft: nobody has signed it" in capsys.readouterr().out
    assert run("show", "anna.pub") == 0
    assert "Key of anna" in capsys.readouterr().out


def test_a_draft_is_not_written_over(room, capsys):
    assert first_draft() == 0
    before = (room / "root.draft").read_bytes()
    assert first_draft(threshold=3) == 1
    assert "exists and was kept" in capsys.readouterr().err
    assert (room / "root.draft").read_bytes() == before


def test_a_holder_signs_after_typing_what_the_others_read(room, monkeypatch, capsys):
    first_draft()
    last = grouped(statement((room / "root.draft").read_bytes())).split("\n")[-1]
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt="": last.upper())
    assert run("sign", "root.draft", "ben.key", "--out", "ben.signature") == 0
    shown = capsys.readouterr().err
    assert "Root 1 of the list hotline.example" in shown
    assert "".join(last.split()) not in "".join(shown.split())


@pytest.mark.parametrize("digest", ["0" * 64, None])
def test_a_draft_of_another_digest_is_not_signed(room, monkeypatch, capsys, digest):
    first_draft()
    short = statement((room / "root.draft").read_bytes())[-4:]  # is not the whole last line
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt="": short)
    given = [] if digest is None else ["--digest", digest]
    assert run("sign", "root.draft", "ben.key", "--out", "ben.signature", *given) == 1
    assert "Nothing was signed" in capsys.readouterr().err
    assert not (room / "ben.signature").exists()


def test_below_the_threshold_nothing_is_published_and_no_transcript_is_left(room, capsys):
    first_draft()
    (one,) = sign(room, "root.draft", "ben")
    assert run("publish", "root.draft", one, "--into", "list", "--transcript", "1.txt") == 1
    assert "1 more of its own holders must sign" in capsys.readouterr().err
    assert not (room / "list").exists()
    assert not (room / "1.txt").exists()


def test_the_transcript_gives_the_fingerprint_that_members_pin(published, room):
    member = member_of(room, room / "1.txt")
    assert member.update().targets == FILES
    said = (room / "1.txt").read_text()
    assert "Signed by\n  anna\n  carla\nNot signed by\n  ben\n" in said


def test_a_transcript_is_not_written_over(published, room, capsys):
    again = ["root.draft", "root.draft.anna", "root.draft.carla"]
    assert run("publish", *again, "--into", "list", "--transcript", "1.txt") == 1
    assert "exists and was kept" in capsys.readouterr().err
    assert run("publish", *again, "--into", "list", "--transcript", "again.txt") == 0


def test_a_holder_is_revoked_and_replaced(published, room, capsys):
    member = member_of(room, room / "1.txt")
    run("key", "dora.key")
    current = "list/metadata/1.root.json"
    assert run("revoke", current, "anna", "--replace", "dora.pub", "--out", "2.draft") == 0
    assert "holder anna no longer counts" in capsys.readouterr().out
    signatures = sign(room, "2.draft", "ben", "carla", previous=("--previous", current))
    assert run("publish", "2.draft", *signatures, "--into", "list", "--transcript", "2.txt") == 0
    heartbeat(room)
    shutil.copytree(room / "list", room / "published", dirs_exist_ok=True)
    assert member.update().root == 2
    assert "holder dora is new" in (room / "2.txt").read_text()


def test_an_online_key_is_revoked_only_with_another_in_its_place(published, room, capsys):
    member = member_of(room, room / "1.txt")
    current = "list/metadata/1.root.json"
    assert run("revoke", current, "timestamp", "--out", "2.draft") == 1
    assert "give --replace" in capsys.readouterr().err
    run("key", "clock.key")
    assert run("revoke", current, "timestamp", "--replace", "clock.pub", "--out", "2.draft") == 0
    signatures = sign(room, "2.draft", "ben", "carla")
    assert run("publish", "2.draft", *signatures, "--into", "list", "--transcript", "2.txt") == 0
    heartbeat(room, timestamp=f"file:{room}/clock.key")
    shutil.copytree(room / "list", room / "published", dirs_exist_ok=True)
    assert member.update().root == 2


def test_a_rotation_changes_what_its_options_say(published, room, capsys):
    run("key", "dora.key")
    capsys.readouterr()
    (room / "policy.toml").write_text(
        "fresh_hours = 12\n" + (room / "policy.toml").read_text("utf-8")
    )
    changes = ["--holder", "dora.pub", "--drop", "ben", "--threshold", 3, "--policy", "policy.toml"]
    assert run("rotate", "list/metadata/1.root.json", *changes, "--out", "2.draft") == 0
    said = capsys.readouterr().out.partition("Changed since root 1")[2]
    for sentence in (
        "holder dora is new",
        "holder ben no longer counts",
        "3 holders must sign; it was 2",
        "now 'what is older than 12 hours is not fresh'",
    ):
        assert sentence in said


def test_a_policy_that_cannot_hold_makes_no_draft(room, capsys):
    (room / "policy.toml").write_text("certification = 9\n" + (room / "policy.toml").read_text())
    assert first_draft() == 1
    assert "certification is 9" in capsys.readouterr().err
    assert not (room / "root.draft").exists()
