"""A provider's bill by day and model: shares, and every difference with its reasons out of our own rows."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from iwrouting.models import Decision
from iwrouting.reports.reconcile import BadFile, Day, Export, Ledgers, Span, Used, Wanted, reconcile
from iwrouting.reports.reconcile.days import EQUAL, EXPLAINED, PARTLY, TOTAL, UNEXPLAINED
from iwrouting.reports.reconcile.reasons import MEANINGS
from iwrouting.reports.reconcile.sums import COST
from tests.audit_tables import rows
from tests.reconcile.story import Story

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 10, 31, tzinfo=UTC)
HOURS = 96
DAY = int(datetime(2026, 11, 3, tzinfo=UTC).timestamp())
WIDE = DAY + 86_400
MODELS = ("gpt-4.1", "gpt-5")
LOST = ("truncated", "client_closed", "interrupted")
TRIED = ("unanswered", "discarded")
FATES = ("counted", "counted", "counted", *LOST, *TRIED, "swept", "open", "estimated", "refused", "test")


@dataclass
class Account:
    """Calls of ours with their fates, and what the provider counts of them, by hours."""

    dice: random.Random
    zone: tzinfo
    lines: list[Used] = field(default_factory=list)
    expected: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    holds: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def day(self, at: datetime) -> str:
        return at.astimezone(self.zone).date().isoformat()

    def bills(self, at: datetime, model: str, prompt: int, completion: int) -> None:
        """The provider counts a request, under the name of a snapshot."""
        hour = int(at.timestamp()) // 3600 * 3600
        self.lines.append(Used(hour, hour + 3600, f"{model}-2025-04-14", 1, prompt, 0, completion))

    def reason(self, code: str, at: datetime, model: str) -> None:
        self.expected[self.day(at), model][code] += 1

    def call(self, fate: str, at: datetime) -> None:
        """One call with this fate."""
        model = self.dice.choice(MODELS)
        prompt, completion = self.dice.randrange(1, 500), self.dice.randrange(1, 90)
        late = at + timedelta(seconds=self.dice.choice((1, 3 * 3600)))
        made = rows.decision(at, model_resolved=model, estimate_tokens=prompt, is_test=fate == "test")
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "tokens_source": "provider"}
        getattr(self, f"_{fate}" if fate in ("swept", "open", "estimated", "refused") else f"_{self._kind(fate)}")(
            made, fate, late, model, usage
        )

    def _kind(self, fate: str) -> str:
        return "lost" if fate in LOST else "tried" if fate in TRIED else "counted"

    def _counted(self, made: Decision, fate: str, late: datetime, model: str, usage: Mapping[str, Any]) -> None:
        rows.attempt(made, 9, 0, model=model, status=200)
        rows.outcome(made, "ok", model_served=model, ended_at=late, calls=1, **usage)
        self._keeps(made.decision_at, model, usage)
        if fate == "test":
            self.reason("test", made.decision_at, model)
            return
        self.bills(late, model, usage["prompt_tokens"], usage["completion_tokens"])
        if self.day(late) != self.day(made.decision_at):
            self.reason("ends_later", made.decision_at, model)
            self.reason("began_earlier", late, model)

    def _lost(self, made: Decision, fate: str, late: datetime, model: str, usage: Mapping[str, Any]) -> None:
        rows.attempt(made, 1, 0, model=model, status=200, error_type="stream_cut")
        ours = {**usage, "tokens_source": "bytes"}
        rows.outcome(made, fate, model_served=self.dice.choice(("", model)), ended_at=late, calls=1, **ours)
        self.bills(made.decision_at, model, usage["prompt_tokens"], usage["completion_tokens"])
        self.reason(fate, made.decision_at, model)

    def _swept(self, made: Decision, fate: str, late: datetime, model: str, usage: Mapping[str, Any]) -> None:
        rows.outcome(made, "interrupted", origin="sweeper", ended_at=late)
        self.bills(made.decision_at, model, usage["prompt_tokens"], 0)
        self.reason("interrupted", made.decision_at, model)

    def _open(self, made: Decision, fate: str, late: datetime, model: str, usage: Mapping[str, Any]) -> None:
        self.bills(made.decision_at, model, usage["prompt_tokens"], 0)
        self.reason("open", made.decision_at, model)

    def _estimated(self, made: Decision, fate: str, late: datetime, model: str, usage: Mapping[str, Any]) -> None:
        rows.attempt(made, 1, 0, model=model, status=200)
        ours = {**usage, "tokens_source": "tiktoken"}
        rows.outcome(made, "ok", model_served=model, ended_at=late, calls=1, **ours)
        self.bills(made.decision_at, model, usage["prompt_tokens"], usage["completion_tokens"])
        self.reason("estimated", made.decision_at, model)

    def _tried(self, made: Decision, fate: str, late: datetime, model: str, usage: Mapping[str, Any]) -> None:
        """A try that the provider counted and we could not, and then one on another model that served."""
        other = MODELS[MODELS.index(model) - 1]
        rows.attempt(made, 1, 0, model=other, status=None if fate == "unanswered" else 200, error_type="timeout")
        self.bills(made.decision_at, other, usage["prompt_tokens"], 0)
        self.reason(fate, made.decision_at, other)
        self._counted(made, "counted", late, model, usage)

    def _refused(self, made: Decision, fate: str, late: datetime, model: str, usage: Mapping[str, Any]) -> None:
        rows.attempt(made, 1, 0, kind="skip", skip_reason="window", model=model)
        rows.attempt(made, 2, 1, model=model, status=400, error_type="invalid_request_error")
        rows.outcome(made, "error", ended_at=late, status=400, calls=1)

    def _keeps(self, at: datetime, model: str, usage: Mapping[str, Any]) -> None:
        sums = self.holds[self.day(at), model]
        sums["prompt"] += usage["prompt_tokens"]
        sums["completion"] += usage["completion_tokens"]


def bill(lines: list[Used], **options: Any) -> list[Day]:
    """What comes of comparing an export with our rows."""
    return reconcile(Ledgers(usage=Export.of(lines)), Wanted(**{"span": EVER, **options})).days


EVER = Span(BEGIN - timedelta(days=2))


def frame() -> list[Used]:
    """Hours without use, so that the export spans all of them."""
    first = int(BEGIN.timestamp())
    return [Used(first + hour * 3600, first + (hour + 1) * 3600) for hour in range(HOURS)]


def test_an_hour_in_two_days_of_a_zone__is_refused() -> None:
    with pytest.raises(BadFile, match="lies in two days of Asia/Kathmandu: fetch the export with bucket_width=1h"):
        bill([*frame(), Used(DAY + 18 * 3600, DAY + 19 * 3600, "m", 1, 1)], zone=ZoneInfo("Asia/Kathmandu"))


@pytest.mark.parametrize(("seed", "name"), [(1, "UTC"), (2, "America/New_York")])
def test_every_hole__is_explained_once_by_day_and_model(seed: int, name: str) -> None:
    zone = ZoneInfo(name)
    account = Account(random.Random(seed), zone)  # noqa: S311 - the same calls each time
    for number in range(120):
        at = BEGIN + timedelta(seconds=account.dice.randrange(HOURS * 3600 - 4 * 3600), milliseconds=number)
        account.call(account.dice.choice(FATES), at)
    days = bill([*frame(), *account.lines], zone=zone)
    told = {(each.day, each.model): each for each in days if each.day != TOTAL}
    assert {key: {code: tally.calls for code, tally in day.reasons.items()} for key, day in told.items()} == {
        key: dict(account.expected.get(key, {})) for key in told
    }
    assert set(account.expected) <= set(told)
    assert {key: (day.ours.prompt, day.ours.completion) for key, day in told.items()} == {
        key: (account.holds[key]["prompt"], account.holds[key]["completion"]) for key in told
    }
    assert {day.verdict for day in told.values()} <= {EQUAL, EXPLAINED}
    assert [day.left for day in told.values()] == [{"prompt": 0, "completion": 0}] * len(told)
    check_totals(days, account)


def check_totals(days: list[Day], account: Account) -> None:
    """The totals are the sums of the days, with each call at the edge of a day in neither."""
    totals = {each.model: each for each in days if each.day == TOTAL}
    assert set(totals) == {*MODELS, TOTAL}
    whole = totals[TOTAL]
    assert whole.theirs.tokens == sum(line.prompt + line.completion for line in account.lines)
    assert whole.ours.tokens == sum(each.total() for each in account.holds.values())
    expected: Counter[str] = sum(account.expected.values(), Counter())
    assert expected["ends_later"] == expected["began_earlier"] > 0
    del expected["ends_later"], expected["began_earlier"]
    assert {code: tally.calls for code, tally in whole.reasons.items()} == dict(expected)


def one(*lines: Used, **options: Any) -> Day:
    """The first day of an export."""
    return bill([*lines], **options)[0]


def test_a_model_that_only_they_know__and_one_that_only_we_know__are_named(story: Story) -> None:
    story.call()
    ours, theirs, *_ = bill([Used(DAY, WIDE, "gpt-9", 4, 40, 0, 8)])
    assert (ours.model, ours.verdict, [*ours.reasons]) == ("gpt-4.1", EXPLAINED, ["only_ours"])
    assert (theirs.model, theirs.verdict, theirs.share) == ("gpt-9", EXPLAINED, 0.0)
    assert theirs.reasons["only_theirs"].calls == 4


def test_requests_that_we_did_not_send__explain_in_part(story: Story) -> None:
    story.call(tries=2)
    day = one(Used(DAY, WIDE, "gpt-4.1", 5, 110, 0, 33))
    assert (day.verdict, day.sent, day.reasons["foreign"].calls) == (PARTLY, 2, 3)
    assert (day.left, round(day.share or 0, 1)) == ({"prompt": 100, "completion": 30}, 9.1)


def test_a_difference_without_any_reason__is_unexplained(story: Story) -> None:
    story.call()
    day = one(Used(DAY, WIDE, "gpt-4.1", 1, 20, 0, 3))
    assert (day.verdict, day.reasons, day.left) == (UNEXPLAINED, {}, {"prompt": 10, "completion": 0})
    assert one(Used(DAY, WIDE, "gpt-4.1", 1, 20, 0, 3), tolerance=50.0).verdict == EQUAL
    less = one(Used(DAY, WIDE, "gpt-4.1", 1, 9, 0, 3))
    assert (less.verdict, less.left) == (UNEXPLAINED, {"prompt": -1, "completion": 0})


def test_tokens_that_are_cached_there_alone__are_said(story: Story) -> None:
    story.call()
    day = one(Used(DAY, WIDE, "gpt-4.1", 1, 10, 8, 3))
    assert (day.verdict, [*day.reasons]) == (EQUAL, ["cached"])


def test_costs__have_reasons_of_their_own(story: Story) -> None:
    def closed(result: str, **values: Any) -> None:
        made = story.decision()
        rows.attempt(made, 1, 0, model="gpt-4.1", status=200)
        story.closed(made, result, calls=1, **values)

    closed("ok", cost_pico=10**12, cost_state="exact")
    closed("ok", cost_pico=None, cost_state="unpriced")
    closed("ok", cost_pico=10**11, cost_state="estimated", tokens_source="bytes")
    closed("truncated", cost_pico=None, cost_state="none", tokens_source="")
    [cost, model, *_] = bill([Used(DAY, WIDE, cost_pico=2 * 10**12), Used(DAY, WIDE, "gpt-4.1", 4, 40, 0, 12)])
    assert (cost.model, cost.ours.cost_pico, cost.theirs.cost_pico) == (COST, 11 * 10**11, 2 * 10**12)
    assert {code: tally.calls for code, tally in cost.reasons.items()} == {
        "estimated_cost": 1,
        "truncated": 1,
        "unpriced": 1,
    }
    assert (cost.verdict, round(cost.share or 0, 9)) == (PARTLY, 55.0)
    assert (model.ours.cost_pico, model.ours.prompt) == (11 * 10**11, 20)


def test_hours_of_tokens_and_days_of_costs__are_compared_by_days(story: Story) -> None:
    made = story.decision()
    rows.attempt(made, 1, 0, model="gpt-4.1", status=200)
    story.closed(made, "ok", calls=1, cost_pico=10**12, cost_state="exact")
    hour = DAY + 10 * 3600
    report = reconcile(
        Ledgers(usage=Export.of([Used(hour, hour + 3600, "gpt-4.1", 1, 10, 0, 3), Used(DAY, WIDE, cost_pico=10**12)])),
        Wanted(span=EVER),
    )
    assert (report.findings, [each.verdict for each in report.days if each.day != TOTAL]) == ([], [EQUAL, EQUAL])


def test_another_upstreams_calls__give_no_reason(story: Story) -> None:
    made = story.decision(upstream="local")
    rows.attempt(made, 1, 0, model="gpt-4.1", upstream="openai", status=None, error_type="timeout")
    rows.attempt(made, 2, 1, model="gpt-4.1", upstream="local", status=200)
    story.closed(made, "truncated", calls=2, upstream_served="local", tokens_source="")
    rows.outcome(story.decision(upstream="local"), "interrupted", origin="sweeper")
    day = one(Used(DAY, WIDE, "gpt-4.1", 1, 10, 0, 3), upstreams=frozenset(["openai"]))
    assert {code: tally.calls for code, tally in day.reasons.items()} == {"unanswered": 1}
    day = one(Used(DAY, WIDE, "gpt-4.1", 1, 10, 0, 3), upstreams=frozenset(["local"]))
    assert {code: tally.calls for code, tally in day.reasons.items()} == {"interrupted": 1, "truncated": 1}


def test_looks_at_a_stored_response__give_no_reason(story: Story) -> None:
    looked = story.decision(endpoint="responses.get")
    rows.attempt(looked, 1, 0, model="gpt-4.1", status=None, error_type="timeout")
    rows.outcome(looked, "error", calls=1)
    day = one(Used(DAY, WIDE, "gpt-4.1", 0, 1, 0))
    assert (day.sent, [*day.reasons], day.verdict) == (0, ["only_theirs"], EXPLAINED)


def test_every_reason__has_its_meaning_on_the_page() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/reconcile.md").read_text(encoding="utf-8")
    assert [code for code in MEANINGS if f"\n| `{code}` |" not in page] == []
