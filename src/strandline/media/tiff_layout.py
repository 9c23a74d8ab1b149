"""How a TIFF's samples lie, and who reads them rightly. Worker only. Source: TIFF 6.0."""

from typing import Any

from PIL import TiffImagePlugin

from strandline.media.limits import MAX_SIDE

RAW, DEFLATE = 1, {8, 32946}
_KINDS = {1: "u", 2: "i", 3: "f"}
_KIND_NAMES = {"i": " signed", "f": " floating-point"}
_COLOURS = {0: "L", 1: "L", 2: "RGB", 5: "CMYK", 8: "LAB"}
_COLOUR_NAMES = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "LAB"}
_SAMPLES = {"u8", "u16", "u32", "u64", "i8", "i16", "i32", "f16", "f32", "f64"}


class Unread(ValueError):
    """A picture of a known format and an unread kind; the text is for the person."""


class Layout:
    """What the tags say about the samples."""

    def __init__(self, tags: Any) -> None:  # noqa: ANN401 - Pillow's directory is untyped
        self.width, self.height, self.photo = tags[256], tags[257], tags.get(262, 0)
        if not isinstance(self.width, int) or not isinstance(self.height, int):
            raise TypeError("a width or height that is not a number")
        self.packing, self.predictor = tags.get(259, 1), tags.get(317, 1)
        self.samples, self.extra = tags.get(277, 1), tags.get(338, ())
        self.apart = tags.get(284, 1) == 2 and self.samples > 1
        self.order = "<" if tags.prefix == b"II" else ">"
        kinds = {(_KINDS.get(n, "?"), m) for n in tags.get(339, (1,)) for m in tags.get(258, (1,))}
        self.kind: str
        self.bits: int
        self.kind, self.bits = kinds.pop() if len(kinds) == 1 else ("?", 0)
        self.reversed = tags.get(266, 1) != 1
        self.tiled = 273 not in tags and 324 in tags
        if self.tiled:
            self.tile = (tags.get(322, 0), tags.get(323, 0))
            self.offsets, self.lengths = tags[324], tags.get(325, ())
        else:
            self.tile = (self.width, max(1, min(tags.get(278, self.height), self.height)))
            self.offsets, self.lengths = tags.get(273, ()), tags.get(279, ())

    def is_pillows(self) -> bool:
        """Say whether Pillow, where it opens such a file, takes the samples for what they are."""
        packed = self.packing != RAW
        if self.apart:  # of raw planes Pillow takes every one for 8 bits
            return self.kind == "u" and self.photo in {2, 5, 6} and self.bits in {8, 16} and packed
        if self.kind == "u" and self.bits <= 8:
            whole = self.width * self.height * self.samples
            return bool(self.photo != 6 or packed or sum(self.lengths) >= whole)  # else subsampled
        if self.kind == "u" and self.bits == 16:
            return bool(self.photo != 0)
        swapped = packed and self.order == ">"  # libtiff has put the bytes in order already
        return bool(self.bits == 32 and self.photo == 1 and not swapped)

    def mode(self) -> str:
        """Return Pillow's mode for the same in 8 bits.

        Raises:
            Unread: it is not read here either.
        """
        base = _COLOURS.get(self.photo, "")
        clear = [*self.extra] or [2] * (self.photo == 2 and self.samples == 4)
        veil = {1: "a", 2: "A"}.get(clear[0], "") if clear and base in {"L", "RGB"} else ""
        readable = (
            base and f"{self.kind}{self.bits}" in _SAMPLES and not self.reversed
            and (self.packing in {RAW, *DEFLATE})
            and self.predictor in ({1} if self.kind == "f" else {1, 2})
            and len(base) + len(clear) == self.samples <= 8
            and not any(clear[bool(veil) :])
            and (base != "LAB" or (self.kind == "u" and self.bits in {8, 16}))
            and (not self.tiled or all(0 < n <= MAX_SIDE and n % 16 == 0 for n in self.tile))
        )  # fmt: skip
        if not readable:
            raise Unread(f"a TIFF of {self}, which no decoder here reads")
        return base + veil

    def __str__(self) -> str:
        bits = (
            f"{self.bits}-bit{_KIND_NAMES.get(self.kind, '')}" if self.bits else "mixed or unknown"
        )
        colour = _COLOUR_NAMES.get(self.photo, "uncommon")
        how = TiffImagePlugin.COMPRESSION_INFO.get(self.packing, f"number {self.packing}")
        planes = " in separate planes" * self.apart
        more = f" and {len(self.extra)} more" * bool(self.extra)
        shift = f", predictor {self.predictor}" * (self.predictor != 1)
        return f"{bits} {colour} samples{more}{planes} (compression {how}{shift})"
