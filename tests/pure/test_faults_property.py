"""What holds of faults and findings in any configuration: a sound one routes, a switch can always be turned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from iwrouting.resolver import resolve
from iwrouting.resolver.faults import findings, refusals, standing_findings, structural_faults
from iwrouting.types import Configuration, Kind, ProjectFacts
from iwrouting.types.faults import MAX_CHAIN, ObjectType, override_name
from tests.pure.worlds import NOW, PROJECTS, a_configuration

SAMPLE = 120
seeds = st.integers(0, 2**64 - 1)


class Tally:
    """How often each code was met, and how many configurations were sound."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.sound = 0


def worlds(seed: int, count: int) -> list[Configuration]:
    pick = Random(seed).choice  # noqa: S311 - no secret is drawn
    return [
        replace(a_configuration(pick), projects={slug: ProjectFacts(slug) for slug in PROJECTS}) for _ in "x" * count
    ]


def rows(config: Configuration) -> set[tuple[str, str]]:
    named: list[tuple[str, str]] = [(ObjectType.ALIAS.value, name) for name in config.aliases]
    named += [("override", override_name(row.alias, row.project)) for row in config.overrides.values()]
    named += [("model", name) for name in config.models]
    return set(named)


def mended(config: Configuration) -> Configuration:
    """The same without the rows that are at fault, as often as new faults show."""
    for _ in range(20):
        bad = {fault.row for fault in structural_faults(config, NOW)}
        if not bad:
            return config
        config = replace(
            config,
            aliases={name: row for name, row in config.aliases.items() if ("alias", name) not in bad},
            models={name: row for name, row in config.models.items() if ("model", name) not in bad},
            overrides={
                place: row
                for place, row in config.overrides.items()
                if ("override", override_name(row.alias, row.project)) not in bad
            },
        )
    raise AssertionError("faults that no removal mends")


@settings(max_examples=SAMPLE)
@given(seeds)
def test_no_change__is_refused_or_warned_of(seed: int) -> None:
    (config,) = worlds(seed, 1)
    assert refusals(config, config, (), now=NOW) == []
    assert findings(config, config, NOW) == []


def test_every_remark__is_told_once_and_names_its_row_and_value() -> None:
    tally = Tally()

    @settings(max_examples=SAMPLE)
    @given(seeds)
    def holds(seed: int) -> None:
        before, after = worlds(seed, 2)
        told: Sequence[Any] = [*structural_faults(after, NOW), *findings(before, after, NOW)]
        for kind in (structural_faults(after, NOW), standing_findings(after, NOW)):
            assert len({each.key for each in kind}) == len(kind)
        for each in told:
            assert each.subject in each.message
            assert each.row in rows(after) or each.object_type is ObjectType.MODEL
        tally.codes.update(each.code for each in told)

    holds()
    expected = {
        "alias_unserved", "chain_repeats", "default_missing", "environment_blank", "environment_unfit", "model_blank",
        "model_disabled", "model_retired", "model_retiring", "model_unverified", "override_expired", "override_same",
        "override_shadows_environment", "price_missing", "rung_unknown", "switched_off", "upstream_unknown",
        "wrong_kind",
    }  # fmt: skip
    assert {code for code, count in tally.codes.items() if count >= 5} >= expected


@settings(max_examples=SAMPLE // 6)
@given(seeds)
def test_kill_switch__is_never_refused(seed: int) -> None:
    (config,) = worlds(seed, 1)
    for name, facts in config.models.items():
        after = replace(config, models={**config.models, name: replace(facts, enabled=False)})
        assert refusals(config, after, {("model", name)}, now=NOW) == []
    for place, row in config.overrides.items():
        after = replace(config, overrides={**config.overrides, place: replace(row, enabled=False)})
        assert refusals(config, after, {("override", override_name(row.alias, row.project))}, now=NOW) == []


def test_sound_configuration__resolves_every_alias() -> None:
    tally = Tally()

    @settings(max_examples=SAMPLE)
    @given(seeds)
    def holds(seed: int) -> None:
        (config,) = worlds(seed, 1)
        config = replace(mended(config), database=True)
        for alias in config.aliases.values():
            tally.sound += 1
            for project in (None, *PROJECTS):
                found = resolve(config, alias.name, project=project, now=NOW)
                assert len(found.chain) <= 1 + MAX_CHAIN
                assert alias.kind is not Kind.EMBEDDING or len(found.chain) == 1

    holds()
    assert tally.sound > SAMPLE / 2


@settings(max_examples=SAMPLE)
@given(seeds)
def test_accepted_change__brings_no_fault_but_of_switches(seed: int) -> None:
    before, after = worlds(seed, 2)
    had = {fault.key for fault in structural_faults(before, NOW)}
    for changed in (after, mended(after)):
        refused = {fault.key for fault in refusals(before, changed, rows(changed), now=NOW)}
        left = [fault for fault in structural_faults(changed, NOW) if fault.key not in refused]
        assert all(fault.key in had or fault.code == "model_disabled" for fault in left)
