"""Which files are films, told by their first bytes, and what a film may be made of.

A film is opened by the one demuxer its signature names and decoded by a decoder on the list.
Nothing is probed: ffmpeg's other demuxers include playlists, scripts and devices, and a file must
not choose among them. No demuxer here opens a second file.
"""

#: Version of film decoding: sampling, luma, orientation. Changes whenever the samples of any film
#: could, and is stored with every film's hash.
FILM_PIPELINE = "film-1"

#: So many bytes of a file decide; fewer do where there are no more.
HEAD = 1024

#: Brands of ISO base media files that are pictures: AVIF, HEIC and their sequences.
_PICTURE_BRANDS = frozenset(
    (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
)
_OLD_QUICKTIME = frozenset((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))

#: Signature -> demuxer, for those that begin with theirs.
_SIGNATURES = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"FLV\x01", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "asf"),
    (b"OggS", "ogg"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"\x00\x00\x01\xb3", "mpegvideo"),
)

#: Containers that find a key frame by their index, so that two workers can share a film.
INDEXED = frozenset(("mov", "matroska"))

#: Decoders of what cameras, phones, sites and editors make; ffmpeg's own names.
DECODERS = frozenset((
    "h264", "hevc", "libdav1d", "av1", "vp9", "vp8", "vvc", "mpeg4", "mpeg2video", "mpeg1video",
    "h263", "flv", "vp6", "vp6f", "theora", "vc1", "wmv3", "wmv2", "wmv1", "msmpeg4", "msmpeg4v2",
    "msmpeg4v1", "mjpeg", "prores", "dnxhd", "dvvideo", "ffv1", "huffyuv", "ffvhuff", "utvideo",
    "cinepak", "svq1", "svq3", "msvideo1", "indeo3", "indeo5", "qtrle", "rawvideo", "png",
))  # fmt: skip

#: Decoders whose B pictures no other picture refers to and that can leave them out exactly.
SKIPS_UNREFERENCED = frozenset(("h264", "mpeg4", "mpeg2video", "mpeg1video"))


def container_of(head: bytes) -> str | None:
    """Return the name of the demuxer for a film that begins with ``head``, None for no film.

    A container may yet turn out to hold sound alone.
    """
    kind = head[4:8]
    if kind == b"ftyp":
        return None if head[8:12] in _PICTURE_BRANDS else "mov"
    if kind in _OLD_QUICKTIME:
        return "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    for size, start in _TS_PACKETS:
        marks = head[start : start + 4 * size : size]
        if len(marks) == 4 and marks.count(0x47) == 4:
            return "mpegts"
    return None


def is_film(head: bytes) -> bool:
    """Tell a film from a picture or a document by its first ``HEAD`` bytes.

    Animations (GIF, WebP, APNG, AVIF sequences) are pictures that move, not films.
    """
    return container_of(head) is not None
