import gzip
import itertools
import logging
import socket
import ssl
import threading
import time
import tracemalloc
import zlib

import pytest
import trustme

from strandline.fetching import Answer, Failure, FailureReason, Fetcher, FetchPolicy, LookupFailed
from strandline.fetching.wire import PinningBackend

ONE, TWO, INSIDE = "127.64.10.1", "127.64.10.2", "127.65.10.1"


def page(body=b"<p>a page</p>", **options):
    return lambda visit: visit.answer(body, **options)


def redirect(location, **options):
    return lambda visit: visit.redirect(location, **options)


def failed(result, reason: FailureReason) -> Failure:
    assert isinstance(result, Failure), result
    assert result.reason is reason, result
    assert result.message.endswith(".")
    return result


# What comes back


def test_an_answer_tells_what_came_from_where(web, fetcher) -> None:
    web.pages["/"] = page(
        b"gr\xfc\xdfe", Content_Type='Text/HTML; Charset="ISO-8859-1"', X_Marker="yes"
    )
    with fetcher:
        answer = fetcher.fetch(f"HTTP://ONE.test:{web.port}/#top")
    assert isinstance(answer, Answer)
    assert answer.body == b"gr\xfc\xdfe"
    assert (answer.content_type, answer.charset) == ("text/html", "iso-8859-1")
    assert (answer.status, answer.ip, answer.headers["x-marker"]) == (200, ONE, "yes")
    assert answer.url == f"HTTP://ONE.test:{web.port}/#top"
    assert answer.final_url == web.url("/")
    assert [(hop.url, hop.status, hop.ip) for hop in answer.hops] == [(web.url("/"), 200, ONE)]


@pytest.mark.parametrize("status", [204, 403, 404, 410, 451, 500, 503])
def test_every_status_is_an_answer(web, fetcher, status) -> None:
    web.pages["/"] = page(b"" if status == 204 else b"{}", status=status, Content_Type="")
    answer = fetcher.fetch(web.url("/"))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.content_type) == (status, "")


def test_redirects_are_followed_to_another_host_and_told(web, fetcher) -> None:
    web.pages["/a"] = redirect("/b?x=1", status=301)
    web.pages["/b"] = redirect(web.url("/c", "two.test"), status=307)
    web.pages["/c"] = page(b"there")
    answer = fetcher.fetch(web.url("/a"))
    assert isinstance(answer, Answer)
    assert (answer.body, answer.final_url, answer.ip) == (b"there", web.url("/c", "two.test"), TWO)
    assert [(hop.status, hop.ip) for hop in answer.hops] == [(301, ONE), (307, ONE), (200, TWO)]


def test_a_redirect_without_a_location_is_an_answer(web, fetcher) -> None:
    web.pages["/"] = page(b"nowhere", status=302)
    answer = fetcher.fetch(web.url("/"))
    assert isinstance(answer, Answer)
    assert answer.status == 302


@pytest.mark.parametrize("coding", ["gzip", "deflate", "bare deflate"])
def test_a_packed_body_is_unpacked(web, fetcher, coding) -> None:
    text = b"<p>shapes</p>" * 100
    bare = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(text),
        "deflate": zlib.compress(text),
        "bare deflate": bare.compress(text) + bare.flush(),
    }[coding]
    web.pages["/"] = page(packed, Content_Encoding=coding.removeprefix("bare "))
    answer = fetcher.fetch(web.url("/"))
    assert isinstance(answer, Answer)
    assert answer.body == text


def test_referrer_and_headers_are_sent_but_headers_stay_with_their_host(web, fetcher) -> None:
    web.pages["/a"] = redirect("/b")
    web.pages["/b"] = redirect(web.url("/c", "two.test"))
    web.pages["/c"] = page()
    fetcher.fetch(
        web.url("/a"), referrer="http://search.example.com", headers={"X-Key": "k", "Cookie": "a=1"}
    )
    first, second, third = (headers for _, _, headers in web.visits)
    for headers in (first, second):
        assert (headers["x-key"], headers["cookie"]) == ("k", "a=1")
    assert "x-key" not in third
    assert "cookie" not in third
    assert first["referer"] == third["referer"] == "http://search.example.com/"


@pytest.mark.parametrize(
    "headers", [{"Host": "x"}, {"a b": "x"}, {"X": "a\r\nY: b"}, {"Transfer-Encoding": "chunked"}]
)
def test_a_header_that_would_change_the_request_is_an_error(fetcher, headers) -> None:
    with pytest.raises(ValueError, match="header"):
        fetcher.fetch("http://one.test/", headers=headers)


def test_cookies_serve_the_redirects_of_one_fetch_and_no_other(web, fetcher) -> None:
    def door(visit) -> None:
        if "seen=1" in visit.headers.get("cookie", ""):
            visit.answer(b"inside")
        else:
            visit.redirect("/", Set_Cookie="seen=1; Path=/")

    web.pages["/"] = door
    for _ in range(2):
        answer = fetcher.fetch(web.url("/"))
        assert isinstance(answer, Answer)
        assert [hop.status for hop in answer.hops] == [302, 200]


def test_proxies_and_passwords_of_the_environment_are_ignored(
    web, fetcher_with, monkeypatch, tmp_path
) -> None:
    (tmp_path / "netrc").write_text("machine one.test login someone password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{INSIDE}:{web.port}")
    web.pages["/"] = page()
    assert isinstance(fetcher_with().fetch(web.url("/")), Answer)
    assert web.visited() == [(ONE, "/")]
    assert "authorization" not in {name.lower() for name in web.visits[0][2]}


def test_no_address_that_is_fetched_reaches_a_log(web, fetcher, caplog) -> None:
    web.pages["/secret-page"] = page()
    with caplog.at_level(logging.INFO):
        fetcher.fetch(web.url("/secret-page"))
    assert "secret-page" not in caplog.text


# Never turned inwards


def refused_inside(web, result) -> None:
    failed(result, FailureReason.REFUSED_ADDRESS)
    assert INSIDE not in {ip for ip, _ in web.visited()}


@pytest.mark.parametrize("host", [INSIDE, "inside.test", "127.0.0.1", "2130706433", "localhost"])
def test_a_private_address_is_refused(web, fetcher, host) -> None:
    web.pages["/"] = page()
    refused_inside(web, fetcher.fetch(web.url("/", host)))


@pytest.mark.parametrize(
    "host", [INSIDE, "inside.test", "0x7f.1", "[::1]", "[::ffff:127.65.10.1]", "localhost"]
)
def test_a_redirect_to_a_private_address_is_refused(web, fetcher, host) -> None:
    web.pages["/a"] = redirect(web.url("/b", host))
    web.pages["/b"] = page(b"inner")
    result = fetcher.fetch(web.url("/a"))
    refused_inside(web, result)
    assert [(hop.url, hop.status) for hop in result.hops] == [(web.url("/a"), 302)]


def test_a_name_that_changes_its_answer_is_reached_only_where_it_was_checked(
    web, names, fetcher
) -> None:
    names.zone["rebind.test", "A"] = ([ONE], [INSIDE])
    web.pages["/"] = page(b"outside")
    answer = fetcher.fetch(web.url("/", "rebind.test"))
    assert isinstance(answer, Answer)
    assert answer.ip == ONE
    assert names.asked.count(("rebind.test", "A")) == 1
    refused_inside(web, fetcher.fetch(web.url("/", "rebind.test")))


def test_a_name_that_changes_its_answer_between_hops_is_checked_again(web, names, fetcher) -> None:
    names.zone["rebind.test", "A"] = ([ONE], [INSIDE])
    web.pages["/a"] = redirect("/b")
    web.pages["/b"] = page()
    refused_inside(web, fetcher.fetch(web.url("/a", "rebind.test")))


@pytest.mark.parametrize("order", [1, -1])
def test_a_name_with_one_private_address_among_public_ones_is_refused(
    web, names, fetcher, order
) -> None:
    names.zone["mixed.test", "A"] = [ONE, INSIDE][::order]
    web.pages["/"] = page()
    refused_inside(web, fetcher.fetch(web.url("/", "mixed.test")))
    assert web.visits == []


@pytest.mark.parametrize("ip", ["::1", "::ffff:127.65.10.1", "64:ff9b::7f41:a01", "fe80::1"])
def test_a_name_with_a_private_ipv6_address_is_refused(web, names, fetcher, ip) -> None:
    names.zone["six.test", "A"] = [ONE]
    names.zone["six.test", "AAAA"] = [ip]
    refused_inside(web, fetcher.fetch(web.url("/", "six.test")))
    assert web.visits == []


def test_an_alias_of_a_private_name_is_refused(web, names, fetcher) -> None:
    names.zone["alias.test", "A"] = ["CNAME inside.test", INSIDE]
    refused_inside(web, fetcher.fetch(web.url("/", "alias.test")))


def test_an_onion_service_is_refused_for_now(fetcher) -> None:
    name = "facebookwkhpilnemxj7asaniu7vnjjbiltxjqhye3mhbshg7kx5tfyd.onion"
    assert (
        "Onion" in failed(fetcher.fetch(f"http://{name}/"), FailureReason.REFUSED_ADDRESS).message
    )


@pytest.mark.parametrize(
    "url", ["", "no", "javascript:alert(1)", "http://a@one.test/", "http://\ud800/", "ftp://a.test"]
)
def test_what_is_no_web_address_is_a_bad_url(fetcher, url) -> None:
    failed(fetcher.fetch(url), FailureReason.BAD_URL)


@pytest.mark.parametrize(
    "location", ["javascript:alert(1)", "http://[", "file:///x", "http://a@b/"]
)
def test_a_redirect_to_what_is_no_web_address_is_a_bad_url(web, fetcher, location) -> None:
    web.pages["/"] = redirect(location)
    failed(fetcher.fetch(web.url("/")), FailureReason.BAD_URL)


def test_the_transport_itself_refuses_whatever_the_address_was_read_as(names, fetcher_with) -> None:
    """Even if an address slipped through its reading, the host that is connected is checked."""
    from strandline.fetching.names import Resolver
    from strandline.fetching.results import FetchFailed
    from strandline.fetching.wire import Allowance, Deadline

    backend = PinningBackend(Resolver([names.address]), (), Deadline(5), Allowance(1000))
    for host in ("127.0.0.1", "::1", "inside.test", "one.test"):
        with pytest.raises(FetchFailed) as caught:
            backend.connect_tcp(host, 80)
        assert caught.value.reason is FailureReason.REFUSED_ADDRESS


# Limits


def test_a_circle_of_redirects_is_noticed(web, fetcher) -> None:
    web.pages["/a"] = redirect("/b")
    web.pages["/b"] = redirect("/a#again")
    result = failed(fetcher.fetch(web.url("/a")), FailureReason.REDIRECT_LOOP)
    assert len(result.hops) == 2


def test_redirects_without_end_are_cut_off(web, fetcher_with) -> None:
    numbers = itertools.count()
    web.pages["/"] = lambda visit: visit.redirect(f"/?{next(numbers)}")
    result = failed(
        fetcher_with(max_redirects=3).fetch(web.url("/")), FailureReason.TOO_MANY_REDIRECTS
    )
    assert len(result.hops) == 4


def test_a_circle_that_hides_behind_cookies_is_cut_off(web, fetcher) -> None:
    numbers = itertools.count()
    web.pages["/"] = lambda visit: visit.redirect("/", Set_Cookie=f"n={next(numbers)}")
    failed(fetcher.fetch(web.url("/")), FailureReason.TOO_MANY_REDIRECTS)


def test_a_declared_size_beyond_the_limit_is_not_received(web, fetcher) -> None:
    web.pages["/"] = lambda visit: visit.answer(b"", Content_Length=str(2 * 2**30))
    failed(fetcher.fetch(web.url("/")), FailureReason.TOO_LARGE)


def test_two_gigabytes_of_stream_are_cut_at_the_limit_in_little_memory(web, fetcher) -> None:
    sent = []

    def flood(visit) -> None:
        visit.answer(b"", Content_Length="", Connection="close")
        piece = b"\0" * 2**20
        for _ in range(2048):
            visit.wfile.write(piece)
            sent.append(len(piece))

    web.pages["/"] = flood
    tracemalloc.start()
    started = time.monotonic()
    try:
        failed(fetcher.fetch(web.url("/")), FailureReason.TOO_LARGE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.monotonic() - started < 4
    assert peak < 6 * 2**20
    assert web.broken_off.wait(5)
    assert sum(sent) < 50 * 2**20


def test_a_body_of_exactly_the_limit_is_accepted(web, fetcher) -> None:
    web.pages["/"] = page(b"x" * 100_000)
    assert isinstance(fetcher.fetch(web.url("/")), Answer)
    failed(fetcher.fetch(web.url("/"), max_bytes=99_999), FailureReason.TOO_LARGE)


def test_kinds_that_may_be_large_have_a_limit_of_their_own(web, fetcher_with) -> None:
    films = {"content_types": ("video/*", "image/*"), "large_types": ("video/*",)}
    fetcher = fetcher_with(**films, large_bytes=300_000)
    web.pages["/"] = page(b"x" * 300_000, Content_Type="video/mp4")
    assert isinstance(fetcher.fetch(web.url("/")), Answer)
    failed(fetcher.fetch(web.url("/"), max_bytes=100_000), FailureReason.TOO_LARGE)
    web.pages["/"] = page(b"x" * 300_001, Content_Type="video/mp4")
    failed(fetcher.fetch(web.url("/")), FailureReason.TOO_LARGE)
    web.pages["/"] = page(b"x" * 100_001, Content_Type="image/png")
    failed(fetcher.fetch(web.url("/")), FailureReason.TOO_LARGE)


def test_kinds_that_may_be_large_may_take_longer(web, fetcher_with) -> None:
    def slowly(kind: str):
        def send(visit) -> None:
            visit.answer(b"", Content_Type=kind, Content_Length="3")
            for _ in range(3):
                time.sleep(0.3)
                visit.wfile.write(b"x")

        return send

    films = {"content_types": ("video/*", "image/*"), "large_types": ("video/*",)}
    fetcher = fetcher_with(**films, seconds=0.5, large_seconds=5)
    web.pages["/"] = slowly("video/mp4")
    assert isinstance(fetcher.fetch(web.url("/")), Answer)
    web.pages["/"] = slowly("image/png")
    failed(fetcher.fetch(web.url("/")), FailureReason.TIMED_OUT)


def test_a_gzip_bomb_is_cut_at_the_limit(web, fetcher) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()
    assert len(bomb) < 100_000
    web.pages["/"] = page(bomb, Content_Encoding="gzip")
    tracemalloc.start()
    try:
        failed(fetcher.fetch(web.url("/")), FailureReason.TOO_LARGE)
        assert tracemalloc.get_traced_memory()[1] < 6 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "zstd", "nonsense"])
def test_a_coding_that_was_not_asked_for_is_a_bad_response(web, fetcher, coding) -> None:
    web.pages["/"] = page(b"....", Content_Encoding=coding)
    failed(fetcher.fetch(web.url("/")), FailureReason.BAD_RESPONSE)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_packed_body_that_is_cut_off_or_damaged_is_a_bad_response(web, fetcher, coding) -> None:
    whole = {"gzip": gzip.compress, "deflate": zlib.compress}[coding](b"shapes " * 50)
    web.pages["/cut"] = page(whole[:-9], Content_Encoding=coding)
    web.pages["/damaged"] = page(whole[:12] + b"\xff\xff" + whole[14:], Content_Encoding=coding)
    for path in ("/cut", "/damaged"):
        failed(fetcher.fetch(web.url(path)), FailureReason.BAD_RESPONSE)


@pytest.mark.parametrize("where", ["header", "body"])
def test_a_slow_drip_ends_by_the_deadline_of_the_whole_fetch(web, fetcher_with, where) -> None:
    def drip(visit) -> None:
        if where == "body":
            visit.answer(b"", Content_Length="1000")
        else:
            visit.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        for _ in range(100):
            visit.wfile.write(b"x")
            visit.wfile.flush()
            time.sleep(0.05)

    web.pages["/"] = drip
    started = time.monotonic()
    failed(fetcher_with(seconds=0.6).fetch(web.url("/")), FailureReason.TIMED_OUT)
    assert 0.5 < time.monotonic() - started < 1.2


def test_slow_redirects_share_one_deadline(web, fetcher_with) -> None:
    numbers = itertools.count()

    def slow(visit) -> None:
        time.sleep(0.25)
        visit.redirect(f"/?{next(numbers)}")

    web.pages["/"] = slow
    started = time.monotonic()
    failed(fetcher_with(seconds=0.6).fetch(web.url("/")), FailureReason.TIMED_OUT)
    assert time.monotonic() - started < 1.2


def test_headers_without_end_are_a_bad_response(web, fetcher) -> None:
    def chatter(visit) -> None:
        visit.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            visit.wfile.write(b"X-%d: %s\r\n" % (number, b"x" * 100))

    web.pages["/"] = chatter
    failed(fetcher.fetch(web.url("/")), FailureReason.BAD_RESPONSE)


def test_preliminary_answers_without_end_are_cut_off(web, fetcher) -> None:
    def chatter(visit) -> None:
        for _ in range(1000):
            visit.wfile.write(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 100)

    web.pages["/"] = chatter
    failed(fetcher.fetch(web.url("/")), FailureReason.TOO_LARGE)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
)
def test_a_broken_answer_is_a_bad_response(web, fetcher, raw) -> None:
    web.pages["/"] = lambda visit: visit.wfile.write(raw)
    failed(fetcher.fetch(web.url("/")), FailureReason.BAD_RESPONSE)


def test_a_type_that_is_not_looked_at_is_refused_before_its_body(web, fetcher_with) -> None:
    web.pages["/"] = page(b"PK", Content_Type="application/zip")
    failed(fetcher_with().fetch(web.url("/")), FailureReason.UNSUPPORTED_TYPE)
    assert isinstance(fetcher_with(content_types=("*/*",)).fetch(web.url("/")), Answer)
    web.pages["/"] = page(b"GIF", Content_Type="image/gif")
    assert isinstance(fetcher_with().fetch(web.url("/")), Answer)


# Names, connections, certificates


def test_a_name_nobody_knows_is_not_found(web, fetcher) -> None:
    failed(fetcher.fetch(web.url("/", "nobody.test")), FailureReason.NAME_NOT_FOUND)


def test_a_name_server_that_fails_is_told_from_a_name_that_is_missing(web, names, fetcher) -> None:
    names.zone["broken.test", "A"] = names.zone["broken.test", "AAAA"] = "SERVFAIL"
    failed(fetcher.fetch(web.url("/", "broken.test")), FailureReason.CONNECTION_FAILED)


def test_a_silent_name_server_times_out(web, names, fetcher_with) -> None:
    names.zone["mute.test", "A"] = names.zone["mute.test", "AAAA"] = "silence"
    fetcher = fetcher_with(seconds=0.5)
    started = time.monotonic()
    failed(fetcher.fetch(web.url("/", "mute.test")), FailureReason.TIMED_OUT)
    assert time.monotonic() - started < 1


def test_one_address_that_refuses_does_not_hide_another(web, names, fetcher) -> None:
    names.zone["half.test", "A"] = ["127.64.99.99", TWO]
    web.pages["/"] = page()
    answer = fetcher.fetch(web.url("/", "half.test"))
    assert isinstance(answer, Answer)
    assert answer.ip == TWO


def test_a_closed_port_is_a_failed_connection(fetcher) -> None:
    failed(fetcher.fetch("http://127.64.99.99:9/"), FailureReason.CONNECTION_FAILED)


def test_records_are_looked_up_as_text(names, fetcher) -> None:
    names.zone["one.test", "TXT"] = ['"64496 | 192.0.2" ".0/24 | GB"']
    names.zone["one.test", "MX"] = ["10 mail.one.test."]
    names.zone["one.test", "NS"] = ["ns1.one.test."]
    assert fetcher.lookup("one.test", "A") == (ONE,)
    assert fetcher.lookup("one.test", "TXT") == ("64496 | 192.0.2.0/24 | GB",)
    assert fetcher.lookup("one.test", "MX") == ("10 mail.one.test.",)
    assert fetcher.lookup("one.test", "NS") == ("ns1.one.test",)
    assert fetcher.lookup("one.test", "AAAA") == ()
    assert fetcher.lookup("nobody.test", "A") == ()


def test_a_failed_lookup_is_not_taken_for_an_empty_one(names, fetcher) -> None:
    names.zone["broken.test", "A"] = "SERVFAIL"
    for name, kind in (("broken.test", "A"), ("a" * 64 + ".test", "A"), ("one.test", "NONSENSE")):
        with pytest.raises(LookupFailed):
            fetcher.lookup(name, kind)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(web, authority):
    """Serve the same pages over TLS, as one.test; return the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("one.test").configure_cert(context)
    host = web.serve(ONE, context, port=0)
    yield host.server_address[1]
    host.shutdown()
    host.server_close()


def test_tls_is_verified_against_the_name_although_the_address_is_pinned(
    web, secure, authority, fetcher_with
) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    web.pages["/"] = page(b"private")
    answer = fetcher_with(tls=trusting).fetch(f"https://one.test:{secure}/")
    assert isinstance(answer, Answer)
    assert (answer.body, answer.ip) == (b"private", ONE)


def test_a_certificate_nobody_vouches_for_is_refused(web, names, secure, fetcher) -> None:
    web.pages["/"] = page()
    policy = FetchPolicy(nameservers=(names.address,), allow_networks=(f"{ONE}/32",))
    for one in (fetcher, Fetcher(policy)):
        failed(one.fetch(f"https://one.test:{secure}/"), FailureReason.TLS_FAILED)
    assert web.visits == []


@pytest.mark.parametrize(
    "wrong", [{"allow_networks": ("127.0.0.1/8",)}, {"nameservers": ("ns.example.com",)}]
)
def test_a_policy_that_makes_no_sense_is_an_error_at_once(wrong) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1/8|ns\.example\.com"):
        Fetcher(FetchPolicy(**wrong))


def test_a_certificate_for_another_name_is_refused(
    web, names, secure, authority, fetcher_with
) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    names.zone["other.test", "A"] = [ONE]
    failed(
        fetcher_with(tls=trusting).fetch(f"https://other.test:{secure}/"), FailureReason.TLS_FAILED
    )
    assert web.visits == []


def test_a_server_that_speaks_no_tls_is_refused(web, fetcher) -> None:
    failed(fetcher.fetch(f"https://one.test:{web.port}/"), FailureReason.TLS_FAILED)


def test_a_handshake_that_never_ends_times_out(fetcher_with) -> None:
    with socket.create_server((ONE, 0)) as mute:
        started = time.monotonic()
        failed(
            fetcher_with(seconds=0.5).fetch(f"https://one.test:{mute.getsockname()[1]}/"),
            FailureReason.TIMED_OUT,
        )
    assert time.monotonic() - started < 1.5


def test_one_fetcher_serves_many_threads(web, fetcher) -> None:
    web.pages["/"] = lambda visit: visit.answer(visit.path.encode())
    results: dict[int, object] = {}

    def fetch(number: int) -> None:
        results[number] = fetcher.fetch(web.url(f"/?{number}"))

    threads = [threading.Thread(target=fetch, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {n: r.body for n, r in results.items()} == {n: f"/?{n}".encode() for n in range(12)}
