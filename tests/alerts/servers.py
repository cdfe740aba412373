"""A mail server and a webhook's receiver on loopback, which keep what they are sent."""

from __future__ import annotations

import json
import socketserver
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks SMTP. `refuse` maps the first word of a command to the line that answers it instead."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.mails: list[str] = []
        self.recipients: list[str] = []
        self.logins: list[str] = []
        self.first_bytes: list[bytes] = []
        self.refuse: dict[str, str] = {}

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Smtp(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        with suppress(ConnectionError):
            self.converse()

    def converse(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline():
            self.server.first_bytes.append(line[:1])
            verb = line.decode("latin-1").strip().partition(" ")[0].upper()
            if verb in self.server.refuse:
                self.say(self.server.refuse[verb])
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.answer(verb, line.decode("latin-1").strip())

    def answer(self, verb: str, line: str) -> None:
        if verb == "EHLO":
            self.say("250-here\r\n250 AUTH PLAIN")
        elif verb == "AUTH":
            self.server.logins.append(b64decode(line.split()[-1]).decode())
            self.say("235 in")
        elif verb == "RCPT":
            self.server.recipients.append(line.partition("<")[2].partition(">")[0])
            self.say("250 ok")
        elif verb == "DATA":
            self.say("354 go on")
            self.server.mails.append(self.message())
            self.say("250 taken")
        else:
            self.say("250 ok" if verb in ("MAIL", "RSET", "NOOP") else "500 what?")

    def message(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
            lines.append(line)
        return "".join(lines)

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@dataclass(frozen=True)
class Post:
    """A request that the receiver took."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The body's members."""
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """Answers each POST with `status`, and with `location` where one is set."""

    url: str
    posts: list[Post] = field(default_factory=list)
    status: int = 200
    location: str = ""

    @property
    def states(self) -> list[tuple[str, str]]:
        """State and rule of each."""
        return [(post.told["state"], post.told["rule"]) for post in self.posts]


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A running one."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A running one."""
    kept = Receiver("")

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posts.append(Post(self.path, dict(self.headers), body))
            self.send_response(kept.status)
            if kept.location:
                self.send_header("Location", kept.location)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing to stderr."""

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        kept.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join()
