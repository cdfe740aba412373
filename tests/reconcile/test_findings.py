"""Each class of finding and of note, from the smallest story that has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iwrouting.audit import new_id
from iwrouting.models import Decision, QuarantinedRow
from iwrouting.reports.reconcile import ClientLine, Ledgers, ProviderLine, Span, Wanted, reconcile
from tests.audit_tables import rows
from tests.reconcile.story import AT, EVER, Story, new_id_of, short, writer

STRICT = Wanted(span=EVER, grace_s=0)


def test_agreement__tells_nothing(story: Story) -> None:
    for tries in (1, 2, 3):
        story.call(tries=tries)
    report = story.report()
    assert (report.findings, report.notes, report.decisions) == ([], [], 3)


def test_decision_that_a_log_names__missing_in_ours(story: Story) -> None:
    story.call()
    lost, other = new_id(), new_id()
    story.client[lost] = ClientLine(0, lost, "r", 200)
    story.provider[lost] = [ProviderLine(0, lost, 1)]
    story.provider[other] = [ProviderLine(0, other, 1)]
    assert sorted(story.found()) == sorted(
        [("missing_decision", "client", lost), ("missing_decision", "provider", other)]
    )
    [found] = [each for each in story.report().findings if each.decision == lost]
    assert found.detail == "named by line 2 of the client, line 2 of the provider"


def test_rows_without_their_decision__missing_in_ours(story: Story) -> None:
    gone = Decision(**rows.decision_values(AT))
    rows.attempt(gone, 1, 0)
    rows.outcome(gone, "ok")
    assert story.found() == [("missing_decision", "ours", str(gone.id))]


def test_try_that_the_provider_has__missing_in_ours(story: Story) -> None:
    made = story.decision()
    story.arrived(made, 1)
    story.closed(made, "ok", calls=1)
    assert story.found() == [("missing_attempt", "provider", str(made.id), 1, 200)]


def test_try_that_only_ours_prove__missing(story: Story) -> None:
    made = story.decision()
    rows.attempt(made, 2, 1, status=200)
    story.closed(made, "ok", calls=2)
    short_of_one = story.decision()
    story.closed(short_of_one, "ok", calls=1)
    story.client.clear()
    report = reconcile(Ledgers(), STRICT)
    assert [short(found) for found in report.findings] == [
        ("missing_attempt", "ours", str(made.id), 1),
        ("missing_attempt", "ours", str(short_of_one.id), "calls", 0, 1),
    ]


def test_try_that_was_answered__missing_at_the_provider(story: Story) -> None:
    ident = story.call()
    story.provider.clear()
    assert story.found() == [("missing_at_provider", "provider", ident, 1, 200)]
    assert story.found(upstreams=frozenset(["elsewhere"])) == []


def test_decision__missing_at_the_client(story: Story) -> None:
    ident = story.call()
    left, resolved = story.decision(), story.decision()
    story.closed(left, "client_closed", calls=0)
    story.closed(resolved, "resolved", calls=0)
    story.client.clear()
    assert story.found() == [("missing_at_client", "client", ident, 200)]


def test_two_lines_of_one_id__are_duplicates(story: Story) -> None:
    ident = story.call()
    story.provider[ident] *= 2
    line = story.client.pop(ident)
    found = reconcile(Ledgers([line, line], story.provider[ident]), STRICT).findings
    assert [short(each) for each in found] == [
        ("duplicate", "provider", ident, 1, 2),
        ("duplicate", "client", ident, 2),
    ]


def test_two_decisions_of_one_request__are_a_duplicate_or_a_retry(story: Story) -> None:
    first, second = story.decision(request_id="one"), story.decision(request_id="one")
    third, fourth = story.decision(request_id="two", client_retry=0), story.decision(request_id="two", client_retry=1)
    for made in (first, second, third, fourth):
        story.closed(made, "refused", calls=0)
    client = [ClientLine(1, "", "one", 200), ClientLine(2, str(fourth.id), "two", 200)]
    report = reconcile(Ledgers(client), STRICT)
    assert [short(each) for each in report.findings] == [("duplicate", "ours", str(first.id), "request")]
    assert [short(each) for each in report.notes] == [("retried", "ours", str(third.id), "request")]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"status": 500}, ("status", 200, 500)),
        ({"model": "gpt-5"}, ("model", "gpt-4.1", "gpt-5")),
        ({"model": "gpt-4.1-2025-04-14"}, None),
        ({"model": "gpt-4.1-mini"}, ("model", "gpt-4.1", "gpt-4.1-mini")),
        ({"prompt": 11}, ("prompt_tokens", 10, 11)),
        ({"completion": 0}, ("completion_tokens", 3, 0)),
        ({"prompt": None, "completion": None, "model": ""}, None),
    ],
)
@pytest.mark.parametrize("ledger", ["client", "provider"])
def test_what_differs__is_told_with_both_values(
    story: Story, ledger: str, changed: dict[str, Any], told: tuple[Any, ...] | None
) -> None:
    ident = story.call()
    if ledger == "client":
        story.client[ident] = story.client[ident]._replace(**changed)
    else:
        story.provider[ident][0] = story.provider[ident][0]._replace(**changed)
    seq = (1,) if ledger == "provider" else ()
    assert story.found() == ([("differs", ledger, ident, *seq, *told)] if told else [])


def test_other_upstream_id__differs(story: Story) -> None:
    ident = story.call()
    story.provider[ident][0] = story.provider[ident][0]._replace(request="other")
    assert story.found() == [
        ("differs", "provider", ident, 1, "upstream_request_id", f"up-{ident}-1", "other"),
    ]


def test_whole_answer__of_a_call_that_failed_differs(story: Story) -> None:
    made = story.decision()
    story.closed(made, "truncated", calls=0)
    ident = str(made.id)
    story.client[ident] = story.client[ident]._replace(whole=1)
    assert story.found() == [("differs", "client", ident, "result", "truncated", "a whole answer")]


def test_decision_without_outcome__is_open_or_under_way(story: Story) -> None:
    made = story.decision(writer_id="alive")
    told = str(made.id)
    writer("alive")
    assert story.found() == [("open", "ours", told)]
    assert story.found(grace_s=1e9) == [("running", "ours", told)]
    gone = story.decision(writer_id="swept")
    assert story.found(grace_s=1e9) == [("open", "ours", str(gone.id)), ("running", "ours", told)]


LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    "state", [{"journal_bytes": 900}, {"mode": "journal"}, {"heartbeat_at": LONG_AGO}], ids=["holds", "mode", "silent"]
)
def test_rows_that_a_journal_may_hold__are_pending(story: Story, state: dict[str, Any]) -> None:
    writer("away", **state)
    writer("busy", queued=5)
    writer("swept", **state, swept_at=AT, started_at=AT - timedelta(days=9))
    early = new_id_of(AT - timedelta(hours=2))
    story.provider[early] = [ProviderLine(0, early, 1)]
    made = story.decision(writer_id="away")
    story.arrived(made, 1)
    later = new_id()
    story.provider[later] = [ProviderLine(0, later, 1)]
    closed = story.decision(writer_id="away")
    story.arrived(closed, 1)
    story.closed(closed, "ok", calls=1)
    assert story.found(span=Span()) == [
        ("missing_decision", "provider", early),
        ("pending", "ours", str(made.id)),
        ("pending", "provider", str(made.id), 1, 200),
        ("pending", "provider", str(closed.id), 1, 200),
        ("pending", "provider", later),
    ]


def test_row_in_quarantine__is_not_missing(story: Story) -> None:
    kept = {"writer_id": "w", "table_name": "t", "reason": "22021", "at": AT}
    lost = new_id()
    story.client[lost] = ClientLine(0, lost, "", 200)
    no_outcome, no_attempt = story.decision(), story.decision()
    story.arrived(no_outcome, 1)
    story.closed(no_attempt, "ok", calls=1)
    for number, ident in enumerate((lost, str(no_outcome.id), str(no_attempt.id))):
        QuarantinedRow.objects.create(id=new_id(), writer_seq=number, decision_id=ident, **kept)
    short_of_one = story.decision()
    story.closed(short_of_one, "ok", calls=1)
    twice = {**kept, "reason": "duplicate"}
    QuarantinedRow.objects.create(id=new_id(), writer_seq=9, decision_id=str(short_of_one.id), **twice)
    assert story.found() == [
        ("missing_attempt", "ours", str(short_of_one.id), "calls", 0, 1),
        ("quarantined", "ours", str(no_outcome.id)),
        ("quarantined", "provider", str(no_outcome.id), 1, 200),
        ("quarantined", "client", lost),
    ]


def test_row_that_died_with_its_process__is_interrupted(story: Story) -> None:
    made = story.decision()
    story.arrived(made, 1)
    rows.outcome(made, "interrupted", origin="sweeper")
    assert story.found() == [("interrupted", "provider", str(made.id), 1, 200)]
    open_yet = story.decision()
    story.arrived(open_yet, 1)
    assert ("open", "ours", str(open_yet.id)) in story.found()
    assert ("interrupted", "provider", str(open_yet.id), 1, 200) in story.found()


def test_answer_that_was_never_recorded__is_a_missing_outcome(story: Story) -> None:
    for stream in (False, True):
        made = story.decision(is_stream=stream)
        rows.outcome(made, "interrupted", origin="sweeper")
        story.client[str(made.id)] = ClientLine(0, str(made.id), made.request_id, 200)
    buffered, streamed = list(story.client)
    assert story.found() == [("missing_outcome", "client", buffered, 200)]
    story.client[streamed] = story.client[streamed]._replace(whole=1)
    story.client[buffered] = story.client[buffered]._replace(whole=0)
    assert story.found() == [("missing_outcome", "client", streamed, 200)]


def test_server_and_sweeper_both_closed__the_server_is_taken(story: Story) -> None:
    made = story.decision()
    rows.outcome(made, "interrupted", origin="sweeper")
    rows.attempt(made, 1, 0, model="gpt-4.1", status=200, upstream_request_id=f"up-{made.id}-1")
    story.arrived(made, 1)
    story.closed(made, "ok", calls=1)
    assert story.found() == []


def test_try_without_an_answer__is_unseen_or_unheard(story: Story) -> None:
    made = story.decision()
    for seq in (1, 2):
        rows.attempt(made, seq, 0, model="gpt-4.1", error_type="upstream_error", error_code="connection_reset")
    story.arrived(made, 2)
    story.closed(made, "error", status=502, calls=2)
    story.client[str(made.id)] = story.client[str(made.id)]._replace(status=502)
    assert story.found() == [
        ("unheard", "provider", str(made.id), 2, "status", 200),
        ("unseen", "provider", str(made.id), 1),
    ]


def test_client_that_did_not_get_it__is_a_note(story: Story) -> None:
    withheld, unfinished = story.call(), story.call()
    story.client[withheld] = story.client[withheld]._replace(status=503, code="audit_unavailable")
    story.client[unfinished] = story.client[unfinished]._replace(whole=0)
    assert story.found() == [
        ("withheld", "client", withheld, "status", 200, 503),
        ("unfinished", "client", unfinished, "result", "ok"),
    ]


def test_lines_that_name_no_decision__are_found_by_their_request_id(story: Story) -> None:
    ident = story.call()
    story.client[ident] = story.client[ident]._replace(decision="", status=201)
    story.provider[ident][0] = story.provider[ident][0]._replace(decision="", seq=0, status=404)
    assert story.found() == [
        ("differs", "provider", ident, 1, "status", 200, 404),
        ("differs", "client", ident, "status", 200, 201),
    ]


def test_lines_of_nobody__are_notes_unless_they_were_answered(story: Story) -> None:
    client = [ClientLine(1, "", "a", 401), ClientLine(2, "", "b", None), ClientLine(3, "", "c", 200)]
    report = reconcile(Ledgers(client, [ProviderLine(1, request="theirs", status=200)]), STRICT)
    assert [short(each) for each in report.findings] == [("missing_decision", "client", 200)]
    assert [(each.code, each.line) for each in report.notes] == [("unreached", 1), ("unreached", 2), ("foreign", 1)]


def test_embeddings_in_batches__are_one_call(story: Story) -> None:
    made = story.decision(endpoint="embeddings")
    for seq, error in ((1, ""), (2, "server_error"), (3, "")):
        status = 500 if error else 200
        rows.attempt(
            made, seq, 0, model="text-embedding-3-large", endpoint="embeddings", status=status, error_type=error
        )
        story.arrived(made, seq, request="", status=status, model="text-embedding-3-large", prompt=5, completion=None)
    story.closed(made, "ok", calls=3, model_served="text-embedding-3-large", completion_tokens=None)
    story.client[str(made.id)] = ClientLine(0, str(made.id), "", 200, "", 10)
    assert story.found() == []
    story.provider[str(made.id)][2] = story.provider[str(made.id)][2]._replace(prompt=6)
    assert story.found() == [("differs", "provider", str(made.id), 3, "prompt_tokens", 10, 11)]


def test_background_call__is_not_counted_twice(story: Story) -> None:
    begun = story.decision(endpoint="responses")
    rows.attempt(begun, 1, 0, model="gpt-4.1", endpoint="responses", status=200)
    story.arrived(begun, 1, request="", prompt=None, completion=None)
    story.closed(begun, "ok", calls=1, prompt_tokens=None, completion_tokens=None)
    looked = story.decision(endpoint="responses.get")
    rows.attempt(looked, 1, 0, model="gpt-4.1", endpoint="responses", status=200)
    story.arrived(looked, 1, request="")
    story.closed(looked, "ok", calls=1, prompt_tokens=None, completion_tokens=None)
    usage = story.decision(endpoint="responses.usage")
    story.closed(usage, "ok", calls=0)
    del story.client[str(usage.id)]
    assert story.found() == []


def test_span_and_project__leave_the_others_out(story: Story) -> None:
    for project in ("atlas", "borea"):
        story.call(project=project)
    early, late = story.client
    story.client[late] = story.client[late]._replace(status=500)
    assert story.found(project="atlas") == []
    assert story.found(project="borea") == [("differs", "client", late, "status", 200, 500)]
    assert story.found(span=Span(None, AT + timedelta(seconds=2))) == []
    assert story.report(span=Span(AT + timedelta(seconds=2), None)).decisions == 1
    assert early < late
