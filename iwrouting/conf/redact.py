"""The one redactor: takes secrets out of any text before it leaves the process (G6)."""

from __future__ import annotations

import re

from iwrouting.conf.environment import SECRET_VARIABLE, variables

MASK = "[redacted]"
_SHAPES = re.compile(r"\b(?:sk-[A-Za-z0-9_*-]{6,}|iw_[0-9a-f]{10}_[0-9a-f]{8,})|(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}")
_extra: set[str] = set()


def remember_secret(value: str) -> None:
    """Add a secret that was read from a file, so that it is masked too."""
    if len(value) >= 8:
        _extra.add(value)


def redact(text: str) -> str:
    """The text with every known secret, and everything shaped like a key, masked."""
    for secret in _known():
        if secret in text:
            text = text.replace(secret, MASK)
    return _SHAPES.sub(MASK, text)


def _known() -> set[str]:
    values = {
        value
        for name, value in variables().items()
        if (SECRET_VARIABLE.fullmatch(name) and not name.endswith(("_URL", "_NAME"))) or name == "IW_SECRET_KEY"
    }
    return {value for value in values if len(value) >= 8} | _extra
