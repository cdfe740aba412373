"""How a what-if is told on a terminal: a sentence, then tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from iwrouting.management.output import as_table
from iwrouting.planning.whatif import Conflict, WhatIf
from iwrouting.planning.whatif.proposals import Proposal
from iwrouting.planning.whatif.result import Line, Money
from iwrouting.pricing import dollars
from iwrouting.snapshot.moments import moment_text

LINE = ("calls", "changed", "before", "after", "difference", "not compared")
CONFLICT = ("conflict", "model", "calls", "meaning", "newest")
UNPRICED = ("model", "calls", "why")


def sentence(found: WhatIf) -> str:
    """What it comes to."""
    total = found.total
    window = f"{moment_text(found.start)} to {moment_text(found.end)}"
    if not total.changed:
        return f"{window}: none of {total.calls} calls would change model."
    return (
        f"{window}: {total.changed} of {total.calls} calls would change model. They cost {cost(total.before)}, and "
        f"would have cost {cost(total.after)}: {signed(total.difference_pico)} over the {total.compared} calls whose "
        "cost is known on both sides."
    )


def tables(found: WhatIf, proposal: Proposal) -> Iterator[str]:
    """All tables that have rows, each with its title."""
    rows = [{"change": row.operation, "of": row.object_type, "name": row.name} for row in proposal.plan.changes]
    yield from _table("Proposed", ("change", "of", "name"), rows)
    aliases = {(name or "(a model id)",): line for name, line in found.by_alias.items()}
    models = {(old or "(refused)", new or "(refused)"): line for (old, new), line in found.by_model.items()}
    yield from _lines("By alias", ("alias",), aliases)
    yield from _lines("By project", ("project",), {(name,): line for name, line in found.by_project.items()})
    yield from _lines("By model", ("model before", "model after"), models)
    yield from _table("Conflicts", CONFLICT, [_conflict(each) for each in found.conflicts])
    unpriced = [{"model": each.model, "calls": each.calls, "why": each.told} for each in found.unpriced]
    yield from _table("Not priced after", UNPRICED, unpriced)


def _conflict(found: Conflict) -> dict[str, Any]:
    row = {"conflict": found.kind, "model": found.model, "calls": found.calls, "meaning": found.told}
    return {**row, "newest": found.examples[:1]}


def cost(money: Money) -> str:
    """A cost with what is not in it."""
    more = [f"{count} {name}" for name, count in _apart(money) if count]
    return f"${dollars(money.cost_pico)}" + (f" ({', '.join(more)})" if more else "")


def signed(pico: int) -> str:
    """A difference in dollars with its sign."""
    return f"{'-' if pico < 0 else '+'}${dollars(abs(pico))}"


def _apart(money: Money) -> tuple[tuple[str, int], ...]:
    return ("estimated", money.estimated), ("not priced", money.unpriced), ("not sent", money.none)


def _lines(title: str, names: tuple[str, ...], lines: Mapping[Any, Line]) -> Iterator[str]:
    rows = [
        {
            **dict(zip(names, place, strict=True)),
            "calls": line.calls,
            "changed": line.changed,
            "before": cost(line.before),
            "after": cost(line.after),
            "difference": signed(line.difference_pico),
            "not compared": line.changed - line.compared,
        }
        for place, line in lines.items()
    ]
    yield from _table(title, (*names, *LINE), rows)


def _table(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Iterator[str]:
    if rows:
        yield f"{title}\n{as_table(columns, rows)}\n"
