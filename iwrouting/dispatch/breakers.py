"""The breakers of one worker: which targets are left alone for now, and when they are probed (design.md 5).

One for each (upstream, model, secret reference), and one for each (upstream, secret reference) that stands for our
account there. Only targets that failed have one, so that a healthy call costs two look-ups in an empty dict.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import NamedTuple

from iwrouting.dispatch.breaker import Breaker, Limits, State
from iwrouting.types import Configuration, ModelFacts, Rung, UpstreamFacts
from iwrouting.upstream import Failure
from iwrouting.upstream.blame import Blame, blame

PROBE = "probe"
ANSWERED = "answered"
CHANGED = "configuration_changed"


Facts = tuple[UpstreamFacts | None, ModelFacts | None, datetime | None]


class Target(NamedTuple):
    """What a breaker stands for; `model` is empty for an account."""

    upstream: str
    model: str
    secret_ref: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A breaker went from one state to another; `open_s` is for how long it opened, None where it did not."""

    target: Target
    before: State
    state: State
    reason: str
    open_s: float | None
    decision_id: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A target that may not be tried until `until`, for `reason`; `failure` is the account's, which ends a call."""

    until: float
    reason: str
    failure: Failure | None = None


@dataclass(slots=True)
class Entry:
    """A breaker, and what was configured when it was made: a change of that makes it void.

    `told` is the state that was told last: of a probe before its time only the success is.
    """

    breaker: Breaker
    facts: Facts
    told: State = State.CLOSED
    failure: Failure | None = None


@dataclass(slots=True)
class Permit:
    """Leave to try one target, for one call. The numbers are those of the probes that it is, None for none."""

    breakers: Breakers
    target: Target
    config: Configuration
    decision_id: str
    hurried: bool
    probe: int | None = None
    account_probe: int | None = None

    @property
    def is_probe(self) -> bool:
        """Whether this call is to find out if its target is well again."""
        return self.probe is not None or self.account_probe is not None

    def served(self) -> None:
        """The target answered as whole."""
        self.breakers.succeed(self)

    def started(self) -> None:
        """The target began to answer: good enough for a probe, but no end of its failures."""
        if self.is_probe:
            self.breakers.succeed(self)
            self.probe = self.account_probe = None

    def failed(self, failure: Failure) -> None:
        """The target failed for good in this call, or the request did."""
        self.breakers.fail(self, failure)

    def release(self) -> None:
        """The call is done with the target; a probe that told nothing leaves its place."""
        if self.is_probe:
            self.breakers.release(self)


class Breakers:
    """Used in the worker's event loop alone. `tell` gets each transition and must not wait."""

    def __init__(
        self,
        limits: Limits,
        tell: Callable[[Transition], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._limits = limits
        self._tell = tell
        self._clock = clock
        self._chance = chance
        self._entries: dict[Target, Entry] = {}
        self._revision = -1
        self._probes = count(1)

    def admit(
        self, config: Configuration, rung: Rung, decision_id: str, *, hurried: bool = False, early: bool = False
    ) -> Permit | Held:
        """Leave to try a rung, or until when and why not; `early`: probe it before its time.

        The permit must be released. A newer configuration voids the breakers of what it changed.
        """
        if config.revision > self._revision:
            self._adopt(config)
        permit = Permit(self, target_of(config, rung), config, decision_id, hurried)
        if self._entries and (held := self._probe(permit, early=early)):
            return held
        return permit

    def holds(self, config: Configuration, rung: Rung) -> bool:
        """Whether a rung may not be tried now."""
        return bool(self._entries) and self._held(target_of(config, rung), early=False) is not None

    def way_out(self, config: Configuration, rungs: Iterable[Rung]) -> Rung | None:
        """The rung to probe before its time where every one of them is held: the one whose time comes first.

        None where one is free, or held for the account: that no probe of a model mends.
        """
        soonest: tuple[float, Rung] | None = None
        for rung in rungs if self._entries else ():
            held = self._held(target_of(config, rung), early=False)
            if held is None or held.failure is not None:
                return None
            if soonest is None or held.until < soonest[0]:
                soonest = held.until, rung
        return soonest[1] if soonest else None

    def succeed(self, permit: Permit) -> None:
        """The target of a permit answered: its breakers close."""
        if self._entries:
            self._succeed(permit, permit.target, permit.probe)
            self._succeed(permit, account_of(permit.target), permit.account_probe)

    def fail(self, permit: Permit, failure: Failure) -> None:
        """A call failed at its target; what the target can't be blamed for counts nothing."""
        blamed = blame(failure, hurried=permit.hurried)
        if blamed is Blame.NOBODY or not self._limits.failures:
            return
        of_account = blamed in (Blame.ACCOUNT, Blame.QUOTA)
        target = account_of(permit.target) if of_account else permit.target
        entry = self._entries.get(target) or self._new(target, permit.config)
        if entry.breaker.counts(permit.account_probe if of_account else permit.probe):
            entry.failure = replace(failure, message="") if of_account else None
            entry.breaker.fail(
                self._clock(),
                failure.code or failure.type,
                jitter=self._chance(),
                base_s=self._base_s(blamed),
                wait_s=failure.retry_after_s or 0.0,
            )
            self._told(target, entry, entry.breaker.reason, permit.decision_id)

    def release(self, permit: Permit) -> None:
        """The call of a permit is done."""
        for target, probe in ((permit.target, permit.probe), (account_of(permit.target), permit.account_probe)):
            entry = self._entries.get(target) if probe is not None else None
            if entry is not None and probe is not None:
                entry.breaker.end_probe(probe)

    def standing(self) -> list[dict[str, str | float]]:
        """The breakers that are not closed, for operators: no secret and no reference to one."""
        now = self._clock()
        return [
            {
                "upstream": target.upstream,
                "model": target.model,
                "state": entry.breaker.state.value,
                "reason": entry.breaker.reason,
                "probe_in_s": math.ceil(max(0.0, entry.breaker.until - now) * 10) / 10,
            }
            for target, entry in self._entries.items()
            if entry.breaker.state is not State.CLOSED
        ]

    def _probe(self, permit: Permit, *, early: bool) -> Held | None:
        account = account_of(permit.target)
        held = self._held(permit.target, early=early)
        if held is None:
            permit.account_probe = self._begin(account, permit.decision_id)
            permit.probe = self._begin(permit.target, permit.decision_id)
        return held

    def _held(self, target: Target, *, early: bool) -> Held | None:
        for known in (account_of(target), target):
            entry = self._entries.get(known)
            if entry is None or entry.breaker.state is State.CLOSED:
                continue
            now = self._clock()
            if not entry.breaker.may_probe(now, early=early and known is target):
                return Held(max(now, entry.breaker.until), entry.breaker.reason, entry.failure)
        return None

    def _begin(self, target: Target, decision_id: str) -> int | None:
        entry = self._entries.get(target)
        if entry is None or entry.breaker.state is State.CLOSED:
            return None
        number = next(self._probes)
        entry.breaker.begin_probe(number, self._clock())
        if not entry.breaker.early:
            self._told(target, entry, PROBE, decision_id)
        return number

    def _succeed(self, permit: Permit, target: Target, probe: int | None) -> None:
        entry = self._entries.get(target)
        if entry is not None and entry.breaker.counts(probe):
            entry.breaker.succeed()
            del self._entries[target]
            self._told(target, entry, ANSWERED, permit.decision_id)

    def _new(self, target: Target, config: Configuration) -> Entry:
        entry = self._entries[target] = Entry(Breaker(self._limits), facts_now(config, target))
        return entry

    def _base_s(self, blamed: Blame) -> float | None:
        if blamed is Blame.MODEL:
            return None
        return self._limits.open_s if blamed is Blame.ACCOUNT else self._limits.gone_s

    def _adopt(self, config: Configuration) -> None:
        """Forget the breakers of targets that a newer configuration has changed."""
        self._revision = config.revision
        for target, entry in list(self._entries.items()):
            if entry.facts != facts_now(config, target):
                del self._entries[target]
                entry.breaker.succeed()
                self._told(target, entry, CHANGED, None)

    def _told(self, target: Target, entry: Entry, reason: str, decision_id: str | None) -> None:
        before, entry.told = entry.told, entry.breaker.state
        if before is entry.told:
            return
        open_s = entry.breaker.until - self._clock() if entry.told is State.OPEN else None
        self._tell(Transition(target, before, entry.told, reason, open_s, decision_id))


def target_of(config: Configuration, rung: Rung) -> Target:
    """The target that a rung tries."""
    return Target(rung.upstream, rung.model or "", config.upstreams[rung.upstream].secret_ref)


def account_of(target: Target) -> Target:
    """The account under which a target is called."""
    return Target(target.upstream, "", target.secret_ref)


def facts_now(config: Configuration, target: Target) -> Facts:
    """What a configuration says of a target: a change of it, or its row saved as it is, gives it a new chance.

    An account gets one with any model of it.
    """
    upstream, model = config.upstreams.get(target.upstream), config.models.get(target.model)
    own = config.default_upstream
    models = (
        [model] if model else [each for each in config.models.values() if (each.upstream or own) == target.upstream]
    )
    saved = (each.saved_at for each in (upstream, *models) if each is not None and each.saved_at is not None)
    return upstream, model, max(saved, default=None)
