"""A provider that answers at once with fixed bytes: never the bottleneck. `python -m benchmarks.upstream PORT`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import httptools
import uvloop

ANSWER = (
    b'{"id":"chatcmpl-bench","object":"chat.completion","created":1795000000,"model":"gpt-5.1","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"' + b"Hello to everybody in this town. " * 8 + b'","refusal":null},'
    b'"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":40,"completion_tokens":60,"total_tokens":100,'
    b'"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}'
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_bench\r\ncontent-length: "
WHOLE = HEAD + str(len(ANSWER)).encode() + b"\r\n\r\n" + ANSWER


class Protocol(asyncio.Protocol):
    """Answers each request with the same bytes."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(WHOLE)


async def main(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
