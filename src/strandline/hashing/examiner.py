"""Examining a file or a page: everything the record keeps of it, made in the sandbox."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from strandline.errors import Undecodable
from strandline.hashing.digests import Digests, digests
from strandline.hashing.film import FilmHash, contact_sheet, hash_film, open_film_sandbox
from strandline.hashing.orientation import Orientation
from strandline.hashing.variants import Variant
from strandline.hashing.versions import MIN_QUALITY, Mode, pipeline
from strandline.media import Limits, Sandbox, Style
from strandline.media.containers import HEAD, is_film
from strandline.media.sources import in_memory, read_whole

#: Task tables of the worker: this room's task beside those of ``media``.
MODULES = ("strandline.media.tasks", "strandline.hashing.tasks")
_PDQ = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageHash:
    """What identifies a picture. Sizes are in pixels, as displayed (EXIF rotation applied)."""

    #: Pillow's name of the format: JPEG, PNG, WEBP…
    format: str
    width: int
    height: int
    #: The file was cut off or damaged and decoded as far as it goes.
    truncated: bool
    digests: Digests
    #: 64 hex digits; set for every picture that decodes, but see ``too_plain``.
    pdq: str
    #: 0 to 100.
    quality: int
    #: Version of decoding and hashing that made this; names the mode.
    pipeline: str
    #: ``image``, or ``animation`` for a file with further frames; the hash is of the first.
    kind: Literal["image", "animation"] = "image"
    mode: Mode = Mode.EXACT

    @property
    def too_plain(self) -> bool:
        """Whether the picture shows too little to fingerprint: then only its digests count."""
        return self.quality < MIN_QUALITY


@dataclass(frozen=True)
class PictureFacts:
    """A picture's identity and the renditions that were asked for."""

    image: ImageHash
    renditions: Mapping[Style, bytes]
    #: The picture's hashes turned, mirrored and without borders, where they were asked for.
    variants: tuple[Variant, ...] = ()

    @property
    def digests(self) -> Digests:
        """The file's."""
        return self.image.digests


@dataclass(frozen=True)
class FilmFacts:
    """A film's identity, and sheets of a few of its frames in the styles that were asked for."""

    film: FilmHash
    renditions: Mapping[Style, bytes]
    #: Seconds from the start at which the frames on the sheets are on screen.
    shown: tuple[int, ...] = ()

    @property
    def digests(self) -> Digests:
        """The file's."""
        return self.film.digests


@dataclass(frozen=True)
class PageFacts:
    """What a page says; text from outside, to be shown as text only."""

    #: At most 300 characters.
    title: str
    #: Visible text with white space squeezed, at most 20,000 characters.
    text: str
    #: Absolute http(s) addresses, in the page's order, each once, at most 1,000.
    pictures: tuple[str, ...]
    #: Where a ``<meta http-equiv=refresh>`` leads, absolute.
    refresh: str | None
    #: Addresses of films, as those of pictures, at most 100.
    films: tuple[str, ...] = ()


def open_sandbox(limits: Limits | None = None) -> Sandbox:
    """Return a sandbox that can hash; a plain ``Sandbox()`` can only decode."""
    return Sandbox(limits, modules=MODULES)


class Examiner:
    """Owns a sandbox and turns its answers into facts. Safe to share between threads.

    Films are read by another sandbox, whose workers start with the first film.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.sandbox = open_sandbox(limits)
        self._films = open_film_sandbox()

    @property
    def protections(self) -> tuple[str, ...]:
        """Names of the sandbox's protections that really hold on this machine."""
        return self.sandbox.protections

    def picture(
        self,
        source: bytes | Path,
        styles: Sequence[Style] = (),
        *,
        mode: Mode = Mode.EXACT,
        variants: bool = False,
    ) -> PictureFacts:
        """Decode, hash and render a picture, given as bytes or as the path of a file.

        ``variants`` adds the hashes the picture would have turned, mirrored and without uniform
        borders, always of the whole picture: to ask an index about, not to put on a list.

        Raises:
            Undecodable, TooLarge, TimedOut: the verdict on these bytes.
            OSError: the file cannot be read, or it is no file: a folder, a pipe, a device.
        """
        data = _bytes_of(source, self.sandbox.limits)
        return _examine(self.sandbox, data, styles, mode=mode, variants=variants)

    def film(
        self, data: bytes, styles: Sequence[Style] = (), *, limits: Limits | None = None
    ) -> FilmFacts:
        """Hash a film, one frame a second, and render a few of its frames.

        Args:
            data: the film, which is written to no disk where the system allows that (Linux).
            styles: of sheets; each shows the same frames, those that differ before others.
            limits: of this film, instead of ``FILM_LIMITS``; of each of the two passes it takes.

        Raises:
            Undecodable, TooLarge, TimedOut: the verdict on these bytes; no film is undecodable.
            NoFilmDecoder: PyAV is not installed.
            OSError: there is no memory for it.
        """
        if not is_film(data[:HEAD]):
            told = "This is no film of a known format" if data else "The file is empty"
            raise Undecodable(f"{told}. Nothing was shown; its digests can still be examined.")
        with in_memory(data) as path:
            found = hash_film(path, self._films, digests=digests(data), limits=limits)
            if not styles:
                return FilmFacts(found, {})
            sheet = contact_sheet(path, found, styles, self._films, limits=limits)
        return FilmFacts(found, sheet.renditions, sheet.marks)

    def page(self, data: bytes, base_url: str, charset: str | None = None) -> PageFacts:
        """Read a web page; ``charset`` is what the server said, if it said any.

        Raises:
            Undecodable, TooLarge, TimedOut: the verdict on these bytes.
        """
        params = {"base_url": base_url, "charset": charset}
        facts, _ = self.sandbox.run("page", data, params)
        try:
            refresh = facts["refresh"]
            return PageFacts(
                title=str(facts["title"]),
                text=str(facts["text"]),
                pictures=tuple(str(address) for address in facts["pictures"]),
                films=tuple(str(address) for address in facts["films"]),
                refresh=None if refresh is None else str(refresh),
            )
        except (KeyError, TypeError) as error:
            raise not_ours() from error

    def close(self) -> None:
        """End the workers; a later call starts others."""
        self.sandbox.close()
        self._films.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def hash_image(
    source: bytes | str | Path, sandbox: Sandbox | None = None, *, mode: Mode = Mode.EXACT
) -> ImageHash:
    """Hash one picture, given as bytes or as the path of a file.

    Without a ``sandbox`` (from :func:`open_sandbox`) one is started and kept for this process.

    Raises:
        Undecodable, TooLarge, TimedOut: the verdict on these bytes.
        OSError: the file cannot be read, or it is no file: a folder, a pipe, a device.
    """
    sandbox = sandbox or _shared_sandbox()
    data = _bytes_of(source, sandbox.limits)
    return _examine(sandbox, data, (), mode=mode).image


@functools.cache
def _shared_sandbox() -> Sandbox:
    return open_sandbox()


def _bytes_of(source: bytes | str | Path, limits: Limits) -> bytes:
    if not isinstance(source, str | Path):
        return bytes(source)  # anything that holds bytes
    return read_whole(Path(source), limits.bytes)


def _examine(
    sandbox: Sandbox,
    data: bytes,
    styles: Sequence[Style],
    *,
    mode: Mode,
    variants: bool = False,
) -> PictureFacts:
    mode = Mode(mode)  # its name will do
    params = {
        "styles": [style.value for style in styles],
        "mode": mode.value,
        "variants": variants,
    }
    facts, renditions = sandbox.run("fingerprint", data, params)
    try:
        return PictureFacts(
            image_hash(facts, digests(data), mode),
            {style: renditions[style.value] for style in styles},
            tuple(_variant(*each) for each in facts.get("variants", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise not_ours() from error


def image_hash(facts: Mapping[str, Any], found: Digests, mode: Mode) -> ImageHash:
    """Check what the worker said of a file with these digests, and make a hash of it.

    The worker read hostile bytes and may no longer be ours.

    Raises:
        KeyError, TypeError, ValueError: the answer makes no sense.
    """
    pdq, quality = _checked(facts["pdq"], facts["quality"])
    return ImageHash(
        format=str(facts["format"])[:20],
        width=int(facts["width"]),
        height=int(facts["height"]),
        truncated=bool(facts["truncated"]),
        digests=found,
        pdq=pdq,
        quality=quality,
        pipeline=pipeline(mode),
        kind="animation" if facts["kind"] == "animation" else "image",
        mode=mode,
    )


def _variant(orientation: object, trimmed: object, pdq: object, quality: object) -> Variant:
    known, bound = _checked(pdq, quality)
    return Variant(Orientation(str(orientation)), trimmed=bool(trimmed), pdq=known, quality=bound)


def _checked(pdq: object, quality: object) -> tuple[str, int]:
    if not isinstance(pdq, str) or not isinstance(quality, int):
        raise TypeError("not a PDQ hash")
    if not _PDQ.fullmatch(pdq) or not 0 <= quality <= 100:
        raise ValueError("not a PDQ hash")
    return pdq, quality


def not_ours() -> Undecodable:
    """Return the verdict on a file about which the worker said what cannot be."""
    return Undecodable(
        "The decoder's answer made no sense and was not used. Nothing of the file was shown."
    )
