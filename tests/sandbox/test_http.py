"""HTTP as clients in the wild speak it, and as none should."""

from __future__ import annotations

import time

import pytest

from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess


def test_one_connection_serves_many_requests(sandbox: SandboxProcess) -> None:
    before = sandbox.state()["connections"]
    with raw.connect(sandbox.base_url) as sock:
        for _ in range(3):
            sock.sendall(raw.request_bytes(raw.CHAT, raw.hello()))
            assert raw.receive(sock, 5).status == 200
    assert sandbox.state()["connections"] == before + 2


def test_pipelined_requests_are_answered_in_order(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"match": {"model": "gpt-5-mini"}, "fault": {"delay_ms": 200}}])
    both = raw.request_bytes(raw.CHAT, raw.hello("gpt-5-mini")) + raw.request_bytes(raw.CHAT, raw.hello("gpt-4.1"))
    with raw.connect(sandbox.base_url) as sock:
        sock.sendall(both)
        sock.settimeout(5)
        data = b""
        while data.count(b"HTTP/1.1 200") < 2 or not data.endswith(b"}"):
            data += sock.recv(65536)
    assert data.index(b'"model":"gpt-5-mini"') < data.index(b'"model":"gpt-4.1"')


def test_a_connection_lives_on_after_an_error(sandbox: SandboxProcess) -> None:
    with raw.connect(sandbox.base_url) as sock:
        sock.sendall(raw.request_bytes(raw.CHAT, b"{"))
        assert raw.receive(sock, 5).status == 400
        sock.sendall(raw.request_bytes(raw.CHAT, raw.hello()))
        assert raw.receive(sock, 5).status == 200


def test_a_body_in_chunks_and_in_small_pieces(sandbox: SandboxProcess) -> None:
    head = raw.request_bytes(raw.CHAT, None, transfer_encoding="chunked").replace(b"content-length: 0\r\n", b"")
    body = b'{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]}'
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(body[i : i + 9]), body[i : i + 9]) for i in range(0, len(body), 9))
    with raw.connect(sandbox.base_url) as sock:
        for i in range(0, len(head + chunks), 40):
            sock.sendall((head + chunks)[i : i + 40])
            time.sleep(0.001)
        sock.sendall(b"0\r\n\r\n")
        assert raw.receive(sock, 5).status == 200


def test_expect_100_continue(sandbox: SandboxProcess) -> None:
    data = raw.request_bytes(raw.CHAT, raw.hello(), expect="100-continue")
    head, _, body = data.partition(b"\r\n\r\n")
    with raw.connect(sandbox.base_url) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert raw.receive(sock, 5).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_http_1_0_gets_no_chunks_and_a_closed_connection(sandbox: SandboxProcess, stream: bool) -> None:
    data = raw.request_bytes(raw.CHAT, raw.hello(stream=stream)).replace(b"HTTP/1.1", b"HTTP/1.0")
    answer = raw.send(sandbox.base_url, data)
    assert answer.ended == "closed"
    assert "transfer-encoding" not in answer.headers
    assert answer.body.endswith(b"data: [DONE]\n\n") if stream else answer.json["choices"]


def test_connection_close_is_heeded(sandbox: SandboxProcess) -> None:
    answer = raw.post(sandbox.base_url, raw.CHAT, raw.hello(stream=True), connection="close")
    assert (answer.ended, answer.headers["connection"]) == ("closed", "close")
    assert answer.whole


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nx: " + b"y" * 300_000 + b"\r\n\r\n",
    ],
    ids=["no http", "tls", "bad length", "huge header"],
)
def test_what_is_no_http_is_a_400_and_closed(sandbox: SandboxProcess, data: bytes) -> None:
    answer = raw.send(sandbox.base_url, data)
    assert (answer.status, answer.ended) in ((400, "closed"), (400, "reset"))
    assert raw.post(sandbox.base_url, raw.CHAT, raw.hello()).status == 200


def test_a_body_over_64_mb_is_413(sandbox: SandboxProcess) -> None:
    answer = raw.post(sandbox.base_url, raw.CHAT, b" " * (64 * 1024 * 1024 + 1), wait_s=20)
    assert answer.status == 413
    assert sandbox.requests()[-1]["bytes_in"] == 64 * 1024 * 1024 + 1


def test_head_gets_no_body(sandbox: SandboxProcess) -> None:
    answer = raw.send(sandbox.base_url, raw.request_bytes("/v1/models", None, "HEAD", connection="close"))
    assert (answer.status, answer.body) == (405, b"")


def test_odd_but_legal_json_is_no_crash(sandbox: SandboxProcess) -> None:
    for body in (
        b'{"model":"gpt-4.1","model":"gpt-4.1-mini","messages":[{"role":"user","content":"a\\u0000b\\ud800"}]}',
        b'{"model":"gpt-4.1","messages":[{"role":"user","content":"x"}],"seed":' + b"9" * 400 + b"}",
        b'{"model":"gpt-4.1","messages":[{"role":"user","content":"x"}],"temperature":NaN}',
        b'{"model":"gpt-4.1","messages":[{"role":"user","content":"x"}],"metadata":'
        + b'{"a":' * 500
        + b"1"
        + b"}" * 501,
    ):
        assert raw.post(sandbox.base_url, raw.CHAT, body).status in (200, 400)
