"""The one redactor: takes secrets out of any text before it leaves the process (G6)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote, urlsplit

from iwrouting.conf.environment import SECRET_VARIABLE, variables

MASK = "[redacted]"
SHORTEST = 8
"""A shorter value is no key: to mask it everywhere would spoil ordinary words."""

_SHAPES = re.compile(
    r"(?<![A-Za-z])(?:"
    r"sk-[A-Za-z0-9_*-]{6,}"
    r"|iw_[0-9a-f]{10}_[0-9a-f]{8,}"
    r"|(?:sess-|gsk_|xai-|hf_|AIza)[A-Za-z0-9_-]{20,}"
    r"|AKIA[A-Z0-9]{16}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"
    r")"
)
"""Keys that show what they are: ours, and those of providers that speak this API."""

_PLACES = re.compile(
    r"((?i:bearer)(?:\s+|%20)|(?i:authorization)[\"']?\s*[:=]\s*[\"']?(?:[A-Za-z]+\s+)?"
    r"|(?i:api[-_]?key|password|passwd|secret|token)[\"']?\s*[:=]\s*[\"']?)[^\s\"'&,;\[]{8,}"
    r"|(://)[^/\s@]+(?=@)"
)
"""Where a value must be a secret, whatever it looks like: headers, parameters, the user of a URL."""

_WORD = re.compile(r"[A-Za-z0-9_.:/\[\]$@=+~-]*")
"""What codes, parameters and ids look like."""

PASSWORD_URLS = frozenset({"DATABASE_URL", "IW_EMAIL_URL"})
"""Variables that hold a URL with a password in it."""

_SECRET_NAME = re.compile(r"(?:IW|OPENAI)_(?:[A-Z0-9_]*_)?(?:KEY|SECRET|TOKEN|PASSWORD)")
_extra: set[str] = set()


def remember_secret(value: str) -> None:
    """Add a secret that was read from a file, so that it is masked too."""
    if len(value) >= SHORTEST:
        _extra.add(value)


def redact(text: str) -> str:
    """The text with every known secret, and everything shaped like a key or standing in the place of one, masked."""
    for secret in sorted(_writings(), key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _SHAPES.sub(MASK, text)
    return _PLACES.sub(lambda match: f"{match[1] or match[2]}{MASK}", text)


def word(text: str) -> str:
    """A code, name or id that a provider gave, without secrets; empty for any other text: it may quote the prompt."""
    return redact(text) if _WORD.fullmatch(text) else ""


def _writings() -> set[str]:
    """Every known secret as it is, in JSON, and in a URL."""
    known = {secret for secret in _known() if len(secret) >= SHORTEST}
    return known | {writing for secret in known for writing in _escaped(secret)}


def _escaped(secret: str) -> Iterator[str]:
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret)
    yield quote(secret, safe="")


def _known() -> Iterator[str]:
    yield from _extra
    for name, value in variables().items():
        if name in PASSWORD_URLS:
            yield from _password(value)
        elif name == "IW_ALERT_WEBHOOK_URL":
            yield from _webhook(value.strip())
        elif _SECRET_NAME.fullmatch(name) or (SECRET_VARIABLE.fullmatch(name) and not name.endswith(("_URL", "_NAME"))):
            yield value.strip()


def _webhook(url: str) -> tuple[str, ...]:
    """Who knows such an address may write to it: it is a secret, and so is what follows its host."""
    _, _, behind = url.partition("://")
    return url, behind.partition("/")[2]


def _password(url: str) -> tuple[str, ...]:
    try:
        password = urlsplit(url).password or ""
    except ValueError:
        return ()
    return password, unquote(password)
