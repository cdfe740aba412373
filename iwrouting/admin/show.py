"""How values look in the admin: badges with words, money, durations, times. Everything is escaped.

Units: pico-dollars for money, microseconds for durations, UTC for times.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

from iwrouting.types import CostState, Result, Source, State

BREAK = SafeString("<br>")
NOTHING = "–"  # noqa: RUF001 - a dash is what an empty cell holds
DOLLAR = 1_000_000_000_000
"""Pico-dollars in a dollar."""

TONES: dict[str, str] = {
    Source.PROJECT_OVERRIDE: "strong",
    Source.OVERRIDE: "strong",
    Source.ENVIRONMENT: "info",
    Source.DEFAULT: "plain",
    Source.EXPLICIT: "info",
    State.USED: "good",
    State.SCHEDULED: "info",
    State.UNREADABLE: "bad",
    Result.OK: "good",
    Result.OK_AFTER_FALLBACK: "warn",
    Result.ERROR: "bad",
    Result.REFUSED: "bad",
    Result.TRUNCATED: "warn",
    Result.CLIENT_CLOSED: "warn",
    Result.INTERRUPTED: "bad",
    Result.RESOLVED: "info",
    CostState.ESTIMATED: "warn",
    CostState.UNPRICED: "warn",
}
"""The colour of a value of the product's vocabulary; the word itself is always there too."""


def badge(text: object, tone: str = "plain") -> SafeString:
    """A word in a coloured frame. `tone`: plain, good, warn, bad, info or strong."""
    return format_html('<span class="iw-badge iw-{}">{}</span>', tone, text)


def value_badge(value: str) -> SafeString | str:
    """The badge of a source, a state, a result or a cost state; a dash for none."""
    return badge(value, TONES.get(value, "plain")) if value else NOTHING


def on_off(enabled: bool) -> SafeString:
    """Enabled or Disabled."""
    return badge("Enabled", "good") if enabled else badge("Disabled")


def link(url: str, text: object) -> SafeString:
    """A link inside the admin. `url` is ours; the text may be anybody's."""
    return format_html('<a href="{}">{}</a>', url, text)


def admin_url(model: str, page: str, *arguments: object) -> str:
    """The address of an admin page: `changelist`, `add`, `change`, of one of our models."""
    return reverse(f"admin:iwrouting_{model}_{page}", args=arguments)


def lines(items: Iterable[object]) -> SafeString:
    """One item a line."""
    return format_html_join(BREAK, "{}", ((item,) for item in items))


def code_list(names: Iterable[str], separator: str = ", ") -> SafeString | str:
    """Names in the order given; a dash for none."""
    return format_html_join(separator, "{}", ((name,) for name in names)) or NOTHING


def moment(at: datetime | None) -> SafeString | str:
    """A UTC time to the second, with the time from now as its tooltip."""
    if at is None:
        return NOTHING
    now = timezone.now()
    from_now = f"{timesince(at, now)} ago" if at <= now else f"in {timeuntil(at, now)}"
    return format_html(
        '<time datetime="{}" title="{}"><span>{}</span> <span>{}</span></time>',
        at.isoformat(),
        from_now.replace("\xa0", " "),
        at.strftime("%Y-%m-%d"),
        at.strftime("%H:%M:%S"),
    )


def number(value: int | None) -> str:
    """A whole number with separators."""
    return NOTHING if value is None else f"{value:,}"


def megabytes(value: int) -> str:
    """A size: bytes below a thousand, kB, MB or GB above."""
    for unit, size in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value} bytes"


def milliseconds(microseconds: int | None) -> str:
    """A duration: `812 ms`; below ten milliseconds with one decimal."""
    if microseconds is None:
        return NOTHING
    return f"{microseconds / 1000:.1f} ms" if microseconds < 10_000 else f"{round(microseconds / 1000):,} ms"


def dollars(pico: int) -> str:
    """A cost as read in a list: four decimals, two from a dollar on, and two significant digits below $0.0001."""
    value = Decimal(pico) / DOLLAR
    if pico == 0 or abs(value) >= Decimal("0.0001"):
        return f"${value:,.2f}" if abs(value) >= 1 else f"${value:.4f}"
    return f"${Decimal(f'{value:.1e}').normalize():f}"


def exact_dollars(pico: int) -> str:
    """A cost with every digit that it has."""
    text = f"{Decimal(pico).scaleb(-12):f}"
    whole, _, decimals = text.partition(".")
    return f"${whole}.{decimals.rstrip('0').ljust(2, '0')}"


def cost(pico: int | None, state: str) -> SafeString | str:
    """A cost in a list; the state in words where it is not exact, a dash where nothing was sent (G7)."""
    if state == CostState.NONE:
        return NOTHING
    if pico is None:
        return value_badge(state)
    return dollars(pico) if state == CostState.EXACT else format_html("{} {}", dollars(pico), value_badge(state))


def per_million(pico: int | None) -> str:
    """A price in dollars per 1M tokens, exact, with at least two decimals; empty for none.

    `pico` is pico-dollars a token: 1,000,000 of them are one dollar per 1M tokens.
    """
    if pico is None:
        return ""
    whole, _, decimals = f"{Decimal(pico).scaleb(-6):f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
