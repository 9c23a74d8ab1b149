"""Reading the pages that an index names: as the very files that were published, or not at all."""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator

from strandline.errors import ListRefused
from strandline.lists.published import pages
from strandline.lists.published.blocks import Block
from strandline.lists.published.index_file import PageFile


def read_blocks(read: Callable[[str], bytes], files: Iterable[PageFile]) -> Iterator[Block]:
    """One block for each page of ``files`` (all of a page next to each other), in their order.

    ``read`` gives the bytes at a path. Raises ListRefused at the first file that is not the one in
    the index.
    """
    for _, parts in itertools.groupby(files, key=lambda file: file.page):
        named = list(parts)
        data = {file.path: check_file(file, read(file.path)) for file in named}
        block = pages.decode(data)
        if len(block) != named[0].rows:
            raise ListRefused(f"{named[0].path} does not have the rows that its index gives it.")
        yield block


def check_file(file: PageFile, data: bytes) -> bytes:
    """``data``; raises ListRefused unless it is the file that the index names."""
    if len(data) != file.size:
        raise ListRefused(
            f"{file.path} has {len(data)} bytes where its index says {file.size}. It was not used."
        )
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ListRefused(f"{file.path} is not the file that was published. It was not used.")
    return data
