"""Random chains, fault plans and deadlines against the sandbox: a short sample of what a campaign runs for long."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.live.chains import WINDOWS, Scenario, judge, play, scenarios
from tests.live.live import Live


@settings(
    max_examples=20,
    deadline=None,
    # To shrink one takes minutes, and it is short already.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(scenario=scenarios())
def test_any_chain__with_any_faults_and_deadline__does_what_the_table_says(live: Live, scenario: Scenario) -> None:
    judge(live, scenario, play(live, scenario))


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_barred_model__is_not_reached_by_making_the_others_fail(live: Live, streamed: bool) -> None:
    faults = dict.fromkeys(WINDOWS, "503")
    scenario = Scenario(("gpt-5.1", "gpt-4.1", "gpt-5-mini"), faults, frozenset({"gpt-4.1"}), 1.2, streamed)
    played = play(live, scenario)
    assert [a.skip_reason for a in played.record.attempts] == ["", "", "not_allowed", "", ""]
    judge(live, scenario, played)
