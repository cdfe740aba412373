"""What becomes of the breakers, as rows of the audit. No call waits for them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from iwrouting.audit import BREAKER, Row, Writer, finish_row, new_id
from iwrouting.conf import Settings
from iwrouting.dispatch import Breakers, Limits, Transition
from iwrouting.dispatch.breaker import State
from iwrouting.errors import AuditUnavailable
from iwrouting.meters import Meters, names

log = logging.getLogger(__name__)
PATIENCE_S = 60.0


def make_breakers(conf: Settings, writer: Writer, meters: Meters, knows: Callable[[str], bool]) -> Breakers:
    """The breakers of a worker, with the deployment's limits; what becomes of them is counted, and queued to its
    writer. `knows`: whether a model is one of the configuration's, and not merely of a caller's.
    """
    limits = Limits(conf.breaker_failures, conf.breaker_open_s, conf.breaker_open_max_s, conf.breaker_gone_s)
    return Breakers(limits, recorder(writer, meters, knows))


def recorder(writer: Writer, meters: Meters, knows: Callable[[str], bool]) -> Callable[[Transition], None]:
    """What stores each transition without waiting. A full queue loses the row, not the line in the log."""

    def record(transition: Transition) -> None:
        target = transition.target
        _count(transition, meters, knows)
        log.warning(
            "breaker of %s %s: %s to %s (%s)",
            target.upstream, target.model or "(account)", transition.before, transition.state, transition.reason,
        )  # fmt: skip
        try:
            writer.submit([(BREAKER, transition_row(transition))], patience_s=PATIENCE_S, keep=True)
        except AuditUnavailable:
            log.error("that transition was not stored: the audit's queue takes nothing more")

    return record


def _count(transition: Transition, meters: Meters, knows: Callable[[str], bool]) -> None:
    model = transition.target.model
    labels = transition.target.upstream, model if not model or knows(model) else names.OTHER
    meters.add(names.BREAKER_TRANSITIONS, (*labels, transition.state))
    is_open, was_open = transition.state is not State.CLOSED, transition.before is not State.CLOSED
    meters.move(names.BREAKERS_OPEN, labels, is_open - was_open)


def transition_row(transition: Transition) -> Row:
    """A transition as stored."""
    target = transition.target
    return finish_row(
        BREAKER,
        {
            "id": new_id(),
            "at": datetime.now(UTC),
            "upstream": target.upstream,
            "model": target.model,
            "secret_ref": target.secret_ref,
            "before": transition.before.value,
            "state": transition.state.value,
            "reason": transition.reason,
            "open_ms": None if transition.open_s is None else round(transition.open_s * 1000),
            "decision_id": transition.decision_id,
        },
    )
