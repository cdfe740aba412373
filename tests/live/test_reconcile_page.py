"""docs/reconcile.md is followed to the letter: its snippet logs calls, and each of its commands compares them."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from iwrouting.reports.reconcile import FINDINGS, NOTES
from iwrouting.reports.reconcile.columns import FIELDS
from tests.live.databases import statement
from tests.live.ledger import eventually
from tests.live.live import Live
from tests.live.processes import ROOT
from tests.sandbox.raw import hello

PAGE = (ROOT / "docs" / "reconcile.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python manage\.py (audit_reconcile.*)$", PAGE, re.MULTILINE)
RUN = """
import json, sys
import django
from django.core.management import CommandError, call_command

django.setup()
for command in json.load(sys.stdin):
    try:
        call_command(*command)
        code, fault = 0, ""
    except CommandError as error:
        code, fault = error.returncode, str(error)
    print(f"\\n--- {code} {fault}")
"""
"""All commands in one process: most of what each takes is starting it."""


def log_calls(live: Live, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of all kinds; those of the page's own snippet stand in app.jsonl, and so does what else was asked."""
    monkeypatch.chdir(folder)
    snippet = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    given = snippet.replace("http://127.0.0.1:8000/v1", live.base_url).replace("iw_...", live.home.key)
    exec(compile(given, "docs/reconcile.md", "exec"), {})  # noqa: S102 - the snippet of our own page
    live.sandbox.plan([{"match": {"model": "gpt-5.1"}, "sequence": ["server_error", None], "cycle": True}])
    others = [live.chat("deep"), live.stream("fast"), live.embed(["text"] * 20)]
    live.sandbox.clear()
    with (folder / "app.jsonl").open("a") as log:
        for called in others:
            log.write(json.dumps({"x-iw-decision-id": called.headers["x-iw-decision-id"], "status": 200}) + "\n")


def write_provider(lines: list[dict[str, Any]], folder: Path) -> None:
    """The sandbox's log as it is, and as the CSV of a provider that has other names."""
    (folder / "provider.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with (folder / "calls.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["our_ref", "http_status", "model_name"])
        rows.writerows([line["client_request_id"], line["status"], line["model"]] for line in lines)


def write_usage(lines: list[dict[str, Any]], folder: Path, start: int, end: int) -> None:
    """What the organization's usage and costs would say of these requests, as pages of the API."""

    def page(*results: dict[str, Any]) -> str:
        bucket = {"object": "bucket", "start_time": start, "end_time": end, "results": list(results)}
        return json.dumps({"object": "page", "data": [bucket], "has_more": False, "next_page": None})

    sums: dict[str, Counter[str]] = {}
    for line in lines:
        if line["status"] == 200:
            usage = line["usage"]
            used = sums.setdefault(line["model"], Counter())
            used["input_tokens"] += usage["prompt_tokens"]
            used["output_tokens"] += usage.get("completion_tokens", 0)
            used["num_model_requests"] += 1
    vectors = [{"model": name, **used} for name, used in sums.items() if "embedding" in name]
    texts = [{"model": f"{name}-2025-04-14", **used} for name, used in sums.items() if "embedding" not in name]
    (folder / "usage.json").write_text(page(*texts))
    (folder / "embeddings.json").write_text(page(*vectors))
    [spent] = statement("SELECT sum(cost_pico) AS pico FROM iwrouting_outcome WHERE decision_at >= %s", as_time(start))
    (folder / "costs.json").write_text(page({"amount": {"value": int(spent["pico"]) / 1e12, "currency": "usd"}}))


def as_time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(sep=" ")


def run(live: Live, commands: list[list[str]], folder: Path) -> list[tuple[int, str]]:
    """Exit code and stdout of each."""
    env = {**live.world.env, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=folder,
        env=env,
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    parts = re.split(r"^--- (\d+) .*\n", done.stdout, flags=re.MULTILINE)
    return [(int(code), out.strip()) for out, code in zip(parts[::2], parts[1::2], strict=False)]


def test_page__is_followed_on_what_the_sandbox_saw(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A second of its own: the export's buckets begin at whole ones, and other tests have called before.
    start = ceil(time.time())
    eventually(lambda: time.time() > start, "the next second")
    log_calls(live, tmp_path, monkeypatch)
    lines, end = live.sent(), ceil(time.time()) + 1
    write_provider(lines, tmp_path)
    write_usage(lines, tmp_path, start, end)
    months = {"2026-11-01": str(start), "2026-12-01": str(end)}
    commands = [[months.get(word, word) for word in command.split()] for command in COMMANDS]
    assert len(commands) == 8
    told = run(live, commands, tmp_path)
    assert [code for code, _ in told] == [0] * 8, told
    own, client, provider, both, mapped, usage, costs, bill = (out for _, out in told)
    assert [json.loads(out)["decisions"] for out in (own, client, provider, mapped)] == [4, 4, 4, 4]
    assert json.loads(both.splitlines()[-1])["counts"] == {}
    shares = {each["model"]: each["share_percent"] for each in json.loads(usage)["sums"]}
    assert shares == {"gpt-4.1-mini": 100.0, "gpt-5.1": 100.0, "text-embedding-3-small": 100.0}
    assert [line.split()[:4] for line in costs.splitlines()[-1:]] == [["(total)", "(cost)", "100.00%", "equal"]]
    lines_of_bill = list(csv.DictReader(io.StringIO(bill)))
    assert {row["model"] for row in lines_of_bill} == {*shares, "(cost)", "(total)"}
    assert {(row["verdict"], row["share_percent"], row["reasons"]) for row in lines_of_bill} == {("equal", "100.0", "")}


def test_a_bill__of_streams_that_broke_and_tries_that_failed__has_these_as_reasons(live: Live, tmp_path: Path) -> None:
    start = ceil(time.time())
    eventually(lambda: time.time() > start, "the next second")
    live.stream("manager")
    size = live.sent()[0]["bytes_out"]
    live.sandbox.plan([{"match": {"model": "gpt-5.1"}, "fault": {"cut_after_bytes": size // 2}}])
    live.post("/v1/chat/completions", hello("manager", stream=True))
    live.sandbox.clear()
    write_usage(live.sent(), tmp_path, start, ceil(time.time()) + 1)
    [(code, out)] = run(live, [["audit_reconcile", "--usage", "usage.json", "--format", "json"]], tmp_path)
    [day, total] = json.loads(out.partition("\n---")[0])["days"]
    assert (code, day["model"], day["ours"]["requests"], day["theirs"]["requests"]) == (3, "gpt-5.1", 2, 2)
    assert [(each["code"], each["count"]) for each in day["reasons"]] == [("truncated", 1)]
    assert (day["verdict"] in ("explained", "partly"), 0 < day["share_percent"] < 100) == (True, True)
    assert total["reasons"] == day["reasons"]


def named(section: str) -> set[str]:
    """The words in backticks in the first column of the tables of a section."""
    text = PAGE.partition(section)[2].partition("\n## ")[0]
    return {word for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE) for word in re.findall(r"`(\w+)`", row)}


def test_page__has_every_code_and_every_column() -> None:
    assert named("## What it tells") == {*FINDINGS, *NOTES}
    table = PAGE.partition("## Files and columns")[2].partition("\n## ")[0]
    for fields in FIELDS.values():
        for field, columns in fields.items():
            assert f"`{field}`" in table
            lacking = [name for name in columns if name.rpartition("usage.")[2] not in table]
            assert lacking == []
