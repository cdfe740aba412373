"""The resolver answers as the slow reference does, in configurations that reach every branch often."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import event, given

from iwrouting.errors import RoutingError, Unavailable, UnknownModel
from iwrouting.resolver import resolve
from iwrouting.types import Configuration, Inference, Resolution
from tests.harness.samples import sample
from tests.pure.reference import Expected, NoSuchName, NothingSet, Reference
from tests.pure.worlds import NOW, Question, even_examples, examples

EVEN_EXAMPLES = 2_500
HINT = re.compile(r"Did you mean '([^']+)'\?")


def ask(config: Configuration, question: Question) -> Resolution:
    return resolve(
        config,
        question.name,
        project=question.project,
        now=NOW,
        inference=Inference(question.mode, "a reason", {"chars": 3}) if question.mode else None,
        endpoint=question.endpoint,
        key=question.key,
    )


def answer(config: Configuration, question: Question) -> Resolution | type[Exception]:
    try:
        return ask(config, question)
    except UnknownModel:
        return NoSuchName
    except Unavailable:
        return NothingSet


def expect(config: Configuration, question: Question) -> Expected | type[Exception]:
    try:
        return Reference(config, question, NOW).answer()
    except (NoSuchName, NothingSet) as error:
        return type(error)


def told(found: Resolution) -> Expected:
    """The product's answer in the reference's form."""
    texts = [warning.split(":", 1) for warning in found.warnings]
    return Expected(
        alias=found.alias,
        kind=found.kind,
        model=found.model,
        source=found.source,
        upstream=found.upstream,
        mode=found.inference.mode if found.inference else None,
        ladder=[(step.source, step.value, step.state) for step in found.ladder],
        chain=[(r.rung, r.alias, r.model or "", r.source or "", r.upstream, r.skip) for r in found.chain],
        warnings=[(code, text.split()[0]) for code, text in texts],
    )


def branches(config: Configuration, question: Question, expected: Expected | type[Exception]) -> Iterator[str]:
    """The names of the branches that an example went through."""
    if isinstance(expected, type):
        yield expected.__name__
        return
    yield from (f"{source} {state}" for source, _, state in expected.ladder)
    yield from (f"skip {skip}" for *_, skip in expected.chain if skip)
    yield from (code for code, _ in expected.warnings)
    yield "no project" if question.project is None else f"project {question.project}"
    yield f"source {expected.source}"
    yield from question_branches(config, question, expected)


def question_branches(config: Configuration, question: Question, expected: Expected) -> Iterator[str]:
    if question.name.startswith(("role:", "mode:")):
        yield "prefix " + question.name[:4]
    if expected.alias == "auto" and question.mode:
        yield "inferred" if expected.mode else f"pinned: {why_pinned(config, question)}"
    if question.key is not None and question.key.allowed_aliases is not None and expected.alias:
        yield "granted alias"
    if expected.alias is None and expected.model not in config.models:
        listed = question.key is not None and question.key.allowed_models is not None
        yield "uncatalogued model " + ("listed" if listed else "reached")
    if any(alias is None for _, alias, *_ in expected.chain[1:]):
        yield "model as rung"


def why_pinned(config: Configuration, question: Question) -> str:
    if question.mode not in config.aliases:
        return "no such mode"
    return "override" if config.aliases["auto"].infer else "alias"


MINIMUM = {
    "project_override used": 40,
    "project_override not_set": 40,
    "project_override blank": 5,
    "project_override disabled": 20,
    "project_override scheduled": 20,
    "project_override expired": 20,
    "project_override unreadable": 40,
    "override used": 40,
    "override not_set": 40,
    "override blank": 5,
    "override disabled": 20,
    "override scheduled": 20,
    "override expired": 20,
    "override shadowed": 20,
    "override unreadable": 40,
    "environment used": 40,
    "environment not_set": 40,
    "environment blank": 40,
    "environment shadowed": 40,
    "default used": 40,
    "default blank": 10,
    "default shadowed": 40,
    "explicit used": 40,
    "skip duplicate": 40,
    "skip not_allowed": 20,
    "skip model_disabled": 40,
    "skip endpoint_unsupported": 40,
    "model_unverified": 40,
    "model_disabled": 40,
    "model_retired": 40,
    "model_retiring": 40,
    "no project": 40,
    "project atlas": 40,
    "project boreas": 40,
    "project nowhere": 40,
    "prefix role": 10,
    "prefix mode": 40,
    "inferred": 20,
    "pinned: alias": 20,
    "pinned: override": 5,
    "pinned: no such mode": 5,
    "granted alias": 20,
    "uncatalogued model listed": 5,
    "uncatalogued model reached": 20,
    "model as rung": 40,
    "NoSuchName": 40,
    "NothingSet": 10,
}


def assert_agreement(config: Configuration, question: Question) -> set[str]:
    expected = expect(config, question)
    found = answer(config, question)
    assert (told(found) if isinstance(found, Resolution) else found) == expected
    return set(branches(config, question, expected))


@sample(150)
@given(examples())
def test_resolver__any_configuration__agrees_with_the_reference(example: tuple[Configuration, Question]) -> None:
    for branch in assert_agreement(*example):
        event(branch)


def test_resolver__every_branch__is_reached_often_and_agrees_with_the_reference() -> None:
    reached: Counter[str] = Counter()

    @sample(EVEN_EXAMPLES)
    @given(even_examples())
    def agrees(example: tuple[Configuration, Question]) -> None:
        reached.update(assert_agreement(*example))

    agrees()
    assert {branch: (reached[branch], least) for branch, least in MINIMUM.items() if reached[branch] < least} == {}


@sample(60)
@given(even_examples())
def test_resolver__asked_twice__answers_alike_and_changes_nothing(example: tuple[Configuration, Question]) -> None:
    config, question = example
    before = copy.deepcopy(config)
    assert answer(config, question) == answer(before, question) == answer(config, question)
    assert config == before


@sample(100)
@given(even_examples())
def test_resolver__answer__carries_what_it_was_decided_under(example: tuple[Configuration, Question]) -> None:
    config, question = example
    found = answer(config, question)
    if isinstance(found, Resolution):
        assert (found.asked, found.revision, found.environment_id) == (question.name, 41, "e1")
        assert (found.chain[0].model, found.chain[0].source) == (found.model, found.source)
        places = {override.ref for override in config.overrides.values()} | {f"model:{question.name}"}
        places |= {alias.variable for alias in config.aliases.values()} | {f"alias:{name}" for name in config.aliases}
        assert {step.ref for step in found.ladder if step.value is not None} <= places


@sample(150)
@given(even_examples())
def test_resolver__refusal__hints_only_at_what_the_key_may_ask(example: tuple[Configuration, Question]) -> None:
    config, question = example
    if isinstance(answer(config, question), Resolution):
        return
    with pytest.raises(RoutingError) as caught:
        ask(config, question)
    found = (caught.value.status, caught.value.code, caught.value.param)
    if isinstance(caught.value, Unavailable):
        assert found == (503, "alias_unset", None)
        return
    assert found == (404, "model_not_found", "model")
    assert f"'{question.name}' does not exist" in caught.value.message
    if hint := HINT.search(caught.value.message):
        assert hint[1] != question.name
        assert answer(config, replace(question, name=hint[1])) is not NoSuchName
