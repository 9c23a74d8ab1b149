"""The vault against a bucket: a small server that keeps objects as S3's interface describes."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from strandline.vault import AlreadyStored, NotStored, Vault, VaultError, new_identity

IDENTITY, RECIPIENT = new_identity()


class Bucket(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.objects: dict[str, bytes] = {}
        self.full = False
        self.lock = threading.Lock()


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Bucket

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/bucket/")

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            if self.server.full:
                self._answer(403, b"<Error><Code>QuotaExceeded</Code></Error>")
            elif self.headers["If-None-Match"] == "*" and self._key() in self.server.objects:
                self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            else:
                self.server.objects[self._key()] = data
                self._answer(200, ETag='"1"')

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._list(query.get("prefix", [""])[0])
        elif self._key() in self.server.objects:
            stamp = "Mon, 02 Mar 2026 09:00:00 GMT"
            self._answer(200, self.server.objects[self._key()], ETag='"1"', Last_Modified=stamp)
        else:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _list(self, prefix: str) -> None:
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(data)}</Size><ETag>1</ETag>"
            "<LastModified>2026-03-02T09:00:00Z</LastModified></Contents>"
            for key, data in self.server.objects.items()
            if key.startswith(prefix)
        )
        self._answer(200, f"<ListBucketResult>{entries}</ListBucketResult>".encode())

    def do_DELETE(self) -> None:
        self.server.objects.pop(self._key(), None)
        self._answer(204)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        key = body.partition("<Key>")[2].partition("</Key>")[0]
        self.server.objects.pop(key, None)
        self._answer(
            200, f"<DeleteResult><Deleted><Key>{key}</Key></Deleted></DeleteResult>".encode()
        )

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def bucket(monkeypatch) -> Iterator[Bucket]:
    bucket = Bucket()
    threading.Thread(target=bucket.serve_forever, args=(0.02,), daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{bucket.server_address[1]}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-west-2",
    }.items():
        monkeypatch.setenv(name, value)
    yield bucket
    bucket.shutdown()
    bucket.server_close()


@pytest.fixture
def vault(bucket: Bucket) -> Vault:
    return Vault("s3://bucket/evidence", recipients=[RECIPIENT])


def test_a_bucket_keeps_what_is_put_encrypted_and_once(bucket: Bucket, vault: Vault) -> None:
    vault.put("2026/aa", b"a harmless square")
    (name,) = bucket.objects
    assert name == "evidence/2026/aa.age"
    assert bucket.objects[name].startswith(b"age-encryption.org/v1\n")
    with pytest.raises(AlreadyStored):
        vault.put("2026/aa", b"another")
    assert vault.get("2026/aa", IDENTITY) == b"a harmless square"


def test_keys_in_a_bucket_are_listed_found_and_deleted(vault: Vault) -> None:
    for key in ("2026/aa", "2026/ab", "2027/aa"):
        vault.put(key, b"1")
    assert sorted(vault.keys("2026/")) == ["2026/aa", "2026/ab"]
    vault.delete("2026/aa")
    assert not vault.exists("2026/aa")
    assert vault.exists("2026/ab")
    with pytest.raises(NotStored):
        vault.delete("2026/aa")
    with pytest.raises(NotStored):
        vault.get("2026/aa", IDENTITY)


def test_a_bucket_that_takes_nothing_more_is_told(bucket: Bucket, vault: Vault) -> None:
    bucket.full = True
    with pytest.raises(VaultError, match="could not be stored"):
        vault.put("a", b"1")
    assert bucket.objects == {}
