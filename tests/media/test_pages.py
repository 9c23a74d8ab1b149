import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.media import Limits, Sandbox, TimedOut
from strandline.media.pages import MAX_FILMS, MAX_PICTURES, MAX_TEXT, MAX_TITLE, read_page

BASE = "http://board.example/thread/7?p=2"


def read(html: str, charset: str | None = None) -> dict:
    return read_page(html.encode(), BASE, charset)


def test_pictures_come_in_the_pages_order_each_once():
    page = read(
        """<meta property="og:image" content="/cover.jpg">
        <img src="a.jpg"><a href="full/b.PNG?x=1#top">b</a><a href="next.html">next</a>
        <picture><source srcset="c.avif 1x, c2.avif 2x"><img src="a.jpg"></picture>
        <video poster="//cdn.example/still.webp" src="film.mp4"></video>
        <img srcset="d.jpg 480w,
                     e,1.jpg 800w" data-src="lazy.gif">"""
    )
    assert page["pictures"] == [
        "http://board.example/cover.jpg",
        "http://board.example/thread/a.jpg",
        "http://board.example/thread/full/b.PNG?x=1",
        "http://board.example/thread/c.avif",
        "http://board.example/thread/c2.avif",
        "http://cdn.example/still.webp",
        "http://board.example/thread/lazy.gif",
        "http://board.example/thread/d.jpg",
        "http://board.example/thread/e,1.jpg",
    ]


def test_films_come_apart_from_pictures_each_once():
    page = read(
        """<meta property="og:video" content="/shared.mp4">
        <video poster="still.webp" src="film.mp4"></video>
        <video><source src="film.webm"><source src="film.mp4"></video>
        <audio><source src="song.ogg"></audio>
        <a href="long/c.MKV?x=1#top">c</a><a href="next.html">next</a>
        <video src="javascript:play()"></video>"""
    )
    assert page["films"] == [
        "http://board.example/shared.mp4",
        "http://board.example/thread/film.mp4",
        "http://board.example/thread/film.webm",
        "http://board.example/thread/long/c.MKV?x=1",
    ]
    assert page["pictures"] == ["http://board.example/thread/still.webp"]


@pytest.mark.parametrize(
    "address",
    ["data:image/png;base64,AAAA", "javascript:alert(1)", "file:///etc/passwd", "http://[", "", " ",
     "ftp://h.example/a.jpg", "x" * 5000],
)  # fmt: skip
def test_what_is_not_a_web_address_is_left_out(address):
    assert read(f'<img src="{address}">')["pictures"] == []


def test_a_base_element_counts():
    page = read('<base href="/other/"><img src="a.jpg">')
    assert page["pictures"] == ["http://board.example/other/a.jpg"]


def test_pictures_for_readers_without_scripts_are_found():
    page = read('<body><noscript><img src="n.jpg"></noscript>')
    assert page["pictures"] == ["http://board.example/thread/n.jpg"]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("0; url=/away", "http://board.example/away"),
        ("5;URL='http://e.example/x'", "http://e.example/x"),
        ("3, next", "http://board.example/thread/next"),
        ("0;url=javascript:alert(1)", None),
        ("30", None),
    ],
)
def test_a_refresh_leads_somewhere_or_nowhere(content, wanted):
    assert read(f'<meta http-equiv="Refresh" content="{content}">')["refresh"] == wanted


def test_title_and_text_are_squeezed_and_without_scripts():
    page = read(
        "<title> A\n title </title><style>p{}</style><script>var hidden</script>"
        "<p>One<p>two <b>three</b><template>no</template>"
    )
    assert page["title"] == "A title"
    assert page["text"] == "One two three"


def test_what_a_page_says_is_bounded():
    page = read(
        f"<title>{'t' * 5000}</title>{'word ' * 50_000}"
        + "".join(f"<img src={number}.jpg>" for number in range(MAX_PICTURES + 5))
    )
    assert len(page["title"]) == MAX_TITLE
    assert len(page["text"]) <= MAX_TEXT
    assert len(page["pictures"]) == MAX_PICTURES


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        ("<title>Tür</title>".encode(), None),
        ("<title>Tür</title>".encode("cp1252"), None),
        ("<title>Tür</title>".encode("cp1252"), "ISO-8859-1"),
        ("<title>Tür</title>".encode(), "utf-8"),
        ("<title>Tür</title>".encode(), "no-such-charset"),
        ("\ufeff<title>Tür</title>".encode("utf-16-le"), "utf-8"),
        (b"\xef\xbb\xbf<title>T\xc3\xbcr</title>", "windows-1252"),
        ('<meta charset="windows-1250"><title>Tür</title>'.encode("cp1250"), None),
        ("<meta charset=utf-16><title>Tür</title>".encode(), None),
    ],
)
def test_a_page_is_read_in_its_own_encoding(data, charset):
    assert read_page(data, BASE, charset)["title"] == "Tür"


@pytest.mark.parametrize(
    ("codec", "label", "word"),
    [("cp932", "Shift_JIS", "写真"), ("gb18030", "gb2312", "照片"), ("koi8-r", "koi8-r", "Фото"),
     ("big5hkscs", "big5", "相片"), ("cp949", "euc-kr", "사진"), ("euc-jp", "euc-jp", "写真")],
)  # fmt: skip
def test_every_encoding_is_at_hand_inside_the_worker(codec, label, word, sandbox):
    data = f"<title>{word}</title>".encode(codec)
    facts, _ = sandbox.run("page", data, {"base_url": BASE, "charset": label})
    assert facts["title"] == word


def test_a_page_nested_deeply_is_read_until_it_takes_too_long():
    with Sandbox(Limits(cpu_seconds=0.5)) as own:
        deep = b"<div>" * 1000 + b"<img src=a.jpg>"
        facts, _ = own.run("page", deep, {"base_url": BASE})
        assert facts["pictures"] == ["http://board.example/thread/a.jpg"]
        with pytest.raises(TimedOut):
            own.run("page", b"<div>" * 200_000, {"base_url": BASE})


@given(st.binary(max_size=300) | st.text(alphabet="<>/=\"' aimgsrcbet;:\n", max_size=200))
def test_any_bytes_are_a_page(noise):
    data = noise if isinstance(noise, bytes) else noise.encode()
    page = read_page(b"<img src=a.jpg><p>" + data, BASE, None)
    assert "http://board.example/thread/a.jpg" in page["pictures"]
    assert all(address.startswith(("http://", "https://")) for address in page["pictures"])


def test_films_beyond_the_most_are_left_out():
    page = read("".join(f'<video src="{number}.mp4">' for number in range(MAX_FILMS + 5)))
    assert len(page["films"]) == MAX_FILMS
