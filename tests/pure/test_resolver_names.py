"""Names, named models and grants case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iwrouting.errors import UnknownModel
from iwrouting.resolver import endpoint_for
from iwrouting.types import ModelFacts
from tests.pure.small import CHAT, ask, chain, configured, override, with_alias, with_model
from tests.pure.worlds import key_with


@pytest.mark.parametrize(
    ("name", "alias_name"),
    [
        ("manager", "manager"),
        ("role:manager", "manager"),
        ("fast", "fast"),
        ("mode:fast", "fast"),
        ("mode:auto", "auto"),
        ("embedding", "embedding"),
    ],
)
def test_names__alias_with_or_without_its_prefix__is_that_alias(name: str, alias_name: str) -> None:
    found = ask(configured(), name)
    assert (found.asked, found.alias) == (name, alias_name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("manger", "Did you mean 'manager'?"),
        ("MANAGER", "Did you mean 'manager'?"),
        ("mode:manager", "Did you mean 'manager'?"),
        ("role:fast", "Did you mean 'fast'?"),
        ("role:role:manager", "Did you mean 'manager'?"),
        ("embedding:embedding", "Did you mean 'embedding'?"),
        ("Manager ", "Did you mean 'manager'?"),
        ("vector", "Did you mean 'vectors'?"),
        ("Coders", "Did you mean 'code'?"),
        ("qqqq", "GET /v1/models lists the names you may use."),
        ("", "GET /v1/models lists the names you may use."),
    ],
)
def test_names__unknown__is_404_with_the_nearest_name(name: str, hint: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        ask(configured(), name)
    error = caught.value.body()["error"]
    assert error["message"] == f"The model '{name}' does not exist or you do not have access to it. {hint}"
    assert (caught.value.status, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert error["type"] == "invalid_request_error"


def test_names__unknown__hints_at_a_name_in_its_own_case() -> None:
    config = with_model(configured(), ModelFacts("Org/Large-X", CHAT))
    with pytest.raises(UnknownModel, match=r"Did you mean 'Org/Large-X'\?"):
        ask(config, "org/large-y")


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("embedding", "embeddings"),
        ("manager", "chat"),
        ("role:manager", "chat"),
        ("auto", "chat"),
        ("vectors", None),
        ("qqqq", None),
    ],
)
def test_endpoint__of_an_alias__is_that_of_its_kind(name: str, endpoint: str | None) -> None:
    assert endpoint_for(configured(), name) == endpoint


def test_names__of_a_megabyte__are_cut_in_the_message() -> None:
    with pytest.raises(UnknownModel) as caught:
        ask(configured(), "manager" * 150_000)
    assert len(caught.value.message) < 300


def test_names__a_disabled_model__does_not_exist_and_is_no_hint() -> None:
    config = with_model(configured(), ModelFacts("retro-9", CHAT, enabled=False))
    for name in ("retro-9", "retro-8"):
        with pytest.raises(UnknownModel) as caught:
            ask(config, name)
        assert "retro-9'?" not in caught.value.message


def test_explicit__catalogue_model__is_used_as_it_is_without_a_chain() -> None:
    found = ask(configured(override("fast", "x")), "coder", endpoint="chat")
    assert (found.alias, found.kind, found.source.value, found.model) == (None, None, "explicit", "coder")
    assert chain(found) == [(None, "coder", None)]
    assert chain(ask(configured(), "coder", endpoint="embeddings")) == [(None, "coder", "endpoint_unsupported")]
    assert [(s.source.value, s.value, s.state.value, s.ref) for s in found.ladder] == [
        ("explicit", "coder", "used", "model:coder")
    ]


@pytest.mark.parametrize(
    ("aliases", "models", "name", "exists"),
    [
        (None, None, "manager", True),
        ({"fast"}, None, "manager", False),
        ({"fast"}, None, "role:manager", False),
        ({"fast"}, None, "fast", True),
        ({"fast"}, None, "large", True),
        (set(), None, "fast", False),
        (None, {"small"}, "large", False),
        (None, {"small"}, "small", True),
        (None, {"unheard-of"}, "unheard-of", True),
        (None, None, "unheard-of", False),
        (None, None, "rung-only", True),
        ({"manager"}, None, "rung-only", True),
        ({"fast"}, None, "rung-only", False),
        (None, None, "tuned", True),
        ({"code"}, None, "tuned", True),
        ({"auto"}, None, "tuned", True),
        ({"fast"}, None, "tuned", False),
        (None, set(), "tuned", False),
    ],
)
def test_grants__what_is_not_granted__does_not_exist(
    aliases: set[str] | None, models: set[str] | None, name: str, exists: bool
) -> None:
    """`rung-only` stands in manager's chain alone; `tuned` is what `code` has for this project."""
    config = configured(override("code", "tuned", "atlas"))
    config = with_alias(config, replace(config.aliases["manager"], chain=("fast", "rung-only")))
    if exists:
        assert ask(config, name, key=key_with(aliases, models)).asked == name
    else:
        with pytest.raises(UnknownModel):
            ask(config, name, key=key_with(aliases, models))


def test_grants__a_mode_that_auto_is_pinned_against__is_not_reached_through_it() -> None:
    config = configured(override("code", "tuned"))
    config = with_alias(config, replace(config.aliases["auto"], infer=False))
    with pytest.raises(UnknownModel):
        ask(config, "tuned", key=key_with({"auto"}, None))


def test_grants__list_of_models__filters_every_rung() -> None:
    found = ask(configured(), "manager", key=key_with(None, {"small"}))
    assert chain(found) == [
        ("manager", "large", "not_allowed"),
        ("auto", "mid", "not_allowed"),
        ("fast", "small", None),
    ]


def test_grants__a_granted_alias__carries_its_rungs() -> None:
    found = ask(configured(), "manager", key=key_with({"manager"}, None))
    assert chain(found) == [("manager", "large", None), ("auto", "mid", None), ("fast", "small", None)]
