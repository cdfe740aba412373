"""Other routing variables after a restart are one line of the change list, for each host and change."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iwrouting.conf import settings
from iwrouting.conf.environment import environment_id
from iwrouting.models import Change
from iwrouting.snapshot import environment_lines, load
from iwrouting.snapshot.environment_lines import note_environment
from iwrouting.types import EnvironmentFacts
from tests.planning.deciding import draft
from tests.planning.deciding import store as store_decision

AT = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def facts(**values: str) -> EnvironmentFacts:
    return EnvironmentFacts(environment_id(values), values)


A = facts(OPENAI_MODEL_CODE="gpt-4.1")
B = facts(OPENAI_MODEL_CODE="gpt-5.1", OPENAI_MODEL_FAST="")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    given = settings().model_copy(update={"journal_dir": tmp_path})
    monkeypatch.setattr("iwrouting.snapshot.environment_lines.settings", lambda: given)
    return tmp_path


def lose(folder: Path) -> None:
    """What becomes of a folder that does not outlive its container."""
    (folder / "environment").unlink()


def start(environment: EnvironmentFacts, host: str = "web-1", at: datetime = AT) -> None:
    note_environment(environment, host, at)


def told() -> list[tuple[str, str, str]]:
    found = [json.loads(row.details) for row in Change.objects.filter(kind="environment").order_by("id")]
    return [(each["host"], each["from"], each["to"]) for each in found]


def test_the_first_start__is_no_change() -> None:
    start(A)
    start(A)
    assert told() == []


def test_another_environment__is_told_once_variable_by_variable() -> None:
    start(A)
    for _ in range(3):
        start(B)
    assert told() == [("web-1", A.id, B.id)]
    row = Change.objects.get(kind="environment")
    assert (row.revision, row.via, row.at) == (None, "service", AT)
    assert json.loads(row.details)["changed"] == {
        "OPENAI_MODEL_CODE": ["gpt-4.1", "gpt-5.1"],
        "OPENAI_MODEL_FAST": [None, ""],
    }
    words = "OPENAI_MODEL_CODE gpt-4.1 -> gpt-5.1, OPENAI_MODEL_FAST not set -> blank"
    assert row.reason == f"web-1 began with other routing variables: {words}"


@pytest.mark.parametrize("keeps", [True, False], ids=["folder kept", "folder lost"])
def test_there_and_back__is_two_lines(folder: Path, keeps: bool) -> None:
    for environment in (A, B, A, B, B):
        start(environment)
        if not keeps and told():
            lose(folder)
    assert told() == [("web-1", A.id, B.id), ("web-1", B.id, A.id), ("web-1", A.id, B.id)]


def test_a_crash_between_line_and_file__is_neither_told_twice_nor_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start(A)
    with monkeypatch.context() as patch:
        patch.setattr(environment_lines, "_write", lambda *_: None)
        start(B)
    start(B)
    assert told() == [("web-1", A.id, B.id)]
    with monkeypatch.context() as patch:
        patch.setattr(environment_lines, "_write", lambda *_: None)
        start(A)
    start(B)
    assert told()[1:] == [("web-1", B.id, A.id), ("web-1", A.id, B.id)]


def test_a_folder_that_takes_no_file__is_told_by_the_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    start(A)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(environment_lines, "_write", full)
    for _ in range(3):
        start(B)
    assert told() == [("web-1", A.id, B.id)]


def test_two_hosts_that_differ_during_a_deploy__each_tells_its_own_change_once() -> None:
    for host in ("web-1", "web-2"):
        start(A, host)
    for _ in range(3):
        start(B, "web-1")
        start(A, "web-2")
    assert told() == [("web-1", A.id, B.id)]
    start(B, "web-2")
    assert told()[1:] == [("web-2", A.id, B.id)]


def test_containers_without_a_past__tell_a_new_environment_once_a_day(folder: Path) -> None:
    store_decision(draft(replace(load(), environment=A)))
    for number in range(4):
        start(B, f"pod-{number}")
        lose(folder)
    assert told() == [("pod-0", A.id, B.id)]
    start(A, "pod-9", AT + timedelta(days=2))
    assert told()[1:] == [("pod-9", B.id, A.id)]


def test_a_file_that_is_not_ours__counts_as_lost(folder: Path) -> None:
    start(A)
    (folder / "environment").write_bytes(b"{}")
    start(B)
    assert told() == [], "nobody knows what this host had, and there is no decision"
    start(A)
    assert told() == [("web-1", B.id, A.id)]
