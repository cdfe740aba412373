"""Going on from a response: at the upstream that holds it, and never from another project's."""

from __future__ import annotations

import pytest
from openai import BadRequestError

from tests.live.live import Live
from tests.live.reading import created
from tests.live.world import CHAT_ONLY, HASTY

NATIVE = "gpt-4.1"


def test_going_on__is_heard_by_the_upstream_that_holds_it(live: Live) -> None:
    first = created(live, NATIVE)
    second = created(live, NATIVE, "And again", previous_response_id=first.answer.id)
    assert second.record.served() == ("ok", NATIVE, 200)
    assert second.answer.previous_response_id == first.answer.id


@pytest.mark.usefixtures("own_home")
def test_going_on__passes_over_every_other_upstream(live: Live) -> None:
    first = created(live, NATIVE)
    tenant = live.home
    live.override("manager", HASTY, tenant.row)
    live.settle()
    second = created(live, "manager", "And again", previous_response_id=first.answer.id)
    assert second.record.tried[0] == (1, "skip", 0, 0, HASTY, None, "capability")
    assert second.record.attempts[0].error_param == "previous_response_id"
    assert second.record.outcome.upstream_served == "sandbox"


def test_going_on_from_another_projects_response__is_not_possible(live: Live) -> None:
    first = created(live, NATIVE)
    sent = len(live.sent())
    for stream in (False, True):
        with pytest.raises(BadRequestError) as caught:
            created(
                live, NATIVE, client=live.client(live.tenant()), previous_response_id=first.answer.id, stream=stream
            )
        assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")
    assert len(live.sent()) == sent


def test_going_on_from_what_nobody_knows__is_the_primarys_to_judge(live: Live) -> None:
    with pytest.raises(BadRequestError) as caught:
        created(live, "manager", previous_response_id="resp_nobody")
    assert caught.value.code == "previous_response_not_found"
    assert [line["path"] for line in live.sent()] == ["/v1/responses"]


def test_going_on_at_a_model_of_chat_alone__is_a_400_that_names_the_field(live: Live) -> None:
    first = created(live, NATIVE)
    with pytest.raises(BadRequestError) as caught:
        created(live, CHAT_ONLY, previous_response_id=first.answer.id)
    assert caught.value.param == "previous_response_id"
