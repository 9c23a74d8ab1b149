"""What is asked of a worker, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from strandline.errors import MediaRefused
from strandline.media.limits import Limits

T = TypeVar("T")


@dataclass(frozen=True)
class LargeFile(Generic[T]):
    """A file that is read where it lies by a worker of its own, such as a film."""

    path: Path
    #: A task of a ``FILE_TASKS`` table.
    task: str
    params: Mapping[str, Any] = field(default_factory=dict)
    #: This job's, where they differ from the sandbox's.
    limits: Limits | None = None
    #: Called with the open file in this process, while the worker reads it.
    beside: Callable[[BinaryIO], T] | None = None


@dataclass(frozen=True)
class Answer(Generic[T]):
    """Facts and blobs, or why there are none."""

    source: bytes | Path | LargeFile[T]
    facts: Mapping[str, Any] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    #: The verdict on these bytes, or what kept the file from being read.
    error: MediaRefused | OSError | None = None
    #: What ``beside`` returned for the same bytes; None where they were never read.
    beside: T | None = None

    def checked(self) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
        """Return facts and blobs, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.facts, self.blobs
