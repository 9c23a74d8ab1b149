"""How long a face waits for whoever talks slowly: gunicorn's threads, with a deadline.

gunicorn's threaded worker waits for the rest of a request for ever, on a thread: as many slow
visitors as there are threads would stop a face. Here a request has to arrive as a whole within
:attr:`PatientWorker.read_seconds`, however its bytes are spread, and a connection that has sent
nothing yet takes no thread at all.
"""

import errno
import socket
import time

from gunicorn.workers import gthread


class PatientSocket(socket.socket):
    """A connection on which each request has a deadline."""

    #: How long a client may take to accept a part of an answer, in seconds.
    write_seconds = 60.0
    #: On the monotonic clock.
    read_until = 0.0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """What has arrived; after the deadline the connection counts as reset by its client."""
        own = self.gettimeout()
        left = self.read_until - time.monotonic()
        if left <= 0:
            raise _late()
        try:
            self.settimeout(left if own is None else min(left, own))
            return super().recv(size, flags)
        except TimeoutError:
            raise _late() from None
        finally:
            self.settimeout(self.write_seconds if own is None else own)


def _late() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "the request came too slowly")


class PatientWorker(gthread.ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker for plain HTTP, with deadlines for reading."""

    #: From a request's first byte to its last, in seconds.
    read_seconds = 10.0

    def handle(self, conn: gthread.TConn) -> object:
        """Answer one request of a connection, on a thread."""
        if not conn.initialized and not conn.data_ready and not conn.wait_for_data(0):
            return gthread._DEFER  # noqa: SLF001 - back to the loop that waits for all of them
        if not isinstance(conn.sock, PatientSocket):
            conn.sock = PatientSocket(fileno=conn.sock.detach())
        conn.sock.read_until = time.monotonic() + self.read_seconds
        return super().handle(conn)

    def handle_error(self, _req: object, client: object, addr: object, exc: BaseException) -> None:
        """Answer what could not be read or broke; its address is not logged."""
        super().handle_error(None, client, addr, exc)
