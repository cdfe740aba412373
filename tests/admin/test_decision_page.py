"""The page of one decision: the sentence, the ladder, the attempts, the outcome."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from iwrouting.admin.sentence import sentence
from iwrouting.audit import as_json, new_id
from iwrouting.models import Attempt, Decision, EnvironmentSnapshot, Outcome, Override
from tests.admin import cast
from tests.admin.conftest import LoggedIn
from tests.admin.html import Page, read
from tests.alerts.cast import quarantined

LIST = "/admin/iwrouting/decision/"


def page_of(client: Client, decision: Decision) -> Page:
    return read(client.get(f"{LIST}{decision.pk}/change/"))


def test_the_page_begins_with_the_decision_in_a_sentence(boss: Client) -> None:
    text = page_of(boss, cast.fallen_back()).text
    assert (
        "atlas asked for code; the default chose gpt-5.1-codex; it was passed over: endpoint_unsupported; "
        "gpt-4.1 answered." in text
    )


def test_it_shows_ladder_chain_attempts_and_outcome(boss: Client) -> None:
    text = page_of(boss, cast.fallen_back()).text
    for words in (
        "project_override – not_set project_override:code",
        "environment – blank OPENAI_MODEL_CODE",
        "default gpt-5.1-codex used alias:code",
        "0 code gpt-5.1-codex – default endpoint_unsupported",
        "1 skip 0 1 – gpt-5.1-codex code – endpoint_unsupported",
        "2 call 1 1 – gpt-4.1 auto – 200",
        "max_tokens->max_completion_tokens",
        "Cost $0.0042 exact",
        "Price version catalogue 2026-11-22",
        "Prompt tokens 1,204",
        "Latency 812 ms",
        "Revision 41",
        "Environment e3b0c44298fc1c14",
        "Closed by the server: the process that served it",
    ):
        assert words in text


def test_it_links_to_what_may_be_edited(boss: Client, as_user: LoggedIn) -> None:
    code = cast.alias("code", "gpt-5.1-codex")
    override = Override.objects.create(alias=code, model="gpt-5.1", enabled=False)
    EnvironmentSnapshot.objects.create(id="e3b0c44298fc1c14", first_seen_at=code.created_at)
    refs = [f"override:{override.pk}", "OPENAI_MODEL_CODE", "alias:code", "alias:gone"]
    ladder = [{"source": "default", "value": "m", "state": "used", "ref": ref} for ref in refs]
    made = cast.decision(ladder=as_json(ladder))
    base = "/admin/iwrouting"
    wanted = {
        f"{base}/override/{override.pk}/change/",
        f"{base}/alias/{code.pk}/change/",
        f"{base}/environmentsnapshot/e3b0c44298fc1c14/change/",
    }
    page = page_of(boss, made)
    assert wanted <= set(page.values("a", "href"))
    assert "alias:gone" in page.text
    auditor = page_of(as_user(cast.person("auditor", "view_decision")), made)
    assert not wanted & set(auditor.values("a", "href"))
    assert "alias:code" in auditor.text


def test_the_usage_of_a_background_call_links_to_the_call(boss: Client, as_user: LoggedIn) -> None:
    call = cast.decision(endpoint="responses")
    usage = cast.decision(endpoint="responses.usage", reason=f"usage of decision {call.pk}")
    assert f"{LIST}{call.pk}/change/" in page_of(boss, usage).values("a", "href")


def test_an_explicit_model_links_to_the_catalogue(boss: Client) -> None:
    model = cast.model("gpt-4.1")
    step = {"source": "explicit", "value": "gpt-4.1", "state": "used", "ref": "model:gpt-4.1"}
    made = cast.decision(alias="", source="explicit", model_asked="gpt-4.1", ladder=as_json([step]))
    page = page_of(boss, made)
    assert f"/admin/iwrouting/model/{model.pk}/change/" in page.values("a", "href")
    assert "atlas asked for gpt-4.1 by its id; no outcome yet." in page.text


def test_an_open_decision_says_so(boss: Client) -> None:
    text = page_of(boss, cast.decision()).text
    assert "Outcome No outcome yet." in text
    assert "No attempts: nothing was sent." in text


def test_every_stored_text_is_escaped(boss: Client) -> None:
    bad, js = cast.HOSTILE, as_json([cast.HOSTILE])
    step = {"source": bad, "value": bad, "state": bad, "ref": bad, "rung": bad, "model": bad, "alias": bad, "skip": bad}
    texts = (
        "project",
        "project_external_id",
        "request_id",
        "run_id",
        "alias",
        "inferred_mode",
        "reason",
        "model_asked",
    )
    more = dict.fromkeys((*texts, "model_resolved", "upstream"), bad)
    made = cast.decision(
        **more,
        ladder=as_json([step]),
        chain=as_json([step]),
        warnings=js,
        tags=js,
        features=as_json({bad: bad}),
    )
    names = ("alias", "model", "upstream", "error_type", "error_code", "error_param", "upstream_request_id")
    cast.attempt(made, 1, changes=js, **dict.fromkeys(names, bad))
    cast.attempt(made, 2, kind="skip", skip_reason=bad)
    served = ("model_served", "upstream_served", "error_type", "error_code", "finish_reason", "price_version")
    cast.outcome(made, **dict.fromkeys(served, bad), cost_pico=None)
    page = page_of(boss, made)
    assert page.faults == []
    assert page.text.count("alert(1)") > 30


@pytest.mark.parametrize("broken", ["{", "7", '"text"', "[1, 2]", "null", '[{"source": 7, "ref": null}]'])
def test_a_text_that_is_no_json_breaks_no_page(boss: Client, broken: str) -> None:
    made = cast.decision(ladder=broken, chain=broken, warnings=broken, tags=broken, features=broken)
    cast.attempt(made, 1, changes=broken)
    page = page_of(boss, made)
    assert page.faults == []
    assert "As stored" in page.text


def test_a_decision_that_does_not_exist_leads_back_to_the_list(boss: Client) -> None:
    for number in ("01a20514-3ff7-7000-9aeb-56db26501f9c", "nonsense", "ffffffff-ffff-7fff-bfff-ffffffffffff"):
        answer = boss.get(f"{LIST}{number}/change/", follow=True)
        assert f"There is no decision {number}." in read(answer).text


CASES: list[tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any] | None, str]] = [
    ({}, [], None, "atlas asked for code; the default chose gpt-5.1-codex; no outcome yet."),
    (
        {"project": "", "source": "project_override"},
        [],
        {"result": "resolved", "model_served": ""},
        "A caller without project asked for code; its override chose gpt-5.1-codex; nothing was called.",
    ),
    (
        {"model_asked": "auto", "inferred_mode": "deep", "source": "override", "model_resolved": "gpt-5.1"},
        [{"model": "gpt-5.1"}],
        {"model_served": "gpt-5.1"},
        "atlas asked for auto, taken for deep; the override for all projects chose gpt-5.1; gpt-5.1 answered.",
    ),
    (
        {"source": "environment"},
        [
            {"model": "gpt-5.1-codex", "status": 503, "error_code": "overloaded"},
            {"model": "gpt-5.1-codex", "status": 503, "error_code": "overloaded"},
            {"status": None, "error_type": "timeout"},
        ],
        {"result": "error", "model_served": "", "error_code": "all_candidates_failed"},
        "atlas asked for code; the environment chose gpt-5.1-codex; it answered 503 (overloaded) 2 times; "
        "gpt-4.1 failed (timeout); the caller got an error (all_candidates_failed).",
    ),
    (
        {"source": "", "model_resolved": ""},
        [],
        {"result": "refused", "model_served": "", "error_code": "model_not_found"},
        "atlas asked for code; the call was refused (model_not_found).",
    ),
    (
        {},
        [{"error_type": "stream_broken"}],
        {"result": "truncated"},
        "atlas asked for code; the default chose gpt-5.1-codex; gpt-4.1 answered 200 (stream_broken); "
        "the answer of gpt-4.1 was cut off.",
    ),
    (
        {"source": "explicit", "endpoint": "responses.get", "model_asked": "gpt-4.1"},
        [{}],
        {},
        "atlas looked at a response of gpt-4.1; gpt-4.1 answered.",
    ),
    (
        {"endpoint": "responses.usage"},
        [],
        {"model_served": "gpt-5.1-codex"},
        "atlas asked for code; the default chose gpt-5.1-codex; gpt-5.1-codex answered; "
        "this is the usage of that call in the background, told at its end.",
    ),
    ({"source": ""}, [], {"result": "client_closed"}, "atlas asked for code; the caller hung up."),
    (
        {"source": ""},
        [],
        {"result": "interrupted"},
        "atlas asked for code; it was interrupted: its process ended, and the sweeper closed it.",
    ),
    (
        {"source": ""},
        [{"model": f"m{number}", "status": 500} for number in range(9)],
        {"result": "error", "model_served": ""},
        "atlas asked for code; m0 answered 500; m1 answered 500; m2 answered 500; m3 answered 500; m4 answered 500; "
        "m5 answered 500; and 3 more steps; the caller got an error.",
    ),
]


@pytest.mark.parametrize(("decided", "tried", "ended", "text"), CASES)
def test_sentences(
    decided: dict[str, Any], tried: list[dict[str, Any]], ended: dict[str, Any] | None, text: str
) -> None:
    asked = {"project": "atlas", "model_asked": "code", "source": "default", "model_resolved": "gpt-5.1-codex"}
    attempts = [Attempt(**{"kind": "call", "model": "gpt-4.1", "status": 200, **each}) for each in tried]
    outcome = None if ended is None else Outcome(**{"result": "ok", "model_served": "gpt-4.1", **ended})
    assert sentence(Decision(**{**asked, **decided}), attempts, outcome) == text


def test_the_environment_of_a_decision_can_be_read(boss: Client) -> None:
    made = cast.decision()
    values = as_json({"OPENAI_MODEL_DEEP": "", "OPENAI_MODEL_FAST": "<b>"})
    EnvironmentSnapshot.objects.create(id="e3b0c44298fc1c14", first_seen_at=made.decision_at, values=values)
    url = "/admin/iwrouting/environmentsnapshot/"
    assert "e3b0c44298fc1c14" in read(boss.get(url)).text
    page = read(boss.get(f"{url}e3b0c44298fc1c14/change/"))
    assert "OPENAI_MODEL_DEEP = (blank) OPENAI_MODEL_FAST = <b>" in page.text
    assert "_save" not in page.values("input", "name")


@pytest.mark.parametrize(
    ("origins", "words"),
    [
        (("server",), "the server: the process that served it Decided"),
        (("sweeper",), "the sweeper: the process that served it ended"),
        (("server", "sweeper"), "the server. The sweeper had closed it before: the process was taken for dead"),
    ],
)
def test_who_closed_it__is_said_in_words(boss: Client, origins: tuple[str, ...], words: str) -> None:
    made = cast.decision()
    for origin in origins:
        cast.outcome(made, origin=origin, result="interrupted" if origin == "sweeper" else "ok")
    assert f"Closed by {words.removesuffix(' Decided')}" in page_of(boss, made).text


def test_rows_that_were_kept_out__stand_with_reason_place_and_hash(boss: Client, as_user: LoggedIn) -> None:
    made = cast.fallen_back()
    row = quarantined(decision_id=made.pk, writer_id="writer-1", detail=cast.HOSTILE)
    quarantined(decision_id=cast.decision().pk, reason="of another")
    page = page_of(boss, made)
    assert f"iwrouting_decision 22021 {cast.HOSTILE} writer-1 7 {'ab' * 32} row" in page.text
    assert f"/admin/iwrouting/quarantinedrow/{row.pk}/change/" in page.values("a", "href")
    assert "of another" not in page.text
    assert "Quarantined rows" not in page_of(as_user(cast.person("auditor", "view_decision")), cast.decision()).text


@pytest.mark.parametrize(
    ("origin", "words"),
    [("sweeper", "its process ended, and the sweeper closed it."), ("server", "its process was shut down.")],
)
def test_interrupted__says_by_what(boss: Client, origin: str, words: str) -> None:
    made = cast.decision()
    cast.outcome(made, origin=origin, result="interrupted", model_served="", error_code="")
    assert f"it was interrupted: {words}" in page_of(boss, made).text


def test_a_decision_whose_own_row_was_kept_out__leads_to_the_quarantine(boss: Client) -> None:
    row = quarantined(decision_id=new_id())
    quarantined(decision_id=new_id(), reason="another")
    page = read(boss.get(f"{LIST}{row.decision_id}/change/", follow=True))
    assert f"The row of decision {row.decision_id} is in quarantine" in page.text
    assert f"/admin/iwrouting/quarantinedrow/{row.pk}/change/" in " ".join(page.values("a", "href"))
    assert "another" not in page.text
    assert "another" in read(boss.get("/admin/iwrouting/quarantinedrow/?q=another")).text
