"""What an upstream lists against the catalogue: every kind of difference, and who would feel it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from iwrouting.management.model_compare import Difference, Listed, compare
from iwrouting.types import Configuration, ModelFacts, UpstreamFacts
from tests.pure import small
from tests.pure.small import CHAT, configured, override
from tests.pure.worlds import NOW

TODAY = NOW.date()
USED = ("small", "mid", "large", "coder", "vectors")


def listing(*names: str, **dates: date | None) -> dict[str, Listed]:
    plain = {name: Listed(name) for name in names}
    return plain | {name: Listed(name, ends, tells_shutdown=True) for name, ends in dates.items()}


def told(config: Configuration, listed: dict[str, Listed], upstream: str = "environment") -> list[Difference]:
    return compare(config, upstream, listed, NOW)


def test_same_models__are_no_difference() -> None:
    assert told(configured(), listing(*USED)) == []


def test_missing_model__is_told_with_the_places_that_name_it() -> None:
    (found,) = told(configured(override("code", "mid", "atlas")), listing("small", "large", "coder", "vectors"))
    assert (found.code, found.model) == ("missing_in_use", "mid")
    assert found.used_by == ("default of the alias auto", "override of the alias code for the project atlas")


def test_missing_model__that_nothing_names__is_told_unless_it_is_past_its_day() -> None:
    spare = small.with_model(configured(), ModelFacts("spare", CHAT))
    assert [(each.code, each.model) for each in told(spare, listing(*USED))] == [("missing", "spare")]
    gone = small.with_model(configured(), ModelFacts("spare", CHAT, shutdown_date=TODAY))
    assert told(gone, listing(*USED)) == []
    going = small.with_model(configured(), ModelFacts("spare", CHAT, shutdown_date=TODAY + timedelta(days=1)))
    assert [each.code for each in told(going, listing(*USED))] == ["missing"]


def test_model_outside_the_catalogue__that_something_names__is_looked_for_too() -> None:
    config = small.with_alias(configured(), small.alias("deep", "brand-new"))
    assert [(each.code, each.model) for each in told(config, listing(*USED))] == [("missing_in_use", "brand-new")]
    assert [each.code for each in told(config, listing(*USED, "brand-new"))] == ["new"]


def test_dates__differ_only_where_the_upstream_tells_one() -> None:
    config = small.with_model(configured(), ModelFacts("coder", CHAT, shutdown_date=date(2027, 1, 14)))
    assert told(config, listing(*USED)) == []
    assert told(config, listing(*USED, coder=date(2027, 1, 14))) == []
    (other,) = told(config, listing(*USED, coder=date(2027, 2, 1)))
    assert (other.code, other.catalogue, other.told) == ("shutdown_differs", "2027-01-14", "2027-02-01")
    (none,) = told(config, listing(*USED, coder=None))
    assert (none.told, none.used_by) == ("none", ("default of the alias code",))
    (unknown,) = told(configured(), listing(*USED, coder=date(2027, 2, 1)))
    assert (unknown.catalogue, unknown.told) == ("none", "2027-02-01")


def test_upstream__answers_for_its_own_models_alone() -> None:
    config = small.with_model(configured(), ModelFacts("coder", CHAT, upstream="eu"))
    config = replace(config, upstreams={**config.upstreams, "eu": UpstreamFacts("eu", "https://eu.example/v1", "")})
    assert told(config, listing("small", "mid", "large", "vectors")) == []
    assert [each.model for each in told(config, {}, "eu")] == ["coder"]


def test_worst__stands_first() -> None:
    config = small.with_model(configured(), ModelFacts("spare", CHAT))
    listed = listing("small", "mid", "large", "vectors", "stranger", vectors=date(2027, 1, 1))
    assert [each.code for each in told(config, listed)] == ["missing_in_use", "missing", "shutdown_differs", "new"]
