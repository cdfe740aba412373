"""The page of one decision: its parts as tables and pairs for the template, which escapes every text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.sentence import sentence
from iwrouting.admin.show import NOTHING, exact_dollars, lines, milliseconds, moment, number, value_badge
from iwrouting.models import Attempt, Decision, Outcome, QuarantinedRow

Cell = Any
Linker = Callable[[str], Cell]
RAW = ("ladder", "chain", "features", "warnings", "tags")


@dataclass(frozen=True)
class Table:
    """A table of the page; `empty` is what stands in place of no rows."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    empty: str = ""


@dataclass(frozen=True)
class Pairs:
    """Named values of the page."""

    title: str
    pairs: list[tuple[str, Cell]]


def page(
    decision: Decision,
    attempts: Sequence[Attempt],
    outcomes: Sequence[Outcome],
    quarantined: Sequence[QuarantinedRow],
    link: Linker,
) -> dict[str, Any]:
    """What the template shows. `link` turns a stored reference into a link to where it is edited."""
    outcome = shown_outcome(outcomes)
    return {
        "sentence": sentence(decision, attempts, outcome),
        "warnings": [str(text) for text in _read(decision.warnings, list)],
        "tables": [
            ladder_table(_mappings(decision.ladder), link),
            chain_table(_mappings(decision.chain)),
            _attempts(attempts),
            *_quarantine(quarantined, link),
        ],
        "outcome": _outcome(outcome, outcomes) if outcome else None,
        "pairs": [_request(decision, link), _under(decision, link), _ids(decision)],
        "raw": [(name, getattr(decision, name)) for name in RAW],
    }


def shown_outcome(outcomes: Iterable[Outcome]) -> Outcome | None:
    """The outcome that counts: the server's over the sweeper's (design.md 6)."""
    return min(outcomes, key=lambda outcome: outcome.origin, default=None)


def _read(text: str, kind: type[Any]) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return kind()
    return value if isinstance(value, kind) else kind()


def _mappings(text: str) -> list[Mapping[str, Any]]:
    return [item for item in _read(text, list) if isinstance(item, dict)]


def _text(value: object) -> str:
    return NOTHING if value in (None, "") else str(value)


def _named(value: object) -> Cell:
    return value_badge(value if isinstance(value, str) else "")


def ladder_table(steps: Iterable[Mapping[str, Any]], link: Linker) -> Table:
    """The sources that were looked at, each with a link to where it is edited."""
    rows = [
        (_named(step.get("source")), _text(step.get("value")), _named(step.get("state")), link(_text(step.get("ref"))))
        for step in steps
    ]
    return Table("Ladder", ("Source", "Value", "State", "Edit"), rows, "No ladder: nothing was resolved.")


def chain_table(rungs: Iterable[Mapping[str, Any]]) -> Table:
    """The candidates in their order, and why one is passed over."""
    rows = [
        (
            _text(rung.get("rung")),
            _text(rung.get("alias")),
            _text(rung.get("model")),
            _text(rung.get("upstream")),
            _named(rung.get("source")),
            _named(rung.get("skip")),
        )
        for rung in rungs
    ]
    return Table("Chain", ("Rung", "Alias", "Model", "Upstream", "Source", "Skip"), rows, "No chain.")


ATTEMPT_COLUMNS = (
    "#", "Kind", "Rung", "Try", "Batch", "Model", "Upstream", "Result",
    "Sent (UTC)", "First byte / end", "Bytes out / in", "Changes",
)  # fmt: skip


def _attempts(attempts: Sequence[Attempt]) -> Table:
    return Table("Attempts", ATTEMPT_COLUMNS, [_attempt(each) for each in attempts], "No attempts: nothing was sent.")


def _attempt(attempt: Attempt) -> tuple[Cell, ...]:
    model = format_html('<span class="iw-model">{}</span>{}', attempt.model, _beneath(attempt.alias))
    upstream = format_html("{}{}", _text(attempt.upstream), _beneath(attempt.upstream_request_id))
    return (
        attempt.seq,
        attempt.kind,
        attempt.rung,
        attempt.try_number,
        _text(attempt.batch),
        model,
        upstream,
        _attempt_result(attempt),
        f"{attempt.sent_at:%H:%M:%S.%f}"[:-3] if attempt.sent_at else NOTHING,
        f"{milliseconds(attempt.first_byte_us)} / {milliseconds(attempt.end_us)}",
        f"{number(attempt.bytes_sent)} / {number(attempt.bytes_received)}",
        lines(_read(attempt.changes, list)) or NOTHING,
    )


def _beneath(text: str) -> SafeString | str:
    return format_html('<br><span class="iw-quiet">{}</span>', text) if text else ""


def _attempt_result(attempt: Attempt) -> Cell:
    if attempt.kind == "skip":
        return value_badge(attempt.skip_reason)
    why = " ".join(text for text in (attempt.error_type, attempt.error_code, attempt.error_param) if text)
    wait = f"retry after {milliseconds(attempt.retry_after_ms * 1000)}" if attempt.retry_after_ms is not None else ""
    return format_html("{} {} {}", "" if attempt.status is None else attempt.status, why, wait)


QUARANTINE_COLUMNS = ("At (UTC)", "Table", "Reason", "Detail", "Writer", "No.", "Hash", "Row")


def _quarantine(rows: Sequence[QuarantinedRow], link: Linker) -> Iterator[Table]:
    """The rows of this decision that their tables did not take, where there are any."""
    if rows:
        yield Table("Quarantined rows of this decision", QUARANTINE_COLUMNS, [_kept_out(each, link) for each in rows])


def _kept_out(row: QuarantinedRow, link: Linker) -> tuple[Cell, ...]:
    place = row.writer_id, _text(row.writer_seq), _text(row.chain_hash)
    return moment(row.at), row.table_name, row.reason, _text(row.detail), *place, link(f"quarantined:{row.pk}")


def _outcome(outcome: Outcome, outcomes: Sequence[Outcome]) -> Pairs:
    error = " ".join(text for text in (outcome.error_type, outcome.error_code, outcome.error_param) if text)
    tokens = ("prompt_tokens", "cached_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens")
    pairs: list[tuple[str, Cell]] = [
        ("Result", value_badge(outcome.result)),
        ("Status to the caller", _text(outcome.status)),
        ("Error", _text(error)),
        ("Served by", _text(outcome.model_served)),
        ("At upstream", _text(outcome.upstream_served)),
        ("Endpoint", _text(outcome.endpoint_served)),
        ("Calls / fallbacks", f"{outcome.calls} / {outcome.fallbacks}"),
        ("Finish reason", _text(outcome.finish_reason)),
        *((name.replace("_", " ").capitalize(), number(getattr(outcome, name))) for name in tokens),
        ("Tokens as told by", _text(outcome.tokens_source)),
        ("Cost", _cost(outcome)),
        ("Price version", _text(outcome.price_version)),
        ("Latency", milliseconds(outcome.latency_us)),
        ("First byte", milliseconds(outcome.first_byte_us)),
        ("Own overhead", milliseconds(outcome.overhead_us)),
        ("Delivered", f"{number(outcome.bytes_delivered)} bytes, {number(outcome.chunks_delivered)} chunks"),
        ("Ended (UTC)", moment(outcome.ended_at)),
        ("Closed by", _closed_by({each.origin for each in outcomes})),
    ]
    return Pairs("Outcome", pairs)


def _closed_by(origins: set[str]) -> str:
    """Who closed it: the process that served it, or another one that found it left."""
    if "sweeper" not in origins:
        return "the server: the process that served it"
    if "server" in origins:
        return "the server. The sweeper had closed it before: the process was taken for dead, and woke again"
    return "the sweeper: the process that served it ended"


def _cost(outcome: Outcome) -> Cell:
    if outcome.cost_pico is None:
        return value_badge(outcome.cost_state)
    return format_html("{} {}", exact_dollars(outcome.cost_pico), value_badge(outcome.cost_state))


def _request(decision: Decision, link: Linker) -> Pairs:
    project = decision.project or NOTHING
    external = f" ({decision.project_external_id})" if decision.project_external_id else ""
    estimate = f"{number(decision.estimate_tokens)} tokens ({_text(decision.estimate_source)})"
    pairs: list[tuple[str, Cell]] = [
        ("At (UTC)", moment(decision.decision_at)),
        ("Project", project + external),
        ("Asked for", _text(decision.model_asked)),
        ("Alias", _text(decision.alias)),
        ("Kind", _text(decision.kind)),
        ("Inferred mode", _text(decision.inferred_mode)),
        ("Reason", link(decision.reason) or NOTHING),
        ("Features", _features(decision)),
        ("Endpoint", decision.endpoint + (", streamed" if decision.is_stream else "")),
        ("Test traffic", "yes" if decision.is_test else "no"),
        ("Estimate", estimate if decision.estimate_tokens is not None else NOTHING),
        ("Resolved to", _text(decision.model_resolved)),
        ("Source", value_badge(decision.source)),
        ("Upstream", _text(decision.upstream)),
    ]
    return Pairs("Request and decision", pairs)


def _features(decision: Decision) -> str:
    features = _read(decision.features, dict)
    return ", ".join(f"{name} {value}" for name, value in features.items()) or NOTHING


def _under(decision: Decision, link: Linker) -> Pairs:
    pairs: list[tuple[str, Cell]] = [
        ("Revision", number(decision.revision)),
        ("Environment", link(f"environment:{decision.environment_id}")),
        ("Catalogue", _text(decision.catalogue_version)),
        ("Rules of auto", _text(decision.rules_version)),
        ("App", _text(decision.app_version)),
    ]
    return Pairs("Decided under", pairs)


def _ids(decision: Decision) -> Pairs:
    tags = ", ".join(str(tag) for tag in _read(decision.tags, list))
    pairs: list[tuple[str, Cell]] = [
        ("Decision", str(decision.pk)),
        ("Request", _text(decision.request_id)),
        ("Run", _text(decision.run_id)),
        ("Tags", _text(tags)),
        ("API key", f"iw_{decision.key_id}" if decision.key_id else NOTHING),
        ("Client's retry", _text(decision.client_retry)),
        ("Writer", f"{decision.writer_id} no. {decision.writer_seq}"),
    ]
    return Pairs("Ids", pairs)
