"""Months made ahead, the alarm of the default partition, and `partitions drain`: no row is lost or changed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from iwrouting.audit.keeping import partitions, patience
from iwrouting.audit.keeping.tables import TABLES
from iwrouting.conf import points
from tests.tamper.chains import Chain
from tests.tamper.verified import found, verify
from tests.upkeep import story
from tests.upkeep.databases import killed_at, link
from tests.upkeep.writing import writing

pytestmark = pytest.mark.usefixtures("own")
drain = partial(call_command, "partitions", "drain", yes=True, format="json")


def places(table: str) -> dict[str, int]:
    return dict(story.run(f"SELECT tableoid::regclass::text, count(*) FROM {table} GROUP BY 1"))  # noqa: S608


def test_make__months_are_missing__makes_them_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("partitions", "make", months=14, dry_run=True, format="json")
    assert len(json.loads(capsys.readouterr().out)["partitions"]) == 6
    call_command("partitions", "make", months=14, format="json")
    made = {each["partition"] for each in json.loads(capsys.readouterr().out)["partitions"]}
    assert made == {f"{table}_y{story.month(ahead):%Ym%m}" for table in TABLES for ahead in (13, 14)}
    assert partitions.make_months(14) == partitions.Made((), ())


def test_make__default_holds_rows_of_the_month__makes_the_others_and_says_so() -> None:
    story.calls(story.month(13), 1)
    with pytest.raises(CommandError, match="not made, the default partition holds rows of it") as raised:
        call_command("partitions", "make", months=14)
    assert raised.value.returncode == 3
    assert partitions.missing_months(14) == [(table, story.month(13)) for table in TABLES]


def test_list__default_holds_rows__is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("partitions", "list", format="json")
    assert json.loads(capsys.readouterr().out)["default_rows"] == story.each(0)
    story.calls(story.FAR, 2)
    with pytest.raises(CommandError, match="Default partitions hold rows: 2 of iwrouting_decision") as raised:
        call_command("partitions", "list", format="json")
    assert raised.value.returncode == 3
    listed = json.loads(capsys.readouterr().out)["partitions"]
    assert {each["table"]: each["rows"] for each in listed if each["month"] == "default"} == story.each(2)
    assert partitions.default_rows(1) == story.each(1)


def test_drain__rows_of_two_months__moves_every_byte(capsys: pytest.CaptureFixture[str]) -> None:
    story.calls(story.FAR, 3)
    story.calls(date(1999, 12, 1), 2)
    story.calls(story.month(0), 1)
    before = story.contents()
    with pytest.raises(CommandError, match="15 rows would be moved") as raised:
        call_command("partitions", "drain", dry_run=True)
    assert raised.value.returncode == 3
    capsys.readouterr()
    drain()
    moved = json.loads(capsys.readouterr().out)["partitions"]
    assert [(each["month"], each["rows"]) for each in moved] == [("1999-12", 2), ("2090-03", 3)] * 3
    assert story.contents() == before
    for table in TABLES:
        assert places(table) == {
            f"{table}_y2090m03": 3,
            f"{table}_y1999m12": 2,
            f"{table}_y{story.month(0):%Ym%m}": 1,
        }
    assert partitions.default_rows() == story.each(0)
    drain()
    assert "Nothing to move" in capsys.readouterr().err


def test_drain__columns_of_a_later_release__are_moved_too() -> None:
    story.calls(story.FAR, 1)
    story.calls(date(1999, 12, 1), 1)
    story.run("ALTER TABLE iwrouting_outcome ADD COLUMN added_later varchar(9) NOT NULL DEFAULT 'of then'")
    story.run("ALTER TABLE iwrouting_outcome ALTER COLUMN added_later SET DEFAULT 'of now'")
    try:
        drain()
        assert story.run("SELECT added_later FROM iwrouting_outcome") == [("of then",)] * 2
    finally:
        story.run("ALTER TABLE iwrouting_outcome DROP COLUMN added_later")


@pytest.mark.parametrize("days", [[story.FAR], [story.FAR, date(1999, 12, 1)]])
def test_drain__rows_of_a_chain__it_verifies_before_and_after(days: list[date]) -> None:
    chain = Chain()
    for day in days:
        chain.at = datetime(day.year, day.month, 2, tzinfo=UTC)
        chain.calls(2)
    chain.tell()
    before = verify()
    drain()
    after = verify()
    assert (found(before), found(after)) == ([], [])
    assert before.rows == after.rows == 8 * len(days)


@pytest.mark.parametrize("of", ["default", "y2090m03"])
def test_drain__what_it_made__is_guarded(of: str) -> None:
    story.calls(story.FAR, 1)
    drain()
    story.calls(date(2095, 1, 1), 1)
    for table in TABLES:
        for statement in ("UPDATE {} SET writer_id = 'x'", "DELETE FROM {}", "TRUNCATE {}"):
            with pytest.raises(IntegrityError, match="audit rows are insert-only"):
                story.run(statement.format(f"{table}_{of}"))


@pytest.mark.parametrize("point", ["partitions.before_move", "partitions.after_move"])
def test_drain__killed_on_the_way__has_changed_nothing_and_ends_the_next_time(point: str) -> None:
    story.calls(story.FAR, 2)
    before = story.contents()
    killed_at(point, partitions.drain)
    assert story.contents() == before
    assert partitions.default_rows() == story.each(2)
    points.arm(points.read_plan(f"{point}=raise"))
    with pytest.raises(points.FaultPoint):
        partitions.drain()
    assert partitions.default_rows() == story.each(2)
    points.arm({})
    drain()
    assert story.contents() == before
    assert partitions.default_rows() == story.each(0)


def test_drain__rows_keep_coming__all_are_there(own: str) -> None:
    story.calls(story.FAR, 100)
    with writing(own) as writer:
        writer.wait_for(5)
        drain()
        writer.wait_for(5)
    assert story.counts() == {**story.each(100), "iwrouting_outcome": 100 + len(writer.waits)}
    assert partitions.default_rows() == story.each(0)


def test_drain__a_reader_does_not_end__gives_up_in_time_and_changes_nothing(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.calls(story.FAR, 1)
    monkeypatch.setattr(patience, "TRIES", 2)
    with link(own, autocommit=False, application_name="a long report") as reader:
        reader.execute(b"SELECT count(*) FROM iwrouting_decision")
        with pytest.raises(CommandError, match=r"2 times they .*'a long report'.* Try again later") as raised:
            drain()
    assert raised.value.returncode == 4
    assert partitions.default_rows() == story.each(1)
    drain()
