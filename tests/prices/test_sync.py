"""`manage.py prices_sync`: previews, asks, writes new rows beside the old ones, and leaves manual prices alone."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models import ProtectedError
from django.utils import timezone

from iwrouting import catalogue
from iwrouting.models import Model, Price, Revision
from iwrouting.pricing import cost
from iwrouting.snapshot import load
from iwrouting.types import ALWAYS, CostState, Usage

pytestmark = pytest.mark.django_db
LONG = Usage(prompt_tokens=272_001, completion_tokens=1)


def sync(*arguments: str, **options: Any) -> dict[str, Any]:
    """What the command prints as JSON."""
    out = io.StringIO()
    call_command("prices_sync", *arguments, stdout=out, stderr=io.StringIO(), **options)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def lines(found: dict[str, Any], change: str) -> list[tuple[str, str, int]]:
    return [
        (each["model"], each["service_tier"], each["above_input_tokens"])
        for each in found["changes"]
        if each["change"] == change
    ]


@pytest.fixture
def filled() -> None:
    """The built-in catalogue with its prices."""
    call_command("matrix_load", stderr=io.StringIO())


@pytest.mark.usefixtures("filled")
def test_fill__gives_the_catalogue_prices_without_the_package() -> None:
    assert load().prices == {name: model.prices for name, model in catalogue.models().items()}
    assert set(Price.objects.values_list("version", "is_manual")) == {(f"catalogue {catalogue.version()}", False)}


@pytest.mark.usefixtures("filled")
def test_fill__again__touches_no_price_and_prices_a_model_that_has_none() -> None:
    Price.objects.create(model_id="gpt-4.1", valid_from=timezone.now(), input_pico=1, is_manual=True)
    before = Price.objects.count()
    call_command("matrix_load", stderr=io.StringIO())
    assert Price.objects.count() == before


@pytest.mark.usefixtures("filled")
def test_dry_run__tells_the_changes_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before, revision = list(Price.objects.values()), Revision.current()
    days = {f"{timezone.now():%Y-%m-%d}"}
    with pytest.raises(CommandError, match="prices would be written") as error:
        call_command("prices_sync", "--dry-run", "--format", "table")
    assert error.value.returncode == 3
    assert (list(Price.objects.values()), Revision.current()) == (before, revision)
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert table[0] == [
        "change",
        "model",
        "tier",
        "above",
        "from",
        "input",
        "cached",
        "write",
        "output",
        "until",
        "then",
    ]
    assert ["same", "gpt-4.1", "default", "-", "always", "2", "0.5", "-", "8", "-"] in table
    days.add(f"{timezone.now():%Y-%m-%d}")
    [above] = [line for line in table if line[:4] == ["differs", "gpt-6-luna", "default", "272000"]]
    assert above[4] in days
    assert above[6:] == ["0.2", "0.02", "0.25", "0.75", "-", "/", "-", "/", "-", "/", "-"]


@pytest.mark.usefixtures("filled")
def test_yes__writes_new_rows_and_keeps_the_old_ones() -> None:
    old = {row.pk: row.facts for row in Price.objects.all()}
    begun = timezone.now()
    unpriced = cost(LONG, load().prices["gpt-6-luna"], begun)
    sync("--yes")
    assert {row.pk: row.facts for row in Price.objects.filter(pk__in=old)} == old
    prices = load().prices["gpt-6-luna"]
    found = cost(LONG, prices, timezone.now())
    assert (found.pico, found.price_version) == (272_001 * 200_000 + 750_000, "genai-prices 0.2.3 >272000")
    # A call that was decided before costs what it would have cost then.
    assert cost(LONG, prices, begun) == unpriced
    assert unpriced.state is CostState.UNPRICED
    source = Price.objects.get(model_id="gpt-5.1-codex", service_tier="flex").source
    assert source == "genai-prices 0.2.3, as gpt-5.1"


@pytest.mark.usefixtures("filled")
def test_again__finds_nothing_to_change_and_needs_no_yes(capsys: pytest.CaptureFixture[str]) -> None:
    sync("--yes")
    revision = Revision.current()
    call_command("prices_sync", "--format", "json")
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert {each["change"] for each in found["changes"]} == {"same"}
    assert (found["version"], found["source"]) == (1, "genai-prices 0.2.3")
    assert said.err == "Nothing to change: the table says what genai-prices 0.2.3 says.\n"
    assert Revision.current() == revision
    call_command("prices_sync", "--dry-run")


@pytest.mark.usefixtures("filled")
def test_a_manual_price__is_told_and_left_alone() -> None:
    mine = Price.objects.create(model_id="gpt-4.1", valid_from=timezone.now(), input_pico=1, is_manual=True)
    found = sync("--yes")
    assert lines(found, "manual") == [("gpt-4.1", "default", 0)]
    [told] = [each for each in found["changes"] if each["change"] == "manual"]
    assert told["usd_per_million"] == {"input": "2", "cached": "0.5", "cache_write": None, "output": "8"}
    assert told["before"]["usd_per_million"]["input"] == "0.000001"
    newest = Price.objects.filter(model_id="gpt-4.1", service_tier="default").latest("valid_from")
    assert newest == mine
    assert ("gpt-4.1", "priority", 0) in lines(found, "create")


@pytest.mark.usefixtures("filled")
def test_a_model_that_the_package_does_not_know__is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Model.objects.create(model_id="our-own", endpoints=["chat"])
    call_command("prices_sync", "--yes", "--format", "json")
    said = capsys.readouterr()
    reason = "genai-prices does not know it"
    assert json.loads(said.out)["unknown"] == [{"model": "our-own", "reason": reason}]
    assert f"our-own: not synced, {reason}.\n" in said.err
    assert not Price.objects.filter(model_id="our-own").exists()


def test_a_named_model_without_prices__is_an_error_and_nothing_is_written() -> None:
    with pytest.raises(CommandError, match="No prices for gpt-nope") as error:
        sync("--yes", "--model", "gpt-nope", "--model", "gpt-4.1")
    assert error.value.returncode == 1
    assert not Price.objects.exists()


def test_one_model__alone_is_synced_even_without_a_row() -> None:
    sync("--yes", "--model", "gpt-5-nano", "--model", "gpt-4.1")
    assert set(Price.objects.values_list("model_id", flat=True)) == {"gpt-5-nano", "gpt-4.1"}
    assert Price.objects.filter(valid_from=ALWAYS, model_id="gpt-4.1").count() == 1


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(("typed", "written"), [("y", True), ("n", False), ("", False)])
def test_on_a_terminal__it_asks(monkeypatch: pytest.MonkeyPatch, typed: str, written: bool) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: typed)
    before = Price.objects.count()
    sync()
    assert (Price.objects.count() > before) is written


@pytest.mark.usefixtures("filled")
def test_without_a_terminal_and_yes__it_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    before = Price.objects.count()
    with pytest.raises(CommandError, match="Add --yes") as error:
        sync()
    assert (error.value.returncode, Price.objects.count()) == (2, before)


def test_a_price_in_force__can_neither_be_changed_nor_deleted() -> None:
    row = Price.objects.create(model_id="gpt-4.1", valid_from=timezone.now(), input_pico=1)
    row.input_pico = 2
    with pytest.raises(ValidationError, match="add a price with a later time"):
        row.save()
    with pytest.raises(ProtectedError, match="add a price with a later time"):
        row.delete()
    row.valid_from = timezone.now() + timedelta(days=1)
    with pytest.raises(ValidationError):
        row.save()
    with pytest.raises(ProtectedError):
        row.delete()
    assert Price.objects.get().facts.input_pico == 1


def test_a_scheduled_price__can_be_changed_and_deleted_and_replaced_by_a_sync() -> None:
    later = timezone.now() + timedelta(days=1)
    row = Price.objects.create(model_id="gpt-4.1", valid_from=later, input_pico=1)
    row.input_pico = 2
    row.save()
    sync("--yes", "--model", "gpt-4.1")
    replaced = Price.objects.get(pk=row.pk)
    assert (replaced.input_pico, replaced.valid_from, replaced.version) == (2_000_000, later, "genai-prices 0.2.3")
    replaced.delete()
    assert not Price.objects.filter(pk=row.pk).exists()
