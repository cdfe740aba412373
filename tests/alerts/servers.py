"""A mail server and a webhook's receiver on loopback, which keep what they are sent."""

from __future__ import annotations

import socketserver
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.taking import Answer, Taken, taking


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


@dataclass
class Receiver:
    """Answers each POST with `status`, and with `location` where one is set."""

    url: str
    posts: list[Taken] = field(default_factory=list)
    status: int = 200
    location: str = ""

    @property
    def states(self) -> list[tuple[str, str]]:
        """State and rule of each."""
        return [(post.json["state"], post.json["rule"]) for post in self.posts]

    def take(self, request: Taken) -> Answer:
        """Keep a request."""
        self.posts.append(request)
        return Answer(self.status, {"location": self.location} if self.location else {})


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
    with taking(kept.take) as address:
        kept.url = f"{address}/hook"
        yield kept
