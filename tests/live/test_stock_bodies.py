"""Bodies for the admin and the management API stop at IW_MAX_BODY_MB, with and without a Content-Length."""

from __future__ import annotations

from tests.live.live import Live
from tests.sandbox import raw

PATH = "/api/v1/projects/p-1"


def test_declared_body_over_the_limit__is_a_413_before_it_was_read(live: Live) -> None:
    with raw.connect(live.base_url) as sock:
        sock.sendall(f"PUT {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {3 * 2**20}\r\n\r\n{{".encode())
        got = raw.receive(sock, 5)
    assert got.status == 413
    assert got.headers["connection"] == "close"


def test_chunked_body_over_the_limit__is_a_413(live: Live) -> None:
    with raw.connect(live.base_url) as sock:
        sock.sendall(f"PUT {PATH} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        for _ in range(17):
            sock.sendall(b"%x\r\n%b\r\n" % (65536, b"x" * 65536))
        got = raw.receive(sock, 5)
    assert got.status == 413
