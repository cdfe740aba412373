"""Caps on one call's input, and windows that are too small: refused or passed over before anything is sent."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from iwrouting.models import Alias, Model, Upstream
from iwrouting.tokens import count_chat, count_embeddings, count_responses
from tests.live.databases import ALIAS
from tests.live.ledger import Record
from tests.live.live import Live
from tests.live.world import Tenant

WORDS = "one two three four five six seven eight nine ten " * 20


def counted(text: str, model: str = "gpt-4.1") -> int:
    return count_chat({"messages": [{"role": "user", "content": text}]}, model).total


def capped(live: Live, tokens: int) -> Tenant:
    tenant = live.tenant()
    tenant.row.max_context_tokens = tokens
    tenant.row.save(using=ALIAS)
    live.settle()
    return tenant


def refused(live: Live, code: str) -> tuple[Record, str]:
    """The one record of the test: refused before anything was sent; and the message is the caller's."""
    found = live.the_record()
    assert (found.outcome.result, found.outcome.status, found.outcome.error_code) == ("refused", 400, code)
    assert found.attempts == [] == live.sent()
    return found, found.decision.estimate_source


@pytest.mark.parametrize("spare", [0, -1])
def test_cap_of_the_project__input_at_and_over_it__is_counted_and_only_over_it_refused(live: Live, spare: int) -> None:
    tokens = counted(WORDS)
    client = live.client(capped(live, tokens + spare))
    if spare == 0:
        found = live.chat("deep", WORDS, client=client).record
        assert (found.decision.estimate_tokens, found.decision.estimate_source) == (tokens, "tiktoken")
        return
    with pytest.raises(openai.BadRequestError) as error:
        live.chat("deep", WORDS, client=client)
    assert error.value.code == "max_context_tokens_exceeded"
    assert f"{tokens} tokens" in error.value.message
    assert f"allows {tokens - 1} in one call" in error.value.message
    found, source = refused(live, "max_context_tokens_exceeded")
    assert (found.decision.estimate_tokens, source) == (tokens, "tiktoken")


def test_cap_of_the_deployment__smaller_than_the_projects__counts_in_each_mode(live: Live) -> None:
    service = live.world.other_service("capped", MAX_CONTEXT_TOKENS_PER_CALL="40")
    client = live.client(capped(live, 100_000), url=service.url)
    for call in (live.chat, live.stream):
        with pytest.raises(openai.BadRequestError, match="MAX_CONTEXT_TOKENS_PER_CALL allows 40") as error:
            call("fast", WORDS, client=client)
        assert error.value.code == "max_context_tokens_exceeded"
    assert live.chat("fast", "Say hello", client=client).answer.choices
    assert len(live.sent()) == 1


def test_cap__responses__count_instructions_and_input(live: Live) -> None:
    tokens = count_responses({"instructions": "Be brief", "input": WORDS}, "gpt-4.1").total
    client = live.client(capped(live, tokens - 1))
    with pytest.raises(openai.BadRequestError, match=f"input: {tokens} tokens") as error:
        client.responses.create(model="gpt-4.1", instructions="Be brief", input=WORDS)
    assert (error.value.code, error.value.param) == ("max_context_tokens_exceeded", "input")
    refused(live, "max_context_tokens_exceeded")


def test_cap__embeddings__holds_for_the_sum_of_all_inputs(live: Live) -> None:
    texts = ["one two three four five", "six seven eight nine ten"]
    total = count_embeddings(texts, "text-embedding-3-small").total
    with pytest.raises(openai.BadRequestError, match=f"input: {total} tokens") as error:
        live.embed(texts, client=live.client(capped(live, total - 1)))
    assert (error.value.code, error.value.param) == ("max_context_tokens_exceeded", "input")
    refused(live, "max_context_tokens_exceeded")


def test_cap__no_cap_and_small_input__is_not_counted(live: Live) -> None:
    assert live.chat("fast", WORDS).record.decision.estimate_source == "bytes"


@pytest.fixture
def narrow(live: Live) -> Iterator[Any]:
    """An alias whose first model takes `window` tokens; what follows it may be larger."""
    made: list[Any] = []

    def make(window: int, *chain: str, cap: int | None = None, **facts: Any) -> str:
        name = f"n{secrets.token_hex(4)}"
        recorder = Upstream.objects.using(ALIAS).get(slug="recorder")
        fields = {"endpoints": ["chat"], "context_window": window, "upstream": recorder, **facts}
        made.append(Model(model_id=f"narrow-{name}", **fields))
        made.append(
            Alias(name=name, kind="role", default_model=f"narrow-{name}", chain=list(chain), max_context_tokens=cap)
        )
        for row in made[-2:]:
            row.save(using=ALIAS)
        live.settle()
        return name

    yield make
    for row in reversed(made):
        row.delete(using=ALIAS)


def test_window__first_model_surely_too_small__is_passed_over_before_sending(live: Live, narrow: Any) -> None:
    found = live.chat(narrow(100, "gpt-4.1"), WORDS).record
    assert found.outcome.result == "ok_after_fallback"
    assert [(each.kind, each.skip_reason) for each in found.attempts] == [("skip", "window"), ("call", "")]
    assert found.decision.estimate_source == "tiktoken_guess"


def test_window__a_few_percent_over__is_tried_all_the_same(live: Live, narrow: Any) -> None:
    tokens = counted(WORDS, "narrow")
    found = live.chat(narrow(int(tokens / 1.04), "gpt-4.1"), WORDS).record
    assert [each.kind for each in found.attempts] == ["call"]


def test_window__output_asked_for__leaves_less_room_for_the_input(live: Live, narrow: Any) -> None:
    alias = narrow(2 * counted(WORDS, "narrow"), "gpt-4.1")
    assert live.chat(alias, WORDS, max_tokens=10).record.outcome.result == "ok"
    asked = 3 * counted(WORDS, "narrow")
    assert live.chat(alias, WORDS, max_tokens=asked).record.outcome.result == "ok_after_fallback"


def test_window__every_model_too_small__is_refused_with_count_and_largest_window(live: Live, narrow: Any) -> None:
    alias = narrow(100)
    with pytest.raises(openai.BadRequestError, match=r"\d+ tokens; the largest window of .* is 100 ") as error:
        live.chat(alias, WORDS)
    assert error.value.code == "context_length_exceeded"
    found, _ = refused(live, "context_length_exceeded")
    assert '"skip":"window"' in found.decision.chain


def test_cap_of_the_alias__input_over_it__is_refused(live: Live, narrow: Any) -> None:
    alias = narrow(100_000, cap=50)
    with pytest.raises(openai.BadRequestError, match=f"the alias '{alias}' allows 50"):
        live.chat(alias, WORDS)
    refused(live, "max_context_tokens_exceeded")


def test_window__a_megabyte_of_one_letter__is_answered_while_others_are_served(live: Live) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        live.chat("fast", "a" * 1_000_000, client=live.client(capped(live, 1_000)))
    assert error.value.code == "max_context_tokens_exceeded"
