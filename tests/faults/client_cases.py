"""The scenarios of client_rows.py and client_repeats.py in their modes, each with what it must come to."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults import client_repeats as repeats
from tests.faults import client_rows as rows
from tests.faults.client_rows import NO_ROWS, Play, Scenario
from tests.faults.modes import ALL, STREAMED, TALK

NATIVE = ("chat", "responses", "embeddings")
OK = "ok; tries 200"
BAD = "400 invalid_json"


def each(id: str, title: str, play: Play, caller: str, audit: str, modes: tuple[str, ...] = NATIVE) -> list[Scenario]:
    """One scenario in several modes."""
    return [Scenario(id, title, mode, play, caller, audit) for mode in modes]


def scenarios() -> Iterator[Scenario]:
    """All of them, in the order of the rows."""
    yield from leaving()
    yield from slow()
    yield from malformed()
    yield from sized()
    yield from steering()
    yield from each("C10", "one Idempotency-Key three times, the third with another body", repeats.same_idempotency_key,
                    "200, 200, 200", "ok, ok, ok")  # fmt: skip
    yield from each("C11", "150 calls at once of one project", repeats.many_at_once, "150 of 150 answers",
                    "150 outcomes, no other project held up", ("chat",))  # fmt: skip
    yield from each("C12", "a bad, a good and a bad request on one connection, sent at once",
                    repeats.again_after_an_error, "400, 200, 404", "ok, refused")  # fmt: skip


def leaving() -> Iterator[Scenario]:
    """C1: a caller that goes away."""
    gone = "client_closed; tries"
    yield from each("C1", "leaves before its request is whole", rows.leaves_before_the_body, "-", NO_ROWS)
    yield from each("C1", "leaves while the provider is silent", rows.leaves_while_waiting, "-",
                    f"{gone} - client_closed", ALL)  # fmt: skip
    yield from each("C1", "leaves inside the stream", rows.leaves_in_the_stream, "-",
                    f"{gone} 200 client_closed", STREAMED)  # fmt: skip
    yield from each("C1", "leaves after the last byte", rows.leaves_at_the_last_byte, "the answer", OK, ALL)


def slow() -> Iterator[Scenario]:
    """C2 and C3: a caller that does not read, or does not send."""
    yield from each("C2", "does not read its stream", rows.reads_nothing, "cut off (not whole)",
                    "client_closed client_too_slow; tries 200 client_too_slow", ("chat streamed",))  # fmt: skip
    yield from each("C3", "sends half a head", rows.sends_no_head, "408 request_timeout", NO_ROWS, ("chat",))
    yield from each("C3", "sends half a body", rows.sends_no_body, "408 request_timeout", NO_ROWS, ("chat",))


def malformed() -> Iterator[Scenario]:
    """C4 and C5: bodies that are no JSON, or odd text."""
    wrong: dict[str, Play] = {
        "not JSON": rows.with_bytes(lambda _: b"{"),
        "data after the object": rows.with_bytes(lambda body: body + b" x"),
        "NaN": rows.with_bytes(rows.with_member("temperature", "NaN")),
        "10,000 levels deep": rows.with_bytes(rows.with_member("metadata", "[" * 10_000 + "]" * 10_000)),
        "bytes that are no UTF-8": rows.with_bytes(rows.with_text(b"\xff\xfe")),
        "a lone surrogate": rows.with_bytes(rows.with_text(b"\\ud800")),
    }
    for title, play in wrong.items():
        yield from each("C5" if "surrogate" in title or "UTF" in title else "C4", title, play, BAD, NO_ROWS)
    yield from each("C4", "the same member twice", rows.with_bytes(rows.with_member("user", '"a", "user": "b"'),
                    rows=True), "the answer", OK)  # fmt: skip
    yield from each("C4", "a number over 64 bits", rows.with_bytes(rows.with_member("seed", "1" * 40)), BAD, NO_ROWS)
    for title, text in (
        ("NUL", b"a\\u0000b"),
        ("marks that turn the text", "a\u202eb".encode()),
        ("4-byte text", "🙂".encode()),
    ):
        yield from each("C5", title, rows.with_bytes(rows.with_text(text), rows=True), "the answer", OK)


def sized() -> Iterator[Scenario]:
    """C6 and C7: bodies and headers too large, or lying about it."""
    yield from each("C6", "100 MB announced", rows.too_large, "413 body_too_large", NO_ROWS)
    yield from each("C6", "2.5 MB unannounced", rows.too_large_unsaid, "413 body_too_large", NO_ROWS)
    yield from each("C6", "longer than announced", rows.shorter_than_said, "400, close", NO_ROWS)
    yield from each("C6", "20 MB packed to 20 kB", rows.zipped, BAD, NO_ROWS)
    yield from each("C7", "10,000 headers", rows.many_headers, "400, close", NO_ROWS, ("chat",))
    yield from each("C7", "two keys", rows.two_keys, "401 invalid_api_key", NO_ROWS)
    yield from each("C7", "trusted headers with underscores", rows.underscored, "the answer", OK)


def steering() -> Iterator[Scenario]:
    """C8 and C9: names that mean nothing, and attempts to choose where the call goes."""
    yield from each("C8", "unknown alias", rows.with_body(model="manger"), "404 model_not_found",
                    "refused model_not_found")  # fmt: skip
    yield from each("C8", "unknown mode", rows.with_body(model="mode:nothing"), "404 model_not_found",
                    "refused model_not_found")  # fmt: skip
    yield from each("C8", "empty model", rows.with_body(model=" "), "400 invalid_request", "refused invalid_request")
    yield from each("C8", "another project named by a key of one project", rows.with_headers(x_iw_project="elsewhere"),
                    "the answer", OK)  # fmt: skip
    for name, value in (("base_url", "http://198.51.100.7/v1"), ("api_key", "sk-other-key-0000"),
                        ("router_settings", {"fallbacks": []})):  # fmt: skip
        yield from each(
            "C9",
            f"`{name}` in the body",
            rows.with_body(**{name: value}),
            "400 unknown_parameter",
            "error unknown_parameter; tries 400 unknown_parameter",
            ("chat", "responses", "embeddings"),
        )
    yield from each(
        "C9", "a base URL and a key in headers", rows.smuggled_headers, "the answer", OK, (*TALK, "embeddings")
    )
