import os
import resource
import shutil
import stat
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strandline.vault import (
    AlreadyStored,
    CannotOpen,
    NotStored,
    Vault,
    VaultError,
    new_identity,
)

IDENTITY, RECIPIENT = new_identity()
KEYS = st.from_regex(r"[A-Za-z0-9_]{1,8}(/[A-Za-z0-9_][A-Za-z0-9_=-]{0,3}){0,3}", fullmatch=True)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "evidence", recipients=[RECIPIENT])


def files(vault_root: Path) -> list[Path]:
    return [path for path in vault_root.rglob("*") if path.is_file()]


@settings(max_examples=25, deadline=None)
@given(contents=st.dictionaries(KEYS, st.binary(max_size=2000), max_size=4))
def test_what_is_put_is_got_back_and_listed(tmp_path_factory, contents: dict[str, bytes]) -> None:
    vault = Vault(tmp_path_factory.mktemp("v"), recipients=[RECIPIENT])
    for key, data in contents.items():
        vault.put(key, data)
    assert sorted(vault.keys()) == sorted(contents)
    assert {key: vault.get(key, IDENTITY) for key in contents} == contents


def test_what_lies_on_the_disk_is_encrypted_and_the_owners_alone(tmp_path: Path) -> None:
    root = tmp_path / "evidence"
    Vault(root, recipients=[RECIPIENT]).put("a/b", b"a harmless square" * 100)
    (file,) = files(root)
    assert file.name == "b.age"
    assert file.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert b"harmless" not in file.read_bytes()
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_a_key_is_written_once(vault: Vault) -> None:
    vault.put("a", b"first")
    with pytest.raises(AlreadyStored, match="already kept under a"):
        vault.put("a", b"second")
    assert vault.get("a", IDENTITY) == b"first"


def test_of_many_writers_of_one_key_exactly_one_wins(tmp_path: Path) -> None:
    root = tmp_path / "evidence"

    def write(number: int) -> int | None:
        try:
            Vault(root, recipients=[RECIPIENT]).put("same", str(number).encode())
        except AlreadyStored:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [n for n in pool.map(write, range(24)) if n is not None]
    assert len(winners) == 1
    assert Vault(root, recipients=[]).get("same", IDENTITY) == str(winners[0]).encode()
    assert len(files(root)) == 1


def test_each_recipient_can_open_it_alone(tmp_path: Path) -> None:
    second_identity, second = new_identity()
    vault = Vault(tmp_path, recipients=[RECIPIENT, second])
    vault.put("a", b"shared")
    assert vault.get("a", IDENTITY) == vault.get("a", second_identity) == b"shared"
    with pytest.raises(CannotOpen):
        vault.get("a", new_identity()[0])


def test_what_was_altered_on_the_disk_does_not_open(tmp_path: Path) -> None:
    vault = Vault(tmp_path, recipients=[RECIPIENT])
    vault.put("a", b"x" * 1000)
    (file,) = files(tmp_path)
    raw = bytearray(file.read_bytes())
    raw[-100] ^= 1
    file.write_bytes(raw)
    with pytest.raises(CannotOpen):
        vault.get("a", IDENTITY)


def test_a_deleted_key_is_gone_and_a_missing_one_is_said_to_be_missing(vault: Vault) -> None:
    vault.put("a/b", b"1")
    assert vault.exists("a/b")
    vault.delete("a/b")
    assert not vault.exists("a/b")
    assert list(vault.keys()) == []
    with pytest.raises(NotStored):
        vault.get("a/b", IDENTITY)
    with pytest.raises(NotStored):
        vault.delete("a/b")


def test_keys_are_listed_by_prefix_of_the_key_not_of_the_directory(vault: Vault) -> None:
    for key in ("2026/11/aa", "2026/11/ab", "2026/12/aa", "other"):
        vault.put(key, b"")
    assert sorted(vault.keys("2026/11/")) == ["2026/11/aa", "2026/11/ab"]
    assert sorted(vault.keys("2026/1")) == ["2026/11/aa", "2026/11/ab", "2026/12/aa"]
    assert list(vault.keys("2026/11/ab")) == ["2026/11/ab"]
    assert list(vault.keys("nothing/here")) == []


@pytest.mark.parametrize(
    "key",
    [
        *("", "/", "a/", "/a", "a//b", "..", "../a", "a/../b", "a/..", ".hidden", "a\\b", "a\0b"),
        *("a#1", "a b", "a%2fb", "ä", "a\n", "-a", "a" * 201, "/".join(["a"] * 300)),
    ],
)
def test_a_key_that_could_lead_elsewhere_is_refused(vault: Vault, key: str) -> None:
    for attempt in (
        lambda: vault.put(key, b""),
        lambda: vault.get(key, IDENTITY),
        lambda: vault.delete(key),
        lambda: vault.exists(key),
    ):
        with pytest.raises(VaultError, match="letters, digits"):
            attempt()


def test_a_vault_without_recipients_stores_nothing(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="No recipient"):
        Vault(tmp_path, recipients=[]).put("a", b"1")
    assert files(tmp_path) == []


def test_a_wrong_location_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="s3://"):
        Vault("ftp://example.com/x", recipients=[])
    (tmp_path / "file").write_text("")
    with pytest.raises(VaultError, match="could not be opened"):
        Vault(tmp_path / "file", recipients=[])


PUT = """
import os, sys
from strandline.vault import Vault, VaultError
vault = Vault(sys.argv[1], recipients=[sys.argv[2]])
if "unprivileged" in sys.argv:
    os.setgid(65534)
    os.setuid(65534)
try:
    vault.put(sys.argv[3], b"x" * int(sys.argv[4]))
except VaultError as error:
    print(type(error).__name__, error)
else:
    print("stored")
"""


def put_in_a_process(root: Path, key: str, size: int, *arguments: str, **options) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PUT, str(root), RECIPIENT, key, str(size), *arguments],
        capture_output=True,
        text=True,
        check=True,
        **options,
    )
    return done.stdout


def test_running_out_of_room_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    Vault(tmp_path, recipients=[RECIPIENT]).put("before", b"kept")
    told = put_in_a_process(
        tmp_path,
        "large",
        1_000_000,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert told.startswith("VaultError The evidence could not be stored: the file is larger")
    vault = Vault(tmp_path, recipients=[RECIPIENT])
    assert list(vault.keys()) == ["before"]
    vault.put("large", b"second try")
    assert vault.get("large", IDENTITY) == b"second try"


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """On a file system of 64 KiB, mounted where only the child process sees it."""
    mount = f"mount -t tmpfs -o size=64k none {tmp_path}"
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            ["unshare", "-m", "sh", "-c", mount], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("mounting a small file system is not allowed here")
    script = textwrap.dedent(PUT)
    done = subprocess.run(
        [
            *("unshare", "-m", "sh", "-c", mount + ' && exec "$@"', "sh"),
            *(sys.executable, "-c", script, str(tmp_path), RECIPIENT, "large", "1000000"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "VaultError The evidence could not be stored: the disk is full." in done.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_directory_without_permission_is_told(tmp_path: Path) -> None:
    Vault(tmp_path, recipients=[RECIPIENT]).put("before", b"kept")
    told = put_in_a_process(tmp_path, "more", 10, "unprivileged")
    assert "VaultError The evidence could not be stored: this account may not write" in told


def test_a_writer_killed_at_any_moment_leaves_a_whole_file_or_none(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom strandline.vault import Vault\n"
        "vault = Vault(sys.argv[1], recipients=[sys.argv[2]])\n"
        "print('ready', flush=True)\n"
        "for n in range(10**6): vault.put(f'k/{n}', b'x' * 500_000)\n"
    )
    for attempt in range(3):
        root = tmp_path / str(attempt)
        with subprocess.Popen(
            [sys.executable, "-c", script, str(root), RECIPIENT], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(0.05 + attempt * 0.037)
            writer.kill()
        vault = Vault(root, recipients=[RECIPIENT])
        kept = list(vault.keys())
        assert kept
        assert all(vault.get(key, IDENTITY) == b"x" * 500_000 for key in kept)
        vault.put(f"k/{len(kept)}", b"the writer can go on where it was killed")
