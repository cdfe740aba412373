"""`audit_verify` and `audit_seal`: what they say, where, and with which exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from iwrouting.audit import ATTEMPT, DECISION
from iwrouting.audit.tamper import verifying as verifying_module
from iwrouting.audit.tamper.seals import Leaving, removal_seal
from iwrouting.audit.tamper.verifying import Verification
from iwrouting.management import chains
from iwrouting.management.commands import audit_verify
from iwrouting.models import Seal
from tests.tamper.chains import Chain, call_rows

Attack = Callable[..., int]
Said = Callable[..., tuple[int, Any, str]]
VALUE = r"iw-seal\.\d+\.\d{8}T\d{6}Z\.[0-9a-f]{64}"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs a command; gives its exit code, what it printed (JSON as values) and what it said on stderr."""

    def run(command: str, *arguments: str) -> tuple[int, Any, str]:
        code, word = 0, ""
        try:
            call_command(command, *arguments)
        except CommandError as error:
            code, word = error.returncode, str(error)
        out, err = capsys.readouterr()
        return code, json.loads(out) if out.startswith("{") else out, err + word

    return run


def test_verify__whole__says_so_with_exit_code_0(chain: Chain, said: Said) -> None:
    call_command("audit_seal")
    code, _, err = said("audit_verify", "--format", "table")
    assert (code, "12 rows of 1 writer and 1 seal are as they were written." in err) == (0, True)
    assert said("audit_verify", "--format", "json")[1]["rows"] == 12


def test_verify__times_the_wrong_way_round__are_refused(chain: Chain, said: Said) -> None:
    code, told, err = said("audit_verify", "--from", "2026-11-02", "--to", "2026-11-01")
    assert (code, told, err) == (2, "", "--to must be after --from: there is nothing in between.")


def test_verify__after_retention__says_how_many_rows_went(chain: Chain, attack: Attack, said: Said) -> None:
    removal_seal([Leaving(ATTEMPT, ATTEMPT)])
    attack(f"DELETE FROM {ATTEMPT}")  # noqa: S608
    code, told, err = said("audit_verify", "--format", "json")
    assert (code, told["sealed_away"], told["findings"]) == (0, 6, [])
    assert "6 rows were removed by retention, as its seals say." in err


def test_verify__findings__are_listed_with_exit_code_3(chain: Chain, attack: Attack, said: Said) -> None:
    attack(f"UPDATE {ATTEMPT} SET status = 500 WHERE writer_seq = 6")  # noqa: S608
    attack("DELETE FROM iwrouting_outcome WHERE writer_seq IN (8, 12)")
    code, told, err = said("audit_verify", "--format", "json")
    assert (code, told["version"], told["pending"]) == (3, 1, [])
    assert [(each["kind"], each["first"], each["last"]) for each in told["findings"]] == [
        ("edited", 6, 6),
        ("removed", 8, 8),
        ("tail", 12, 12),
    ]
    assert told["findings"][0]["table"] == ATTEMPT
    assert "3 findings: docs/tamper.md" in err
    code, table, _ = said("audit_verify", "--format", "table")
    assert code == 3
    assert re.search(rf"^edited +{chain.id} +6 +{ATTEMPT} ", table, re.M)


def test_verify__pending_alone__is_told_with_exit_code_0(chain: Chain, said: Said) -> None:
    for table, row in call_rows():
        chain.place(table, row)
    chain.tell(mode="journal", journal_bytes=5)
    code, told, err = said("audit_verify", "--format", "json")
    assert (code, told["findings"]) == (0, [])
    assert [(each["first"], each["last"]) for each in told["pending"]] == [(13, 16)]
    assert "Pending: 1 gap that a journal may still fill" in err


def test_verify__older_key_missing__says_where_to_add_it(chain: Chain, said: Said) -> None:
    chain.tell(key_id="0" * 16)
    code, told, _ = said("audit_verify", "--format", "json")
    assert (code, told["findings"][0]["kind"]) == (3, "key")


def test_verify__against_an_export__finds_the_seals_that_are_gone(chain: Chain, attack: Attack, said: Said) -> None:
    _, out, _ = said("audit_seal", "--export")
    kept = out.strip()
    assert said("audit_verify", "--against", kept)[0] == 0
    attack("DELETE FROM iwrouting_seal")
    code, told, _ = said("audit_verify", "--against", kept)
    assert (code, [each["kind"] for each in told["findings"]]) == (3, ["seal"])


@pytest.mark.parametrize("value", ["", "nonsense", "iw-seal.1.20261101T030000Z.beef"])
def test_verify__against_no_exported_value__is_refused(db: None, said: Said, value: str) -> None:
    assert "it looks like iw-seal.NUMBER.TIME.HASH" in said("audit_verify", "--against", value)[2]


def test_verify__range_and_writer__are_taken(chain: Chain, said: Said) -> None:
    assert said("audit_verify", "--from", "2026-01-01", "--to", "2200-01-01")[1]["rows"] == 12
    assert said("audit_verify", "--to", "2026-01-01")[1]["rows"] == 0
    assert said("audit_verify", "--writer", chain.id)[1]["rows"] == 12
    code, _, err = said("audit_verify", "--writer", "nobody")
    assert (code, err) == (1, "No row and no seal names the writer 'nobody'.")


def test_verify__longer_than_a_second__says_how_far_it_is(
    chain: Chain, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iwrouting.management.progress.EVERY_S", 0.0)
    monkeypatch.setattr(verifying_module, "STEP", 5)
    assert re.search(r"^9 rows of 1 writer, [\d,]+ rows/s, 0 findings\.$", said("audit_verify")[2], re.M)


@pytest.fixture
def broken_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """From now on a verification is broken off by Ctrl-C after so many steps."""
    whole = Verification.run
    monkeypatch.setattr(verifying_module, "STEP", 5)

    def after(steps: int) -> None:
        def run(self: Verification) -> Iterator[None]:
            for count, step in enumerate(whole(self)):
                yield step
                if count == steps:
                    raise KeyboardInterrupt

        monkeypatch.setattr(Verification, "run", run)

    return after


@pytest.mark.parametrize("steps", range(1, 7))
def test_verify__broken_off_anywhere__goes_on_with_what_it_had(
    chain: Chain,
    attack: Attack,
    said: Said,
    tmp_path: Path,
    broken_off: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    steps: int,
) -> None:
    for _ in range(2):
        other = Chain()
        other.calls(3)
        other.tell(ended_at=other.now())
    attack("UPDATE iwrouting_outcome SET status = 500 WHERE writer_seq IN (4, 8)")
    attack(f"DELETE FROM {DECISION} WHERE writer_seq = 9")  # noqa: S608
    state = tmp_path / "state.json"
    expected = said("audit_verify", "--format", "json")[1]
    broken_off(steps)
    with pytest.raises(KeyboardInterrupt):
        call_command("audit_verify", "--resume", str(state))
    monkeypatch.undo()
    begun = json.loads(state.read_text())["tally"]["rows"] if state.exists() else 0
    code, told, _ = said("audit_verify", "--resume", str(state), "--format", "json")
    assert code == 3
    assert {**told, "seconds": 0} == {**expected, "seconds": 0}
    assert begun < told["rows"]
    assert not state.exists()


def test_verify__state_of_other_options__is_refused(chain: Chain, said: Said, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"version": 1, "scope": {"writer": "other"}}))
    code, _, err = said("audit_verify", "--resume", str(state))
    assert (code, "is of a run with other options" in err) == (1, True)
    state.write_text("{")
    assert "can't be read" in said("audit_verify", "--resume", str(state))[2]
    state.write_text("[]")
    assert "is no state of audit_verify" in said("audit_verify", "--resume", str(state))[2]


def test_seal__plain__shows_it(chain: Chain, said: Said) -> None:
    code, told, _ = said("audit_seal", "--format", "json")
    [row] = told["seals"]
    assert (code, row["number"], row["kind"], row["writers"]) == (0, 1, "manual", 1)
    assert said("audit_seal", "--format", "table")[1].split()[:5] == ["number", "at", "kind", "writers", "hash"]


def test_seal__export__prints_one_line_that_checks(chain: Chain, said: Said) -> None:
    _, out, err = said("audit_seal", "--export")
    assert re.fullmatch(VALUE + "\n", out)
    said("audit_seal")
    code, out, err = said("audit_seal", "--check", out.strip())
    assert (code, out) == (0, "")
    assert err.startswith("Seal 1 is the one that was exported, and all 2 seals fit.")


def test_seal__check_of_another_value__names_the_seal_with_exit_code_3(chain: Chain, said: Said) -> None:
    _, out, _ = said("audit_seal", "--export")
    code, _, err = said("audit_seal", "--check", out.strip()[:-4] + "beef")
    assert (code, err.startswith("Seal 1: it is not the one that was exported")) == (3, True)


def test_seal__list__shows_the_newest_first_and_makes_none(chain: Chain, said: Said) -> None:
    for _ in range(3):
        said("audit_seal", "--export")
    _, told, _ = said("audit_seal", "--list", "--limit", "2", "--format", "json")
    assert [row["number"] for row in told["seals"]] == [3, 2]
    assert Seal.objects.count() == 3


def test_verify__makes_no_folder(chain: Chain, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "journal"
    told = chains.surroundings()
    monkeypatch.setattr(audit_verify, "surroundings", lambda: replace(told, folder=missing))
    assert said("audit_verify")[0] == 0
    assert not missing.exists()
