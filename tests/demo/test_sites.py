import http.client
import resource
from datetime import timedelta

import pytest

from strandline.demo import hosts
from strandline.demo.sites import ENDLESS_BYTES

SHOWN_AT_ONCE = [
    page.key
    for page in hosts.pages()
    if page.pictures and not page.decoy and page.key != "pathway-only"
]


@pytest.mark.parametrize("key", SHOWN_AT_ONCE)
def test_a_page_names_its_pictures_and_they_are_sent(visitor, key):
    page = hosts.page(key)
    got = visitor.page(key)
    assert got.status == 200
    assert got.headers["Content-Type"] == "text/html; charset=utf-8"
    for number, picture in enumerate(page.pictures, 1):
        assert page.picture_path(number).encode() in got.body
        sent = visitor.picture(key, number)
        assert (sent.status, sent.headers["Content-Type"]) == (200, picture.content_type)
        assert sent.body == picture.data()


def test_head_sends_the_headers_alone(visitor):
    got = visitor.picture("removes-at-first", method="HEAD")
    whole = hosts.page("removes-at-first").pictures[0].data()
    assert got.body == b""
    assert got.headers["Content-Length"] == str(len(whole))


def test_a_site_that_is_not_hosted_is_not_found(visitor):
    assert visitor.get("nobody.example", "/", address="127.64.1.1").status == 404
    assert visitor.get("gallery.alder-hosting.example", "/a/12").status == 404
    assert visitor.get("gallery.alder-hosting.example", "/a/1/picture-9.jpg").status == 404


def test_it_is_dated_by_the_simulated_clock(visitor, clock):
    assert visitor.page("innocent").headers["Date"] == "Mon, 02 Mar 2026 09:00:00 GMT"


def test_a_host_removes_page_and_pictures_a_day_after_the_first_notice(visitor, notify):
    assert visitor.statuses("removes-at-first", 2) == [200, 200]
    notify("removes-at-first")
    assert visitor.statuses("removes-at-first", 3) == [200, 404, 404]
    assert visitor.picture("removes-at-first", 2).status == 404


def test_a_host_answers_410_after_the_first_notice(visitor, notify):
    notify("removes-with-410")
    assert visitor.statuses("removes-with-410", 4) == [200, 200, 410, 410]


def test_a_host_removes_at_the_second_notice_only(visitor, notify):
    notify("removes-at-second")
    assert visitor.statuses("removes-at-second", 5) == [200] * 5
    notify("removes-at-second")
    assert visitor.statuses("removes-at-second", 2) == [200, 404]


def test_a_host_never_removes(visitor, notify):
    for _ in range(5):
        notify("never-removes")
        assert visitor.statuses("never-removes", 7) == [200] * 7


def test_a_page_moves_to_another_host_which_removes_it(visitor, notify, web, clock):
    notify("moves")
    assert visitor.page("moves").status == 200
    clock.advance(timedelta(days=1))
    moved = visitor.page("moves")
    assert (moved.status, moved.location) == (301, hosts.page("moved-to").url(web.http_port))
    picture = visitor.picture("moves")
    assert picture.location == moved.location + "/picture-1.jpg"
    here, there = (hosts.host_of(hosts.page(key)) for key in ("moves", "moved-to"))
    assert here.asn != there.asn
    assert visitor.page("moved-to").status == 200
    notify("moved-to")
    assert visitor.statuses("moved-to", 2) == [200, 404]
    assert visitor.page("moves").status == 301


def test_a_host_is_unavailable_on_every_third_day_and_removes_at_last(visitor, notify):
    notify("unavailable-at-times")  # on the 2nd of the month
    assert visitor.statuses("unavailable-at-times", 8) == [200, 503, 200, 200, 503, 404, 404, 503]


def test_a_host_says_not_found_with_status_200(visitor, notify, clock):
    assert b"picture-1" in visitor.page("says-not-found").body
    notify("says-not-found")
    clock.advance(timedelta(days=1))
    got = visitor.page("says-not-found")
    assert got.status == 200
    assert b"404 Not Found" in got.body
    assert visitor.picture("says-not-found").headers["Content-Type"].startswith("text/html")


def test_a_page_is_shown_only_to_those_who_come_the_right_way(visitor, notify, web, clock):
    page, way = hosts.page("pathway-only"), hosts.PATHWAY_REFERRER
    decoy = visitor.page("pathway-only")
    assert decoy.status == 200
    assert b"picture-1" not in decoy.body
    assert b"garden-1" in decoy.body
    assert visitor.picture("pathway-only", decoy=True).body == page.decoy[0].data()
    assert visitor.picture("pathway-only").status == 404
    assert b"picture-1" in visitor.page("pathway-only", referrer=way).body
    for referrer in (way, page.url(web.http_port)):
        assert visitor.picture("pathway-only", referrer=referrer).body == page.pictures[0].data()
    notify("pathway-only")
    assert visitor.statuses("pathway-only", 3, referrer=way) == [200, 200, 404]
    assert visitor.page("pathway-only").status == 200


def test_a_page_comes_back_after_two_weeks_and_goes_for_good_at_the_next_notice(visitor, notify):
    notify("comes-back")
    assert visitor.statuses("comes-back", 17) == [200] + [404] * 14 + [200] * 2
    notify("comes-back")
    assert visitor.statuses("comes-back", 20) == [200] + [404] * 19


def test_a_reminder_while_the_page_is_away_is_not_the_next_notice(visitor, notify, clock):
    notify("comes-back")
    clock.advance(timedelta(days=5))
    notify("comes-back")
    clock.advance(timedelta(days=20))
    assert visitor.page("comes-back").status == 200


def test_a_page_redirects_in_a_circle(visitor, web):
    there, back = visitor.page("circle"), visitor.page("circle-back")
    assert (there.status, back.status) == (302, 302)
    assert there.location == hosts.page("circle-back").url(web.http_port)
    assert back.location == hosts.page("circle").url(web.http_port)


def test_two_gigabytes_are_sent_without_being_held(web):
    page = hosts.page("endless")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in KiB
    connection = http.client.HTTPConnection(hosts.host_of(page).address, web.http_port, timeout=5)
    connection.request("GET", page.path, headers={"Host": page.site})
    answer = connection.getresponse()
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["Content-Length"] is None
    read = 0
    while read < 200 * 2**20:
        read += len(answer.read(2**20))
    answer.close()
    connection.close()
    assert ENDLESS_BYTES == 2 * 2**30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 2**10


def test_an_innocent_page_stays(visitor):
    assert visitor.statuses("innocent", 3) == [200] * 3


def test_a_host_hears_only_of_the_page_that_the_mail_names(visitor, notify, mail, web, clock):
    notify("copies")
    clock.advance(timedelta(days=2))
    assert visitor.page("copies").status == 404
    assert visitor.page("more-copies").status == 200


def test_a_mail_that_names_no_page_is_about_all_of_the_hosts_pages(visitor, mail, clock):
    mail("abuse@oak-mirror.example", "Please remove what we wrote about on the telephone.")
    clock.advance(timedelta(days=2))
    assert visitor.page("copies").status == 404
    assert visitor.page("more-copies").status == 404


def test_a_defanged_address_and_that_of_a_picture_name_the_page(visitor, mail, clock):
    mail("abuse@oak-mirror.example", "hxxp://m[.]oak-mirror[.]example/mirror/16/picture-1.jpg")
    clock.advance(timedelta(days=2))
    assert visitor.page("copies").status == 200
    assert visitor.page("more-copies").status == 404


def test_mail_to_another_host_changes_nothing(visitor, mail, web, clock):
    page = hosts.page("removes-at-first")
    mail("abuse@birch-pages.example", page.url(web.http_port))
    clock.advance(timedelta(days=30))
    assert visitor.page("removes-at-first").status == 200


def test_the_registrar_passes_on_what_names_a_page(visitor, mail, web, clock):
    host = hosts.host_of(hosts.page("same-bytes"))
    mail(host.registrar_abuse, hosts.page("same-bytes").url(web.http_port))
    mail(host.registrar_abuse, "Good morning.")
    clock.advance(timedelta(days=3))
    assert visitor.page("same-bytes").status == 404
    assert visitor.page("removes-at-second").status == 200


def test_the_same_mail_delivered_twice_is_one_notice(visitor, notify, clock):
    notify("removes-at-second", message_id="<once@hotline.example>")
    notify("removes-at-second", message_id="<once@hotline.example>")
    clock.advance(timedelta(days=3))
    assert visitor.page("removes-at-second").status == 200
