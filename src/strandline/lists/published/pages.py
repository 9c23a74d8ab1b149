"""Pages: up to 65,536 rows of one class, as one file for each column.

A file is a line that names the format, a line of canonical JSON, and packed numbers followed by
the bare hashes. Each page has exactly one form: what ``decode`` accepts, ``encode`` gives again.
docs/hashlist-format.md describes it for people who write other readers.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from strandline.errors import ListRefused
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Column, EntryClass
from strandline.lists.published.packing import fold, pack, unfold, unpack
from strandline.lists.published.values import HASH_BYTES, Values

MAX_ROWS = 65_536
#: Frames of all films of a page; the longest film alone has fewer.
MAX_FRAMES = 2**20
MAX_PAGE = 999_999
CORE = "core"
_MAGIC = b"strandline page 2\n"
#: Bytes. Words of every row at most, which no list comes near.
_MAX_HEADER = 2**22
_PATH = re.compile(
    r"(editions|snapshots)/[0-9]{6}/([0-9a-f]{16})/[0-9]{6}\.(core|sha256|sha1|md5|pdq|video|photodna)"
)
_QUARANTINE = 4
_ADD = 1


def in_pages(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same rows in blocks as full as a page can be; what was cut where makes no difference."""
    held: list[Block] = []
    rows = frames = 0
    for block in blocks:
        held.append(block)
        rows += len(block)
        frames += int(block.frames.sum())
        if rows >= MAX_ROWS or frames > MAX_FRAMES:
            rest = Block.join(held)
            while (end := _page_end(rest)) < len(rest) or len(rest) == MAX_ROWS:
                yield rest.take(slice(0, end))
                rest = rest.take(slice(end, None))
            held, rows, frames = [rest], len(rest), int(rest.frames.sum())
    if rows:
        yield Block.join(held)


def _page_end(block: Block) -> int:
    fitting = int(np.searchsorted(np.cumsum(block.frames), MAX_FRAMES, side="right"))
    return min(MAX_ROWS, len(block), fitting)


def encode(block: Block, base: str, page: int) -> dict[str, bytes]:
    """The files of one page below ``base``, such as ``editions/000012/<class id>``.

    The core first, then each column that has a value in some row. Raises ListRefused when the
    block does not fit a page, or tells an entry without any hash.
    """
    stem = f"{base}/{page:06d}"
    _check_rows(block, stem)
    if not 0 <= page <= MAX_PAGE or _page_end(block) != len(block) or not len(block):
        raise ListRefused(f"{stem} would hold more than a page can, or nothing.")
    some = {name: values for name, values in block.columns.items() if values.present.any()}
    known = np.zeros(len(block), np.bool_)
    for values in some.values():
        known |= values.present
    if (block.tells & ~known).any():
        raise ListRefused(f"{stem} would list an entry without any hash.")
    files = {f"{stem}.{CORE}": _encode_core(block, f"{stem}.{CORE}")}
    for column in Column:
        if column in some:
            path = f"{stem}.{column}"
            files[path] = _encode_column(some[column], path)
    return files


def decode(files: Mapping[str, bytes]) -> Block:
    """The rows of one page from its core and whichever of its columns are at hand, by path.

    Raises ListRefused unless every byte is as ``encode`` writes it.
    """
    cores = [path for path in files if path.endswith(f".{CORE}")]
    if len(cores) != 1 or len({path.rpartition(".")[0] for path in files}) != 1:
        raise ListRefused("A page of a list is read from its core and its columns, and no more.")
    core = cores[0]
    header, payload = _open(core, files[core], {"class", "first", "pipelines", "reasons"})
    entry_class = _class_in(core, header)
    columns = {
        Column(path.rpartition(".")[2]): _decode_column(path, data, header["rows"])
        for path, data in files.items()
        if path != core
    }
    block = _decode_core(core, header, payload, entry_class, columns)
    _check_rows(block, core)
    return block


def _check_rows(block: Block, path: str) -> None:
    """Deltas name an entry to quarantine it; snapshots tell it, and have only such rows."""
    quarantined = block.action == _QUARANTINE
    if path.startswith("snapshots/"):
        fits = bool((block.tells & (quarantined | (block.action == _ADD))).all())
    else:
        fits = not bool((quarantined & block.tells).any())
    if not fits:
        raise ListRefused(f"{path} has rows that do not belong in such a page.")


def _encode_core(block: Block, path: str) -> bytes:
    reasons, reason = _used(block.reasons, block.reason)
    pipelines, pipeline = _used(block.pipelines, block.pipeline)
    header = {
        "class": block.entry_class.name,
        "first": [int(block.sequence[0]), int(block.number[0])],
        "path": path,
        "pipelines": pipelines,
        "reasons": reasons,
        "rows": len(block),
    }
    parts = (
        np.diff(block.sequence),
        fold(_steps(block.number.view(np.int64))),
        block.action,
        block.kind,
        reason,
        pipeline,
    )
    return _head(header) + b"".join(pack(part) for part in parts)


def _decode_core(
    path: str,
    header: dict[str, Any],
    payload: memoryview,
    entry_class: EntryClass,
    columns: Mapping[Column, Values],
) -> Block:
    rows = header["rows"]
    reasons, pipelines = _word_list(path, header["reasons"]), _word_list(path, header["pipelines"])
    steps, payload = unpack(payload, rows - 1)
    moves, payload = unpack(payload, rows - 1)
    rest = []
    for _ in range(4):
        part, payload = unpack(payload, rows)
        rest.append(part)
    action, kind, reason, pipeline = rest
    small = action.max() <= 255 and kind.max() <= 255
    if payload or not (small and _are_used(reason, reasons) and _are_used(pipeline, pipelines)):
        raise _malformed(path)
    return Block(
        entry_class,
        _running(path, header["first"], 0, steps.view(np.int64)),
        _running(path, header["first"], 1, unfold(moves)),
        action.astype(np.uint8),
        kind.astype(np.uint8),
        reason.astype(np.uint32),
        pipeline.astype(np.uint32),
        ("", *reasons),
        ("", *pipelines),
        {column: columns[column] for column in Column if column in columns},
    )


def _running(
    path: str, first: object, which: int, steps: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """Numbers from the first and the steps between them; each below 2**53, so nothing wraps."""
    if not isinstance(first, list) or len(first) != 2 or not _is_count(first[which], 2**53 - 1):
        raise _malformed(path)
    out = np.empty(len(steps) + 1, np.int64)
    out[0] = first[which]
    # 65,536 steps below 2**54 can pass 2**63; the sum in doubles shows it, within one part in 2**36
    total = np.cumsum(steps, dtype=np.float64)
    if len(steps) and (np.abs(total).max() >= 2.0**54):
        raise _malformed(path)
    np.cumsum(steps, out=out[1:])
    out[1:] += first[which]
    if (out < 1).any():
        raise _malformed(path)
    return out.view(np.uint64)


def _encode_column(values: Values, path: str) -> bytes:
    header: dict[str, object] = {
        "path": path,
        "rows": len(values.present),
        "values": int(np.count_nonzero(values.present)),
    }
    parts = [pack(values.present.view(np.uint8))]
    if values.counts is not None and values.ms is not None:
        header["frames"] = len(values.ms)
        parts.append(pack(values.counts))
        parts.append(pack(fold(_steps(values.ms.astype(np.int64), 0))))
    if values.quality is not None:
        parts.append(pack(values.quality))
    return b"".join([_head(header), *parts, np.ascontiguousarray(values.data).data])


def _decode_column(path: str, data: bytes, rows: int) -> Values:
    column = Column(path.rpartition(".")[2])
    film = column is Column.VIDEO
    header, payload = _open(path, data, {"values", "frames"} if film else {"values"})
    told, hashes = header["values"], header["frames" if film else "values"]
    fits = _is_count(told, rows) and told >= 1 and _is_count(hashes, MAX_FRAMES)
    if header["rows"] != rows or not fits:
        raise _malformed(path)
    present, payload = unpack(payload, rows)
    counts = ms = quality = None
    if film:
        counts, payload = unpack(payload, told)
        folded, payload = unpack(payload, hashes)
        ms = _times(path, unfold(folded))
    if film or column is Column.PDQ:
        quality, payload = unpack(payload, hashes)
    width = HASH_BYTES[column]
    sound = (
        present.max() <= 1
        and len(payload) == hashes * width
        and (quality is None or quality.max() <= 100)
        and (counts is None or counts.max() <= MAX_FRAMES)
    )
    if not sound:
        raise _malformed(path)
    return Values(
        present.astype(np.bool_),
        np.frombuffer(payload, np.uint8).reshape(hashes, width),
        None if quality is None else quality.astype(np.uint8),
        None if counts is None else counts.astype(np.uint32),
        ms,
    )


def _steps(numbers: npt.NDArray[np.int64], *first: int) -> npt.NDArray[np.int64]:
    """From each number to the next; from ``first`` to the first one, if it is given."""
    before = np.concatenate([np.array(first, np.int64), numbers[:-1]])
    steps: npt.NDArray[np.int64] = numbers[len(numbers) - len(before) :] - before
    return steps


def _times(path: str, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    if len(steps) and np.abs(steps).max() >= 2**32:
        raise _malformed(path)
    ms = np.cumsum(steps)
    if len(ms) and (ms.min() < 0 or ms.max() >= 2**32):
        raise _malformed(path)
    return ms.astype(np.uint32)


def _head(header: Mapping[str, object]) -> bytes:
    return _MAGIC + json.dumps(header, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _open(path: str, data: bytes, keys: set[str]) -> tuple[dict[str, Any], memoryview]:
    """The header, in its one form, and what follows it."""
    end = data.find(b"\n", len(_MAGIC), _MAX_HEADER)
    if not _PATH.fullmatch(path) or not data.startswith(_MAGIC) or end < 0:
        raise ListRefused(
            f"{path} is not a page in the form this version knows. It was not used; a newer "
            "strandline may read it."
        )
    try:
        header = json.loads(data[len(_MAGIC) : end])
        sound = isinstance(header, dict) and header.keys() == keys | {"path", "rows"}
    except (ValueError, RecursionError):
        sound = False
    if (
        not sound
        or _head(header) != data[: end + 1]
        or header["path"] != path
        or not _is_count(header["rows"], MAX_ROWS)
        or header["rows"] < 1
    ):
        raise _malformed(path)
    return header, memoryview(data)[end + 1 :]


def _class_in(path: str, header: dict[str, Any]) -> EntryClass:
    if not isinstance(header["class"], str):
        raise _malformed(path)
    entry_class = EntryClass.parse(header["class"])
    if path.split("/")[2] != entry_class.id:
        raise ListRefused(f"{path} holds entries of another class. It was not used.")
    return entry_class


def _used(
    words: tuple[str, ...], places: npt.NDArray[np.uint32]
) -> tuple[list[str], npt.NDArray[np.uint32]]:
    """The words that some row has, sorted, and each row's place among them, counted from 1."""
    used = sorted({words[place] for place in np.flatnonzero(np.bincount(places)).tolist()} - {""})
    place = {word: index for index, word in enumerate(used, 1)} | {"": 0}
    moved = np.array([place.get(word, 0) for word in words], np.uint32)
    return used, moved[places]


def _are_used(places: npt.NDArray[np.uint64], words: tuple[str, ...]) -> bool:
    """Whether rows name exactly these words: none is missing, none unused."""
    if places.max() > len(words):
        return False
    return bool(np.bincount(places.view(np.int64), minlength=len(words) + 1)[1:].all())


def _word_list(path: str, words: object) -> tuple[str, ...]:
    if not isinstance(words, list) or not all(
        isinstance(word, str) and re.fullmatch(r"[!-~]{1,60}", word) for word in words
    ):
        raise _malformed(path)
    if words != sorted(set(words)):
        raise _malformed(path)
    return tuple(words)


def _is_count(value: object, most: int) -> bool:
    # bool is an int in Python, and true is not 1 in JSON.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _malformed(path: str) -> ListRefused:
    return ListRefused(
        f"{path} is damaged: it is not in the one form that a page can have. It was not used."
    )
