"""Which column of a log is what. The usual names are known; others are mapped, `field=column`.

A member of an inner JSON object is named with a dot, `usage.input_tokens`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from iwrouting.reports.reconcile.files import BadLine, Record
from iwrouting.reports.reconcile.lines import ID, TRY, ClientLine, ProviderLine

MAX_INTEGER = 2**63 - 1

CLIENT: Mapping[str, tuple[str, ...]] = {
    "decision": ("decision", "decision_id", "x-iw-decision-id", "x_iw_decision_id", "headers.x-iw-decision-id"),
    "request": ("request", "request_id", "x-request-id", "x_request_id", "headers.x-request-id"),
    "status": ("status", "status_code", "http_status"),
    "model": ("model", "x-iw-model", "headers.x-iw-model"),
    "prompt": ("prompt_tokens", "input_tokens", "usage.prompt_tokens", "usage.input_tokens"),
    "completion": ("completion_tokens", "output_tokens", "usage.completion_tokens", "usage.output_tokens"),
    "code": ("code", "error_code", "error.code"),
    "whole": ("whole",),
    "at": ("at", "time", "timestamp", "created_at"),
}
PROVIDER: Mapping[str, tuple[str, ...]] = {
    "try": ("client_request_id", "x-client-request-id", "x_client_request_id", "headers.x-client-request-id"),
    "request": ("request_id", "x-request-id", "x_request_id", "upstream_request_id"),
    "status": ("status", "status_code", "http_status"),
    "model": ("model",),
    "prompt": ("prompt_tokens", "input_tokens", "usage.prompt_tokens", "usage.input_tokens"),
    "completion": ("completion_tokens", "output_tokens", "usage.completion_tokens", "usage.output_tokens"),
    "at": ("at", "time", "timestamp", "created_at"),
}
USAGE: Mapping[str, tuple[str, ...]] = {
    "start": ("start_time", "start_time_iso"),
    "end": ("end_time", "end_time_iso"),
    "model": ("model",),
    "requests": ("num_model_requests",),
    "prompt": ("input_tokens",),
    "cached": ("input_cached_tokens",),
    "completion": ("output_tokens",),
    "amount": ("amount.value", "amount_value"),
    "currency": ("amount.currency", "amount_currency"),
}
FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {"client": CLIENT, "provider": PROVIDER, "usage": USAGE}


class Columns:
    """The columns of one log, by field. `mapped` goes before the usual names. `seen`: the fields that had a value."""

    def __init__(self, ledger: str, mapped: Mapping[str, str]) -> None:
        self.mapped = mapped
        self.seen: set[str] = set()
        known = FIELDS[ledger]
        self._paths = {
            field: [_path(mapped[field])] if field in mapped else [_path(name) for name in names]
            for field, names in known.items()
        }

    def text(self, record: Record, field: str) -> str:
        """A field's text; empty where there is none."""
        value = self.value(record, field)
        return "" if value is None else str(value).strip()

    def number(self, record: Record, field: str) -> int | None:
        """A field's whole number; None where there is none. Raises BadLine."""
        value = self.value(record, field)
        if value is None or value == "":
            return None
        try:
            number = float(value)
            if number.is_integer() and 0 <= number <= MAX_INTEGER:
                return int(value) if isinstance(value, int) else int(number)
        except (TypeError, ValueError, OverflowError):
            pass
        raise BadLine(f"{field} {value!r:.60} is no whole number")

    def seconds(self, record: Record, field: str) -> float | None:
        """A field's time as Unix time; None where there is none. Raises BadLine."""
        found = moment(self.value(record, field), field)
        return None if found is None else found.timestamp()

    def value(self, record: Record, field: str) -> Any:
        """A field's value, from the first of its columns that the record has; None where it has none."""
        for column, path in self._paths[field]:
            found = record.get(column) if path is None else record.get(column) or _inside(record, path)
            if found is not None:
                self.seen.add(field)
                return found
        return None


def _inside(record: Record, path: tuple[str, ...]) -> Any:
    found: Any = record
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _path(column: str) -> tuple[str, tuple[str, ...] | None]:
    """A column, and the names that lead to it through inner objects."""
    return column, tuple(column.split(".")) if "." in column else None


def client_line(columns: Columns) -> Callable[[int, Record], ClientLine]:
    """What makes lines of a client's log."""

    def make(number: int, record: Record) -> ClientLine:
        decision = _dashed(columns.text(record, "decision").lower())
        if decision and not ID.fullmatch(decision):
            raise BadLine(f"{decision!r:.80} is no decision id")
        line = ClientLine(
            number,
            decision,
            columns.text(record, "request"),
            columns.number(record, "status") or None,
            columns.text(record, "model"),
            columns.number(record, "prompt"),
            columns.number(record, "completion"),
            columns.text(record, "code"),
            _flag(columns.value(record, "whole")),
            columns.seconds(record, "at"),
        )
        if not line.decision and not line.request:
            raise BadLine("it has neither a decision's id nor a request id")
        return line

    return make


def provider_line(columns: Columns) -> Callable[[int, Record], ProviderLine]:
    """What makes lines of a provider's log."""

    def make(number: int, record: Record) -> ProviderLine:
        found = TRY.fullmatch(columns.text(record, "try").lower())
        request = columns.text(record, "request")
        if not request and not columns.text(record, "try"):
            raise BadLine("it has neither the X-Client-Request-Id nor the provider's own id of the request")
        return ProviderLine(
            number,
            found[1] if found else "",
            int(found[2]) if found else 0,
            request,
            columns.number(record, "status") or None,
            columns.text(record, "model"),
            columns.number(record, "prompt"),
            columns.number(record, "completion"),
            columns.seconds(record, "at"),
        )

    return make


def client_lines(records: Iterable[Record]) -> Iterable[ClientLine]:
    """Lines of records with the usual names. Raises BadLine."""
    make = client_line(Columns("client", {}))
    return (make(number, record) for number, record in enumerate(records, 1))


def provider_lines(records: Iterable[Record]) -> Iterable[ProviderLine]:
    """Lines of records with the usual names, such as those of the sandbox's log. Raises BadLine."""
    make = provider_line(Columns("provider", {}))
    return (make(number, record) for number, record in enumerate(records, 1))


def _dashed(decision: str) -> str:
    """An id as SQLite has it, with the dashes that it has everywhere else."""
    if len(decision) != 32:
        return decision
    return "-".join((decision[:8], decision[8:12], decision[12:16], decision[16:20], decision[20:]))


def _flag(value: object) -> int | None:
    """1 for true, 0 for false, None for neither."""
    word = str(value).strip().lower()
    return 1 if word in ("true", "1", "yes") else 0 if word in ("false", "0", "no") else None


def moment(value: object, name: str) -> datetime | None:
    """A time from Unix seconds, or from ISO form, UTC where it names no zone; None for none. Raises BadLine."""
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    try:
        if text.replace(".", "", 1).isdecimal():
            return datetime.fromtimestamp(float(text), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise BadLine(f"{name} {text!r:.60} is no time: give Unix seconds, or ISO form") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
