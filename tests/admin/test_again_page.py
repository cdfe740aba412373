"""A decision resolved again on its page: as of then, and now with the differences."""

from __future__ import annotations

from urllib.parse import parse_qs, urlparse

from django.test import Client

from iwrouting.models import Alias, Decision, Override, Revision
from iwrouting.snapshot.moments import moment_text
from tests.admin import cast
from tests.admin.conftest import LoggedIn
from tests.admin.html import Page, read
from tests.planning.deciding import decide

LIST = "/admin/iwrouting/decision/"


def decided() -> Decision:
    cast.model()
    cast.model("gpt-5.1")
    cast.alias("fast", "gpt-4.1")
    cast.alias("deep", "gpt-5.1", chain=["fast"])
    cast.project()
    return decide("deep", project="atlas")


def again(client: Client, decision: Decision) -> Page:
    return read(client.get(f"{LIST}{decision.pk}/again/"))


def test_page_of_a_decision__leads_to_both(boss: Client, as_user: LoggedIn) -> None:
    made = decided()
    links = read(boss.get(f"{LIST}{made.pk}/change/")).values("a", "href")
    assert f"{LIST}{made.pk}/again/" in links
    then = next(each for each in links if "as-of" in each)
    assert parse_qs(urlparse(then).query) == {
        "as_of": [str(made.revision)], "at": [moment_text(made.decision_at)], "environment_id": [made.environment_id],
    }  # fmt: skip
    assert "deep chat_mode gpt-5.1 default" in read(boss.get(then)).text
    auditor = as_user(cast.person("auditor", "view_decision"))
    assert "as-of" not in " ".join(read(auditor.get(f"{LIST}{made.pk}/change/")).values("a", "href"))


def test_unchanged__both_give_the_same(boss: Client) -> None:
    page = again(boss, decided())
    assert "As of then same gpt-5.1 (default), then gpt-4.1. The same answer: this configuration," in page.text
    assert "Now same gpt-5.1 (default), then gpt-4.1. The same answer as then." in page.text
    assert page.faults == []


def test_changed__then_is_the_same_and_now_tells_the_differences(boss: Client) -> None:
    made = decided()
    row = Override.objects.create(alias=Alias.objects.get(name="deep"), model="gpt-4.1")
    revision = Revision.current()
    page = again(boss, made)
    assert "As of then same" in page.text
    assert "Now differs gpt-4.1 (override). Another answer than then." in page.text
    assert "model gpt-5.1 gpt-4.1" in page.text
    assert "source default override" in page.text
    assert "override: gpt-4.1 (used)" in page.text
    assert "1. fast: gpt-4.1 (duplicate)" in page.text
    assert (Revision.current(), Decision.objects.count()) == (revision, 1)
    assert row.pk


def test_row_that_says_otherwise__is_said_plainly(boss: Client) -> None:
    decided()
    made = cast.decision(model_asked="deep", alias="deep", revision=Revision.current(), app_version="0.0.1")
    text = again(boss, made).text
    assert "No answer: No environment e3b0c44298fc1c14 was ever recorded." in text
    stored = Decision.objects.exclude(pk=made.pk).get()
    other = cast.decision(
        model_asked="deep", alias="deep", revision=Revision.current(), environment_id=stored.environment_id,
        model_resolved=cast.HOSTILE, app_version="0.0.1", key_id="nokey",
    )  # fmt: skip
    page = again(boss, other)
    assert "As of then differs gpt-5.1 (default), then gpt-4.1. Not the answer on the row." in page.text
    assert "The service was 0.0.1 then and is" in page.text
    assert f"model {cast.HOSTILE} gpt-5.1" in page.text
    assert page.faults == []


def test_look_at_a_response__has_nothing_to_resolve(boss: Client) -> None:
    page = again(boss, cast.decision(endpoint="responses.get"))
    assert page.text.count("No answer: No model was chosen") == 2


def test_who_may_not_see_decisions__is_told(as_user: LoggedIn, boss: Client) -> None:
    made = decided()
    answer = as_user(cast.person("nobody", "view_alias")).get(f"{LIST}{made.pk}/again/")
    assert (answer.status_code, b"iwrouting.view_decision" in answer.content) == (403, True)
    missing = read(boss.get(f"{LIST}0199e8a0-0000-7000-8000-000000000000/again/", follow=True))
    assert "There is no decision" in missing.text
