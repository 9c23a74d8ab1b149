"""Keys in files, in the environment and in AWS; fingerprints that people read aloud."""

import base64
import stat

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import AWSSigner

from list_trust import FILES, NOW, Member, set_table
from strandline.errors import KeyRefused
from strandline.lists.trust.ceremony import publish
from strandline.lists.trust.keys import (
    PublicKey,
    grouped,
    new_key,
    open_signer,
    public_half,
    ungrouped,
)
from strandline.lists.trust.repository import Repository
from strandline.lists.trust.roots import Changes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "anna.key"


def test_a_new_key_is_its_owners_alone_and_signs(path):
    public = new_key(path, "anna")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    signer = open_signer(f"file:{path}")
    public.key.verify_signature(signer.sign(b"words"), b"words")


def test_the_public_half_lies_beside_it_and_names_its_holder(path):
    public = new_key(path, "anna")
    loaded = PublicKey.load(path.with_name("anna.pub"))
    assert (loaded.holder, loaded.keyid) == ("anna", public.keyid)
    assert "PRIVATE" not in path.with_name("anna.pub").read_text()


def test_a_key_is_never_replaced(path):
    new_key(path, "anna")
    before = path.read_bytes()
    with pytest.raises(KeyRefused, match="exists and was kept"):
        new_key(path, "anna")
    path.with_name("anna.pub").unlink()
    with pytest.raises(KeyRefused, match="exists and was kept"):
        new_key(path, "anna")
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_open_is_not_used(path, mode):
    new_key(path, "anna")
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="chmod 600"):
        open_signer(f"file:{path}")


def test_a_locked_key_opens_with_its_passphrase_only(path):
    new_key(path, "anna", passphrase="seven words")
    assert b"ENCRYPTED" in path.read_bytes()
    assert open_signer(f"file:{path}", lambda: "seven words").sign(b"words")
    with pytest.raises(KeyRefused, match="passphrase is another"):
        open_signer(f"file:{path}", lambda: "six words")
    with pytest.raises(KeyRefused, match="needs its passphrase"):
        open_signer(f"file:{path}")


def test_the_environment_holds_a_key_as_pem_or_in_one_line(path, monkeypatch):
    public = new_key(path, "anna")
    monkeypatch.setenv("TIMESTAMP_KEY", path.read_text())
    assert open_signer("env:TIMESTAMP_KEY").public_key.keyid == public.keyid
    private = load_pem_private_key(path.read_bytes(), None)
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    monkeypatch.setenv("TIMESTAMP_KEY", base64.b64encode(der).decode())
    assert open_signer("env:TIMESTAMP_KEY").public_key.keyid == public.keyid


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("env:NOT_THERE", "no NOT_THERE"),
        ("file:", "no place"),
        ("anna.key", "no place"),
        ("https://example.org/key", "no place"),
        ("file:/not/there", "cannot be read"),
    ],
)
def test_a_place_without_a_key_is_named(place, said):
    with pytest.raises(KeyRefused, match=said):
        open_signer(place)


@pytest.mark.parametrize("content", [b"", b"words", b"\xff" * 100, b"x" * 20_000, b"-----BEGIN"])
def test_what_is_no_key_is_refused_with_a_sentence(path, content):
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyRefused):
        open_signer(f"file:{path}")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"holder": "anna"}', b"\xff", b"[" * 9999]
)
def test_what_is_no_public_key_is_refused_with_a_sentence(path, content):
    path.write_bytes(content)
    with pytest.raises(KeyRefused):
        PublicKey.load(path)


@pytest.fixture
def aws(monkeypatch):
    """AWS's key service, simulated in this process."""
    import boto3
    import moto

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    _sign_digests(monkeypatch)
    with moto.mock_aws():
        yield boto3.client("kms")


def _sign_digests(monkeypatch):
    """Make the simulation take a digest for a digest, as AWS does.

    It hashes every message once more, whatever MessageType says (getmoto/moto, pull request 10202).
    """
    from moto.kms import utils

    def sign_elliptic(held, message, algorithm):
        return held.private_key.sign(message, ECDSA(Prehashed(SHA256())))

    def sign_rsa(held, message, algorithm):
        assert algorithm == "RSASSA_PSS_SHA_256"
        padding = PSS(mgf=MGF1(SHA256()), salt_length=PSS.DIGEST_LENGTH)
        return held.private_key.sign(message, padding, Prehashed(SHA256()))

    monkeypatch.setattr(utils.ECDSAPrivateKey, "sign", sign_elliptic)
    monkeypatch.setattr(utils.RSAPrivateKey, "sign", sign_rsa)


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "RSA_2048"])
def test_aws_keeps_a_key_and_signs_with_it(aws, spec):
    made = aws.create_key(KeyUsage="SIGN_VERIFY", KeySpec=spec)["KeyMetadata"]["KeyId"]
    signer = open_signer(f"awskms:{made}")
    signer.public_key.verify_signature(signer.sign(b"words"), b"words")


def test_a_list_is_released_with_keys_that_aws_keeps(aws, tmp_path):
    table = set_table(tmp_path)
    places = {}
    for role in table.made.online:
        made = aws.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
        places[role] = f"awskms:{made['KeyMetadata']['KeyId']}"
    new = {
        role: public_half(place, f"{role} in aws".replace(" ", "-"))
        for role, place in places.items()
    }
    both = table.holder("root-1"), table.holder("root-2")
    publish(table.published, table.next_root(2, Changes(online=new), *both))
    table.release(**places)
    member = Member(tmp_path / "trust", table)
    member.pin()
    assert member.update().targets == FILES


def test_aws_refusing_to_sign_leaves_what_was_published(aws, tmp_path, monkeypatch):
    table = set_table(tmp_path)
    made = aws.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    new = {"timestamp": public_half(f"awskms:{made}", "clock")}
    both = table.holder("root-1"), table.holder("root-2")
    publish(table.published, table.next_root(2, Changes(online=new), *both))
    table.release(timestamp=f"awskms:{made}")
    before = (table.published / "metadata/timestamp.json").read_bytes()
    repository = Repository(table.published, table.online(timestamp=f"awskms:{made}"))

    def denied(signer, payload):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not now"}}, "Sign")

    monkeypatch.setattr(AWSSigner, "sign", denied)
    with pytest.raises(KeyRefused, match=r"key of timestamp did not sign: .*AccessDenied"):
        repository.heartbeat(NOW)
    assert (table.published / "metadata/timestamp.json").read_bytes() == before


def test_a_key_that_aws_does_not_have_is_refused_with_a_sentence(aws):
    with pytest.raises(KeyRefused, match="AWS did not give"):
        open_signer("awskms:00000000-0000-0000-0000-000000000000")


def test_a_key_of_aws_that_only_encrypts_is_refused_with_a_sentence(aws):
    made = aws.create_key()["KeyMetadata"]["KeyId"]
    with pytest.raises(KeyRefused):
        open_signer(f"awskms:{made}")


def test_a_fingerprint_is_read_aloud_in_groups_of_four(path):
    digest = new_key(path, "anna").keyid
    lines = grouped(digest).split("\n")
    assert [len(line.split()) for line in lines] == [4, 4, 4, 4]
    assert ungrouped(grouped(digest)) == digest
    assert ungrouped(digest.upper()) == digest


@pytest.mark.parametrize("text", ["", "1a2b", "g" * 64, "0" * 63, "0" * 65])
def test_a_fingerprint_that_was_cut_off_is_refused(text):
    with pytest.raises(KeyRefused, match="64 hexadecimal digits"):
        ungrouped(text)
