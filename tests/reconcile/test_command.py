"""`manage.py audit_reconcile`: what it tells in each form, its exit codes, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from iwrouting.management.bill_output import COLUMNS, TABLE
from iwrouting.models import Project
from iwrouting.reports.reconcile import TOTAL
from iwrouting.reports.reconcile.days import UNEXPLAINED
from iwrouting.reports.reconcile.sums import COST
from tests.reconcile.story import AT, Story


class Ran:
    """One run of the command: exit code, its words, and its output."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        self.code, self.fault = 0, ""
        try:
            call_command("audit_reconcile", "--grace", "0", *arguments)
        except CommandError as error:
            self.code, self.fault = error.returncode, str(error)
        self.out, self.words = capsys.readouterr()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def logs(story: Story, tmp_path: Path) -> tuple[str, str]:
    """The logs of one sound call and of one that the provider has twice and the client as a 404."""
    story.call()
    ident = story.call()
    story.provider[ident] *= 2
    story.client[ident] = story.client[ident]._replace(status=404)
    client, provider = tmp_path / "app.csv", tmp_path / "provider.jsonl"
    client.write_text(
        "decision,status\n" + "".join(f"{line.decision},{line.status}\n" for line in story.client.values())
    )
    tries = [line for lines in story.provider.values() for line in lines]
    records = [{"client_request_id": f"{line.decision}-{line.seq}", "status": line.status} for line in tries]
    provider.write_text("".join(json.dumps(record) + "\n" for record in records) + '{"request_id": "theirs"}\n{\n')
    return str(client), str(provider)


def test_findings__are_told_with_exit_code_3(logs: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    client, provider = logs
    ran = Ran(capsys, "--client", client, "--provider", provider, "--format", "json", "--from", "2026-11-03")
    assert (ran.code, ran.fault) == (3, "2 findings.")
    told = ran.json
    assert (told["version"], told["decisions"], told["left_off"]) == (1, 2, 0)
    assert told["counts"] == {"differs": 1, "duplicate": 1, "foreign": 1}
    assert [(each["code"], each["kind"], each["line"]) for each in told["findings"]] == [
        ("duplicate", "finding", 2),
        ("differs", "finding", 3),
    ]
    assert f"{provider}, line 5: this is not JSON" in ran.words
    assert f"{provider}: 4 lines, 1 bad. It tells request, status, try." in ran.words
    assert "1 differs: two ledgers tell different things of one call." in ran.words


def test_forms__tell_the_same(logs: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--client", logs[0], "--provider", logs[1], "--from", "2026-11-03", "--notes")
    lines = [json.loads(line) for line in Ran(capsys, *given, "--format", "jsonl").out.splitlines()]
    assert [line["kind"] for line in lines] == ["finding", "finding", "note", "summary"]
    assert lines[-1]["counts"] == {"differs": 1, "duplicate": 1, "foreign": 1}
    heading, *table = Ran(capsys, *given, "--format", "table").out.splitlines()
    assert heading.split() == ["code", "ledger", "decision", "seq", "line", "field", "ours", "theirs", "detail"]
    assert [line.split()[0] for line in table] == ["duplicate", "differs", "foreign"]
    cut = Ran(capsys, *given, "--format", "table", "--limit", "1").out.splitlines()
    assert cut[-1] == "... and 2 more: --limit, or --format jsonl"


def test_agreement__is_exit_code_0_and_names_the_span(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    story.call()
    ran = Ran(capsys, "--format", "table", "--to", "2026-11-04T00:00:00Z")
    assert (ran.code, ran.out) == (0, "")
    assert ran.words == "Compared 1 decisions, from the first to 2026-11-04T00:00:00Z.\n"


def test_usage__is_a_table_of_shares(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story.call()
    path = tmp_path / "usage.csv"
    path.write_text("start_time_iso,model,input_tokens,output_tokens,num_model_requests\n2026-11-03,gpt-4.1,20,6,2\n")
    ran = Ran(capsys, "--usage", str(path), "--format", "table")
    assert ran.code == 3
    *_, heading, day, total = ran.out.splitlines()
    assert heading.split() == [*TABLE]
    tokens = ("10", "20", "3", "6", "$0", "-", "foreign", "1")
    assert day.split() == ["2026-11-03", "gpt-4.1", "50.00%", "partly", *tokens]
    assert total.split() == ["(total)", "gpt-4.1", "50.00%", "partly", *tokens]
    assert "foreign: more requests than we sent" in ran.words
    told = Ran(capsys, "--usage", str(path), "--format", "json", "--tolerance", "50")
    assert (told.code, told.json["sums"][0]["share_percent"]) == (0, 50.0)
    assert told.json["sums"][0]["theirs"] == {
        "requests": 2,
        "input_tokens": 20,
        "cached_tokens": 0,
        "output_tokens": 6,
    }
    lines = Ran(capsys, "--usage", str(path), "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["finding", "finding", "sum", "day", "day", "summary"]


def test_a_bill__is_told_by_day_in_every_form(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story.call()
    heading = "start_time,end_time,model,input_tokens,input_cached_tokens,output_tokens,num_model_requests\n"
    first = int(AT.timestamp()) // 86_400 * 86_400
    usage, costs, again = (tmp_path / name for name in ("hours.csv", "costs.csv", "again.csv"))
    usage.write_text(f"{heading}{first + 36_000},{first + 39_600},gpt-4.1,20,4,6,1\n")
    given = ("--usage", str(usage))
    [told, total] = Ran(capsys, *given, "--format", "json").json["days"]
    assert (told["day"], told["verdict"], told["share_percent"], told["sent"]) == ("2026-11-03", UNEXPLAINED, 50.0, 1)
    assert told["ours"] == {"requests": 1, "input_tokens": 10, "cached_tokens": 0, "output_tokens": 3, "cost_usd": "0"}
    assert (told["theirs"]["cached_tokens"], told["left"]) == (4, {"input_tokens": 10, "output_tokens": 3})
    assert (total["day"], told["reasons"]) == (TOTAL, [])
    lines = Ran(capsys, *given, "--format", "jsonl").out.splitlines()
    assert {"kind": "day", **told} in [json.loads(line) for line in lines]
    ran = Ran(capsys, *given, "--format", "csv", "--zone", "Asia/Tokyo")
    [row, _] = csv.DictReader(io.StringIO(ran.out))
    assert tuple(row) == COLUMNS
    assert (ran.code, row["day"], row["input_tokens"], row["theirs_input_tokens"]) == (3, "2026-11-03", "10", "20")
    costs.write_text(f"start_time,end_time,amount_value,amount_currency\n{first},{first + 86_400},1.5,usd\n")
    [cost, *_] = Ran(capsys, *given, "--usage", str(costs), "--format", "json").json["days"]
    assert (cost["model"], cost["theirs"], cost["left"]) == (COST, {"cost_usd": "1.5"}, {"cost_usd": "1.5"})
    ran = Ran(capsys, *given, "--usage", str(costs), "--zone", "Europe/Berlin")
    assert (ran.code, "lies in two days of Europe/Berlin" in ran.fault) == (1, True)
    again.write_bytes(usage.read_bytes())
    ran = Ran(capsys, *given, "--usage", str(again))
    assert (ran.code, ran.fault) == (
        1,
        f"{usage} and {again} are the same export: give it once, or all of it counts twice.",
    )
    again.write_text(usage.read_text() + "\n")
    ran = Ran(capsys, *given, "--usage", str(again))
    assert f"{usage} and {again} both tell of 2026-11-03T10:00:00Z of gpt-4.1: both count." in ran.words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "csv"], "--format csv tells a bill by day and model: give --usage too."),
        (["--zone", "Mars"], "'Mars' is no time zone: give a name such as Europe/Berlin"),
        (["--client", "nowhere"], "There is no file nowhere."),
        (["--project", "nobody"], "There is no project 'nobody'."),
        (["--upstream", "nobody"], "There is no upstream 'nobody'. There are: environment, sandbox; where"),
        (["--map", "decision=a"], "--map 'decision=a' is not FIELD=COLUMN. Fields of the files given: none."),
        (["--from", "2026-11-02", "--to", "2026-11-01"], "--to must be after --from: there is nothing in between."),
        (["--from", "yesterday"], "time 'yesterday' is no time: give Unix seconds, or ISO form"),
    ],
)
@pytest.mark.django_db
def test_what_is_no_file_or_name__is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Project(slug="atlas", name="Atlas").save()
    ran = Ran(capsys, *arguments)
    assert message in ran.fault
    assert ran.code in (1, 2)


def test_answers_of_two_endpoints_for_the_same_days__are_no_page_fetched_twice(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story.call()
    first = int(AT.timestamp()) // 86_400 * 86_400
    given = []
    for name, model in (("completions", "gpt-4.1"), ("embeddings", "text-embedding-3-small")):
        used = {"model": model, "input_tokens": 10, "output_tokens": 3, "num_model_requests": 1}
        days = [
            {"start_time": at, "end_time": at + 86_400, "results": results}
            for at, results in ((first, [used]), (first + 86_400, []))
        ]
        (tmp_path / name).write_text(json.dumps({"object": "page", "data": days, "has_more": False}))
        given += ["--usage", str(tmp_path / name)]
    assert "both tell of" not in Ran(capsys, *given, "--format", "jsonl").words


@pytest.mark.parametrize("name", ["sandbox", "environment"])
@pytest.mark.django_db
def test_an_upstream_of_another_processs_environment__can_be_named(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Ran(capsys, "--upstream", name, "--format", "json").code == 0
