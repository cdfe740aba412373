"""`manage.py audit_export`: what it writes in each form, going on after an id, whole files, constant memory."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iwrouting.management import exporting
from iwrouting.models import Change, Decision
from iwrouting.reports.export import walk
from iwrouting.reports.export.wide import columns_of, wide_rows
from iwrouting.types import ChangeKind, Via
from tests.api.test_decisions import AT, store_one
from tests.audit_tables import rows
from tests.commands.running import Done, run

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
BEGUN = AT - 9 * DAY


def export(*arguments: str) -> Done:
    """One run."""
    return run("audit_export", *arguments)


def lines(text: str) -> list[dict[str, Any]]:
    """Lines of JSON."""
    return [json.loads(line) for line in text.splitlines()]


def ids(done: Done) -> list[str]:
    """The decisions of an export."""
    assert done.code == 0, done.err
    return [line["decision_id"] for line in lines(done.out)]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Decisions of three days, some of one millisecond, and portions of three."""
    monkeypatch.setattr(walk, "CHUNK", 3)
    spread = [timedelta(), timedelta(), timedelta(), timedelta(), DAY, DAY, DAY * 3, DAY * 3 + timedelta(hours=1)]
    stored = [rows.decision(BEGUN + each) for each in spread]
    return sorted(str(each.pk) for each in stored)


def test_decisions__have_the_columns_and_values_of_their_view() -> None:
    row = store_one(model_asked="=1+1")
    under_way = rows.decision(AT + timedelta(seconds=1))
    first, second = lines(export("--from", "2026-11-01", "--to", "2026-12-01").out)
    assert tuple(first) == columns_of("rpt_decisions_v1")
    expected = {
        "decision_id": str(row.pk),
        "created_at": "2026-11-22T20:00:00.123Z",
        "ended_at": "2026-11-22T20:00:01.123Z",
        "is_test": False,
        "model_asked": "=1+1",
        "result": "ok_after_fallback",
        "cost_pico": 4_200_000_001,
        "cost_usd": "0.004200000001",
        "latency_ms": 812,
        "warnings": 1,
    }
    assert {name: first[name] for name in expected} == expected
    assert (second["decision_id"], second["result"], second["cost_usd"]) == (str(under_way.pk), None, None)


def test_attempts_and_fallbacks__are_those_of_the_decisions_asked_for() -> None:
    row = store_one()
    rows.attempt(store_one(project="maps", run_id="run-2"), 3, 2, model="gpt-5.1", status=500)
    attempts = lines(export("attempts", "--project", "atlas").out)
    assert [(each["decision_id"], each["seq"], each["kind"]) for each in attempts] == [
        (str(row.pk), 1, "skip"),
        (str(row.pk), 2, "call"),
    ]
    assert (attempts[0]["sent_at"], attempts[1]["sent_at"]) == (None, "2026-11-22T20:00:00.123Z")
    fallbacks = lines(export("fallbacks", "--filter", "run_id=run-2").out)
    assert [(each["model_from"], each["model_to"], each["is_served"]) for each in fallbacks] == [
        ("gpt-5.1", "gpt-4.1", False),
        ("gpt-4.1", "gpt-5.1", True),
    ]


def test_a_sheet__has_a_heading_and_no_formula() -> None:
    store_one(model_asked="@SUM(1)", run_id='a,"b')
    done = export("--format", "csv")
    [row] = csv.DictReader(io.StringIO(done.out))
    assert tuple(row) == columns_of("rpt_decisions_v1")
    assert (row["model_asked"], row["run_id"], row["is_stream"], row["first_byte_ms"]) == (
        "'@SUM(1)",
        'a,"b',
        "false",
        "",
    )


def test_names_that_callers_gave__do_not_command_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    store_one(model_asked="\x1b[2Jgone")
    shown = Terminal()
    call_command("audit_export", "--format", "csv", stdout=shown, stderr=io.StringIO())
    assert "\x1b" not in shown.getvalue()
    assert "gone" in shown.getvalue()


def test_portions__have_each_decision_once_and_a_time_is_half_open(many: list[str]) -> None:
    assert ids(export()) == many
    first, last = (Decision.objects.get(pk=many[place]).decision_at.isoformat() for place in (4, 6))
    assert ids(export("--from", first, "--to", last)) == many[4:6]
    assert ids(export("--from", last)) == many[6:]
    with CaptureQueriesContext(connection) as queries:
        assert ids(export("--to", "9999-12-31T23:59:59Z")) == many
    assert len(queries) < 200
    done = export("--to", "2026-11-01")
    assert (done.code, done.out) == (0, "")
    assert "nothing fits. Ask for another time" in done.err
    assert "nothing fits, and there is no project 'nope'" in export("--project", "nope").err


def test_going_on_after_any_decision__gives_what_is_left(many: list[str]) -> None:
    for place, each in enumerate(many):
        assert ids(export("--after", each)) == many[place + 1 :]
    assert ids(export("--after", str(rows.uuid7(BEGUN - DAY)))) == many
    assert ids(export("--after", many[0], "--from", (BEGUN + DAY / 2).isoformat())) == many[4:]
    whole = export("--format", "csv").out
    begun = export("--format", "csv", "--to", (BEGUN + DAY / 2).isoformat())
    last = begun.out.splitlines()[-1].partition(",")[0]
    assert f"({last})" in begun.err
    assert begun.out + export("--format", "csv", "--after", last).out == whole


def test_filters__are_those_of_the_list() -> None:
    named, other = store_one(alias="fast", tags='["a"]'), store_one(is_test=True)
    for arguments, found in (
        (["--alias", "fast"], [named]),
        (["--filter", "tag=a", "--filter", "result=ok_after_fallback"], [named]),
        (["--filter", "is_test=true"], [other]),
        (["--filter", "cost_pico__gte=4200000002"], []),
        (["--result", "open"], []),
    ):
        assert ids(export(*arguments)) == [str(each.pk) for each in found], arguments


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--filter", "who=me"], "who: unknown filter of decisions; known are alias"),
        (["--filter", "created_at__gte=2026-11-01"], "unknown filter"),
        (["--filter", "alias"], "must be NAME=VALUE"),
        (["--result", "fine"], "result: 'fine' is not possible. One of ok"),
        (["--after", "last"], "is no decision id"),
        (["changes", "--after", "01a2078d-8970-7908-8278-00000004360a"], "is no change"),
        (["changes", "--project", "atlas"], "project: unknown filter of changes"),
        (["changes", "--filter", "kind=nope"], "kind: 'nope' is not possible. One of "),
        (["--from", "2026-11-02", "--to", "2026-11-02"], "--to must be after --from"),
    ],
)
def test_what_is_asked_wrongly__is_refused_with_exit_code_2(arguments: list[str], told: str) -> None:
    done = export(*arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def change(name: str, number: int) -> Change:
    """A line of the change list without a revision."""
    at = AT + timedelta(seconds=number)
    return Change.objects.create(
        at=at, kind=ChangeKind.SCHEDULE, author=name, via=Via.SERVICE, reason="=It began", event=str(number)
    )


def test_changes__are_written_as_the_change_list_exports_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "CHUNK", 2)
    made = [change("ann", number) for number in range(3)] + [change("bob", 3)]
    found = lines(export("changes").out)
    assert [each["id"] for each in found[-4:]] == [str(each.pk) for each in made]
    assert (found[-1]["author"], found[-1]["rows"]) == ("bob", [])
    assert len(lines(export("changes", "--filter", "author=bob").out)) == 1
    assert len(lines(export("changes", "--after", str(made[1].pk)).out)) == 2
    assert len(lines(export("changes", "--from", made[2].at.isoformat(), "--to", made[3].at.isoformat()).out)) == 1
    sheet = list(csv.DictReader(io.StringIO(export("changes", "--format", "csv", "--filter", "author=ann").out)))
    assert [row["reason"] for row in sheet] == ["'=It began"] * 3


def broken_after(monkeypatch: pytest.MonkeyPatch, portions: int, error: BaseException) -> None:
    """Let reading break off after so many portions."""
    left = iter(range(portions))

    def breaking(*arguments: Any) -> Iterator[Any]:
        if next(left, None) is None:
            raise error
        return wide_rows(*arguments)

    monkeypatch.setattr(exporting, "wide_rows", breaking)


def test_a_file__is_whole_and_its_owners_alone(many: list[str], tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("an older one")
    done = export("--output", str(path))
    assert (done.code, done.out) == (0, "")
    assert [line["decision_id"] for line in lines(path.read_text())] == many
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_file_that_is_broken_off__leaves_the_old_one_and_says_how_to_go_on(
    many: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    path, rest = tmp_path / "out", tmp_path / "rest"
    whole = export("--format", form).out
    path.write_text("an older one")
    with monkeypatch.context() as patched:
        broken_after(patched, 2, KeyboardInterrupt())
        said = io.StringIO()
        with pytest.raises(KeyboardInterrupt):
            call_command("audit_export", "--format", form, "--output", str(path), stderr=said)
    part = tmp_path / "out.part"
    assert path.read_text() == "an older one"
    assert "Broken off after" in said.getvalue()
    last = said.getvalue().rpartition(" ")[2].strip()
    assert export("--format", form, "--after", last, "--output", str(rest)).code == 0
    assert part.read_text() + rest.read_text() == whole
    refused = export("--output", str(path))
    assert refused.code == 1
    assert f"{part} is there" in refused.err


def test_a_file_of_which_nothing_is_whole__leaves_nothing(
    many: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_after(monkeypatch, 0, OSError("the disk is gone"))
    done = export("--format", "csv", "--output", str(tmp_path / "out"))
    assert (done.code, list(tmp_path.iterdir())) == (1, [])
    assert "can't be written: the disk is gone" in done.err


def test_a_folder_that_is_not_there__is_named(tmp_path: Path) -> None:
    for name in (tmp_path / "none" / "out", tmp_path):
        done = export("--output", str(name))
        assert done.code == 1
        assert str(name) in done.err


NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) ",
    "postgresql": "WITH n AS (SELECT i FROM generate_series(1, %s) AS i) ",
}
FIRST_MS = 1_793_500_000_000
IDENT = {
    "sqlite": f"printf('%%012x7000%%016x', {FIRST_MS} + i, i)",
    "postgresql": f"(lpad(to_hex({FIRST_MS} + i), 12, '0') || '7000' || lpad(to_hex(i), 16, '0'))::uuid",
}
MADE_AT = {
    "sqlite": f"replace(strftime('%%Y-%%m-%%d %%H:%%M:%%f000', ({FIRST_MS} + i) / 1000.0, 'unixepoch'), '.000000', '')",
    "postgresql": f"to_timestamp(({FIRST_MS} + i) / 1000.0)",
}


def fill(count: int) -> None:
    """So many decisions, one a millisecond."""
    pattern = rows.decision(datetime(2020, 1, 1, tzinfo=UTC), request_id="r" * 100)
    vendor = connection.vendor
    given = {"id": IDENT[vendor], "decision_at": MADE_AT[vendor], "writer_seq": "i"}
    names = [str(field.column) for field in Decision._meta.concrete_fields]
    values = [given.get(name, f"d.{name}") for name in names]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO iwrouting_decision ({', '.join(names)}) {NUMBERS[vendor]} "  # noqa: S608 - ours
            f"SELECT {', '.join(values)} FROM iwrouting_decision AS d, n WHERE d.decision_at < '2021-01-01'",
            [count],
        )
    assert Decision.objects.filter(decision_at__gt=pattern.decision_at).count() == count


class Watching(io.StringIO):
    """Counts lines, keeps none, and looks each time how much memory the process has."""

    lines = peak = 0

    def write(self, text: str) -> int:
        """One more piece."""
        self.lines += text.count("\n")
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.peak = max(self.peak, pages * os.sysconf("SC_PAGE_SIZE"))
        return len(text)


def watched(*arguments: str) -> Watching:
    """What an export took."""
    out = Watching()
    call_command("audit_export", *arguments, stdout=out, stderr=io.StringIO())
    return out


def test_memory__does_not_grow_with_what_is_written() -> None:
    many = 40_000 if connection.vendor == "sqlite" else 10_000
    fill(many)
    short = datetime.fromtimestamp((FIRST_MS + 2_001) / 1000, UTC).isoformat()
    few = watched("--from", "2026-01-01", "--to", short)
    whole = watched("--from", "2026-01-01")
    assert (few.lines, whole.lines) == (2_000, many)
    # As one list the texts of 10,000 lines alone would be 11 MB.
    assert whole.peak - few.peak < 6_000_000
