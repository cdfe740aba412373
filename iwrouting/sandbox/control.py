"""The endpoints under /_sandbox: the plan, the log in memory, and what goes on now. They need no key."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from iwrouting.sandbox.answer import Answer, refused_answer
from iwrouting.sandbox.exchange import Exchange
from iwrouting.sandbox.faults import BadPlan
from iwrouting.sandbox.plan import Plan
from iwrouting.sandbox.refusals import Refused
from iwrouting.sandbox.state import Sandbox

PREFIX = "/_sandbox/"


def controlled(sandbox: Sandbox, exchange: Exchange) -> Answer:
    """Answers one control request."""
    handlers = {
        ("GET", "plan"): show_plan,
        ("PUT", "plan"): put_plan,
        ("DELETE", "plan"): drop_plan,
        ("GET", "requests"): show_requests,
        ("GET", "state"): show_state,
    }
    handler = handlers.get((exchange.method, exchange.path.removeprefix(PREFIX)))
    if handler is None:
        known = ", ".join(f"{method} {PREFIX}{name}" for method, name in handlers)
        return refused_answer(
            Refused(404, f"No such control: {exchange.method[:16]} {exchange.path[:200]}. There are: {known}")
        )
    try:
        return handler(sandbox, exchange)
    except Refused as refused:
        return refused_answer(refused)


def show_plan(sandbox: Sandbox, _exchange: Exchange) -> Answer:
    """The plan in force with its counters."""
    return Answer(sandbox.plan.as_dict())


def put_plan(sandbox: Sandbox, exchange: Exchange) -> Answer:
    """Replaces the plan, counters at zero. Refused with 400: a wrong plan, naming the member."""
    try:
        sandbox.plan = Plan(json.loads(exchange.body))
    except BadPlan as error:
        raise Refused(400, str(error), kind="invalid_plan", param=error.where, code="invalid_plan") from None
    except (ValueError, RecursionError):
        raise Refused(400, "plan: not JSON", kind="invalid_plan", param="plan", code="invalid_plan") from None
    return show_plan(sandbox, exchange)


def drop_plan(sandbox: Sandbox, exchange: Exchange) -> Answer:
    """Goes back to no faults."""
    sandbox.plan = Plan()
    return show_plan(sandbox, exchange)


def show_requests(sandbox: Sandbox, exchange: Exchange) -> Answer:
    """The ended requests numbered above `since`."""
    since = parse_qs(exchange.query).get("since", ["0"])[-1]
    if not since.isdigit():
        raise Refused(400, f"since: expected a number, got '{since[:40]}'", param="since")
    return Answer({"requests": sandbox.log.since(int(since))})


def show_state(sandbox: Sandbox, _exchange: Exchange) -> Answer:
    """The counters."""
    return Answer(sandbox.counters.as_dict())
