"""Usage exports against our outcomes: pages of the API, the dashboard's CSV, costs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from iwrouting.reports.reconcile import BadFile, Export, Ledgers, Report, UsageFile, Wanted, reconcile
from tests.audit_tables import rows
from tests.reconcile.story import AT, EVER, Story

DAY = int(datetime(2026, 11, 3, tzinfo=UTC).timestamp())
HOUR = 3600


def bucket(start: int, *results: dict[str, Any], width: int = 24 * HOUR) -> dict[str, Any]:
    return {"object": "bucket", "start_time": start, "end_time": start + width, "results": list(results)}


def used(model: str | None, prompt: int, completion: int, requests: int = 1) -> dict[str, Any]:
    told = {"object": "organization.usage.completions.result", "input_cached_tokens": 1, "project_id": None}
    return {**told, "input_tokens": prompt, "output_tokens": completion, "num_model_requests": requests, "model": model}


def page(*buckets: dict[str, Any], more: bool = False) -> str:
    return json.dumps({"object": "page", "data": list(buckets), "has_more": more, "next_page": None})


def export(folder: Path, text: str, name: str = "usage.json", **mapped: str) -> Export:
    (folder / name).write_text(text)
    return Export.of(UsageFile(folder / name, mapped).lines())


def compared(usage: Export, **options: Any) -> Report:
    return reconcile(Ledgers(usage=usage), Wanted(**{"span": EVER, **options}))


def shares(report: Report) -> list[tuple[str, str, int, int, float | None]]:
    """Bucket, model, our tokens, their tokens, our share."""
    return [(each.at, each.model, each.ours.tokens, each.theirs.tokens, each.share) for each in report.sums]


def test_day_and_model__agree_though_the_provider_names_the_snapshot(story: Story, tmp_path: Path) -> None:
    story.call()
    story.call(tries=2)
    usage = export(tmp_path, page(bucket(DAY, used("gpt-4.1-2025-04-14", 20, 6, 2))))
    report = compared(usage)
    assert (report.findings, shares(report)) == ([], [("2026-11-03T00:00:00Z", "gpt-4.1", 26, 26, 100.0)])
    assert (report.sums[0].ours.requests, report.sums[0].theirs.requests) == (2, 2)


def test_lost_usage__is_a_difference_with_its_share(story: Story, tmp_path: Path) -> None:
    story.call()
    usage = export(tmp_path, page(bucket(DAY, used("gpt-4.1", 40, 12), used("gpt-5", 5, 5))))
    report = compared(usage)
    assert [(each.field, each.ours, each.theirs, each.detail) for each in report.findings] == [
        ("prompt_tokens", 10, 40, "2026-11-03T00:00:00Z gpt-4.1"),
        ("completion_tokens", 3, 12, "2026-11-03T00:00:00Z gpt-4.1"),
        ("prompt_tokens", 0, 5, "2026-11-03T00:00:00Z gpt-5"),
        ("completion_tokens", 0, 5, "2026-11-03T00:00:00Z gpt-5"),
    ]
    assert [each.share for each in report.sums] == [25.0, 0.0]
    assert compared(usage, tolerance=100).findings == []
    assert len(compared(usage, tolerance=75).findings) == 2


def test_what_only_we_have__is_a_difference_too(story: Story, tmp_path: Path) -> None:
    story.call()
    report = compared(export(tmp_path, page(bucket(DAY))))
    assert [(each.code, each.ours, each.theirs) for each in report.findings] == [
        ("sum_differs", 10, 0),
        ("sum_differs", 3, 0),
    ]
    assert report.sums[0].share is None


def test_buckets_of_an_hour__hold_what_was_decided_in_them(story: Story, tmp_path: Path) -> None:
    for hour in (0, 1, 3, 9):
        story.at = AT + timedelta(hours=hour)
        story.call()
    ten = int(AT.timestamp())
    usage = export(tmp_path, page(*(bucket(ten + n * HOUR, used("gpt-4.1", 10, 3), width=HOUR) for n in range(3))))
    report = compared(usage)
    assert [each.share for each in report.sums] == [100.0, 100.0, 0.0]
    assert report.decisions == 4
    shorter = Export.of(UsageFile(tmp_path / "usage.json", {}).lines(), ten + HOUR, ten + 2.5 * HOUR)
    assert [each.at for each in compared(shorter).sums] == ["2026-11-03T11:00:00Z"]


def test_models_that_are_not_told_apart__are_compared_together(story: Story, tmp_path: Path) -> None:
    story.call()
    made = story.decision()
    story.closed(made, "ok", model_served="gpt-5", prompt_tokens=1, completion_tokens=1)
    assert shares(compared(export(tmp_path, page(bucket(DAY, used(None, 11, 4)))))) == [
        ("2026-11-03T00:00:00Z", "(all)", 15, 15, 100.0)
    ]


def test_other_upstreams_and_projects__are_left_out(story: Story, tmp_path: Path) -> None:
    for upstream in ("openai", "local"):
        made = story.decision(project=upstream)
        rows.attempt(made, 1, 0, model="gpt-4.1", upstream=upstream, status=200)
        story.closed(made, "ok", calls=1, upstream_served=upstream)
    usage = export(tmp_path, page(bucket(DAY, used("gpt-4.1", 10, 3))))
    assert compared(usage, upstreams=frozenset(["local"])).findings == []
    assert compared(usage, project="openai").findings == []
    assert len(compared(usage).findings) == 2


def test_background_usage_and_estimates__count_once_and_never(story: Story, tmp_path: Path) -> None:
    begun = story.decision(endpoint="responses")
    rows.attempt(begun, 1, 0, model="gpt-4.1", status=200)
    story.closed(begun, "ok", calls=1, prompt_tokens=None, completion_tokens=None, tokens_source="")
    looked = story.decision(endpoint="responses.get")
    rows.attempt(looked, 1, 0, model="gpt-4.1", status=200)
    story.closed(looked, "ok", calls=1, prompt_tokens=None, completion_tokens=None, tokens_source="")
    story.closed(story.decision(endpoint="responses.usage"), "ok")
    story.closed(story.decision(), "truncated", tokens_source="bytes")
    report = compared(export(tmp_path, page(bucket(DAY, used("gpt-4.1", 10, 3)))))
    assert report.findings == []
    assert report.sums[0].ours.requests == 1


def test_pages_and_csv__tell_the_same(tmp_path: Path) -> None:
    one, two = bucket(DAY, used("a", 1, 2)), bucket(DAY + 24 * HOUR, used("b", 3, 4), used("b", 1, 1))
    whole = export(tmp_path, page(one, two))
    assert export(tmp_path, f"{page(one, more=True)}\n{page(two)}\n").sums == whole.sums
    assert export(tmp_path, f"[{page(one)}, {page(two)}]").sums == whole.sums
    heading = "start_time,end_time,start_time_iso,end_time_iso,num_model_requests,model,input_tokens,"
    heading += "output_tokens,input_cached_tokens"
    lines = [
        f"{start},{start + 24 * HOUR},2026-11-03T00:00:00+00:00,,1.0,{model},{prompt},{completion},1"
        for start, model, prompt, completion in (
            (DAY, "a", 1, 2),
            (DAY + 24 * HOUR, "b", 3, 4),
            (DAY + 24 * HOUR, "b", 1, 1),
        )
    ]
    empty = f"{DAY + 48 * HOUR},{DAY + 72 * HOUR},,,,,,,"
    dashboard = export(tmp_path, "\n".join([heading, *lines, empty]), "usage.csv")
    assert (dashboard.sums, dashboard.width, dashboard.end) == (whole.sums, 24 * HOUR, DAY + 72 * HOUR)


def test_pages_that_are_lacking__are_said(tmp_path: Path) -> None:
    (tmp_path / "usage.json").write_text(page(bucket(DAY, used("a", 1, 2)), more=True))
    file = UsageFile(tmp_path / "usage.json", {})
    file.lines()
    assert file.more


def test_costs__are_compared_by_bucket(story: Story, tmp_path: Path) -> None:
    for pico in (1_500_000_000_000, 250_000_000_000):
        story.closed(story.decision(), "ok", cost_pico=pico)
    amounts = [{"amount": {"value": value, "currency": "usd"}, "line_item": "x"} for value in (1.5, "0.25")]
    report = compared(export(tmp_path, page(bucket(DAY, *amounts))))
    assert (report.findings, [each.share for each in report.sums]) == ([], [100.0])
    text = "start_time,end_time,amount_value,amount_currency\n" + f"{DAY},{DAY + 24 * HOUR},2.000,usd\n"
    [found] = compared(export(tmp_path, text, "costs.csv")).findings
    assert (found.field, found.ours, found.theirs) == ("cost_pico", 1_750_000_000_000, 2_000_000_000_000)


@pytest.mark.parametrize(
    ("text", "mapped", "message"),
    [
        ("{", {}, "usage is no JSON"),
        ("", {}, "has no line that can be compared"),
        ("day,tokens\n2026-11-03,4\n", {}, "it has no start of its bucket"),
        (
            "day,tokens\n2026-11-03,4\n",
            {"start": "day"},
            "tells neither tokens nor an amount. Columns found: day",
        ),
        ("day,tokens\nmonday,4\n", {"start": "day"}, "start 'monday' is no time"),
        ("start_time,amount_value,amount_currency\n1,2,eur\n", {}, "its currency is eur, and we count in usd"),
    ],
)
def test_export_that_is_none__says_what_it_lacks(
    tmp_path: Path, text: str, mapped: dict[str, str], message: str
) -> None:
    with pytest.raises(BadFile) as caught:
        export(tmp_path, text, "usage", **mapped)
    assert message in str(caught.value)


def test_export_by_mapped_columns__has_days(tmp_path: Path) -> None:
    text = "day,in,out,name\n2026-11-03,4,5,m\n"
    found = export(tmp_path, text, "usage.csv", start="day", prompt="in", completion="out", model="name")
    assert (found.width, [(key, each.tokens) for key, each in found.sums.items()]) == (24 * HOUR, [((DAY, "m"), 9)])
