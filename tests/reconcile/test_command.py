"""`manage.py audit_reconcile`: what it tells in each form, its exit codes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from iwrouting.models import Project
from tests.reconcile.story import Story


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
    assert ran.out.splitlines()[-1].split() == [
        "2026-11-03T00:00:00Z",
        *("gpt-4.1", "1", "2", "10", "20", "3", "6", "50.00%"),
    ]
    told = Ran(capsys, "--usage", str(path), "--format", "json", "--tolerance", "50")
    assert (told.code, told.json["sums"][0]["share_percent"]) == (0, 50.0)
    assert told.json["sums"][0]["theirs"] == {
        "requests": 2,
        "input_tokens": 20,
        "cached_tokens": 0,
        "output_tokens": 6,
    }
    lines = Ran(capsys, "--usage", str(path), "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["finding", "finding", "sum", "summary"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--client", "nowhere"], "There is no file nowhere."),
        (["--project", "nobody"], "There is no project 'nobody'."),
        (["--upstream", "nobody"], "There is no upstream 'nobody'. There are: "),
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
