"""Which alerts there are, and by what people are told of them: checked when the settings are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from iwrouting.conf.addresses import url_fault

RULES: Mapping[str, str] = {
    "database_away": "the database does not answer",
    "journal_in_use": "audit rows wait in a journal, or neither database nor journal takes them",
    "writer_silent": "a writing process gave no sign of life and nobody has closed what it left",
    "rows_lost": "a writer has dropped rows",
    "rows_quarantined": "the database refused rows for what they hold",
    "snapshot_behind": "a worker serves an old configuration",
    "changed_by_sql": "the configuration was changed by SQL, which is in force nowhere until it is adopted",
    "break_glass": "overrides are switched off on one host alone",
    "disk_low": "the disk of the journal's folder is nearly full",
    "default_partition": "rows stand in a default partition: their month has no own",
    "months_ahead": "the next month has no partition",
    "seal_overdue": "the audit was not sealed for three hours",
    "usage_behind": "usage was not summed up for three hours, although something waits",
    "dead_model": "a model is called that its provider has shut down, or does not have",
    "fallback_share": "too large a share of an alias's calls fell back",
    "upstream_quota": "an upstream refuses our account: quota spent, or key not taken",
}
"""Each rule by its name, and when it holds. docs/alerts.md says more."""

ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+")
PORTS = {"smtp": 25, "smtps": 465}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. `tls`: from the first byte (`smtps`); `starttls`: after the greeting."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    starttls: bool = False


def read_mail_server(url: str) -> MailServer:
    """The server that a URL names: `smtps://user:password@host:465`, `smtp://host:587?tls`, `smtp://localhost`.

    User and password are percent-encoded where they hold `@`, `:` or `/`. Raises ValueError, which shows none of it.
    """
    parts, port = _split(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or options.keys() - {"tls"}:
        raise ValueError("must be smtps://user:password@host:465, smtp://user:password@host:587?tls or smtp://host:25")
    server = MailServer(
        host=parts.hostname,
        port=port or (587 if options else PORTS[parts.scheme]),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=parts.scheme == "smtps",
        starttls=parts.scheme == "smtp" and "tls" in options,
    )
    if server.password and not (server.tls or server.starttls or server.host in LOOPBACK):
        raise ValueError("would send a password in the clear: use smtps://, or add ?tls")
    return server


def check_recipients(addresses: tuple[str, ...], mail_url: object) -> None:
    """Raises ValueError where one is no address, or no server is named to hand mail in at."""
    if any(not ADDRESS.fullmatch(address) for address in addresses):
        raise ValueError("must be mail addresses, separated by commas")
    if addresses and not mail_url:
        raise ValueError("needs a server to hand mail in at: set IW_EMAIL_URL")


def check_rules(names: tuple[str, ...]) -> None:
    """Raises ValueError where one is no rule."""
    if unknown := [name for name in names if name not in RULES]:
        raise ValueError(f"there is no rule {unknown[0][:40]!r}; there are {', '.join(RULES)}")


def check_webhook(url: str) -> None:
    """Raises ValueError for what is no https URL; http is taken inside a private network alone."""
    if not url:
        return
    parts, _ = _split(url)
    bare = parts._replace(query="", fragment="").geturl()
    if parts.fragment or url_fault(bare, allow_private=True):
        raise ValueError("must be a URL such as https://hooks.example.org/services/T0, without user and fragment")
    if parts.scheme == "http" and not url_fault(bare):
        raise ValueError("must begin with https: http is taken for hosts of a private network alone")


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        raise ValueError("is no URL") from None
