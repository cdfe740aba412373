"""A real Prometheus scrapes two workers: its numbers are what the callers counted, also where a worker is killed."""

from __future__ import annotations

import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from openai import APIConnectionError, OpenAI

from tests.api.dashboards import queries
from tests.live import ledger
from tests.live.live import Live
from tests.live.processes import ServiceProcess
from tests.live.test_metrics import scrape, traffic
from tests.live.world import Tenant
from tests.prometheus.server import Prometheus, lint
from tests.sandbox import raw

OK = 'sum(iwrouting_decisions_total{endpoint="chat",result="ok"})'
COUNTED = re.compile("(?:gen_ai_client|iwrouting(?!_audit))_.*(?:_total|_bucket|_sum|_count)")
CALLERS = 3
PHASE_S = 4.0


def test_promtool__has_nothing_to_say_of_a_scrape(live: Live, metered: ServiceProcess, tenant: Tenant) -> None:
    traffic(live, tenant, metered.url)
    scrape(metered, tenant)
    got = raw.get(f"{metered.url}/v1", "/metrics", host="127.0.0.1", authorization=f"Bearer {tenant.key}")
    assert lint(got.body.decode()) == ""


def call(client: OpenAI, stop: Event) -> tuple[int, int]:
    """Call until told to stop, with a pause; how many were answered, and how many broke off."""
    answered = broken = 0
    while not stop.wait(0.02):
        try:
            client.chat.completions.create(model="fast", messages=[{"role": "user", "content": "Hello"}])
            answered += 1
        except APIConnectionError:
            broken += 1
    return answered, broken


def test_a_worker_that_is_killed_under_load__leaves_every_rate_right(
    live: Live, metered: ServiceProcess, tenant: Tenant, scraping: Prometheus
) -> None:
    before = scraping.number(OK)
    stop = Event()
    clients = [live.client(tenant, url=metered.url) for _ in range(CALLERS)]
    started = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(call, client, stop) for client in clients]
        stop.wait(PHASE_S)
        killed = metered.children()
        os.kill(killed[0], signal.SIGKILL)
        ledger.eventually(lambda: len(set(metered.children()) - set(killed)) == 1, "another worker", 10)
        stop.wait(PHASE_S)
        stop.set()
    seconds = time.monotonic() - started
    answered, broken = (sum(numbers) for numbers in zip(*(caller.result() for caller in callers), strict=True))
    assert broken <= CALLERS
    ledger.eventually(lambda: scraping.number(OK) >= before + answered, "the last scrape", 10)
    # A call may have ended, and been counted, before its worker was killed without answering.
    assert before + answered <= scraping.number(OK) <= before + answered + broken
    counters = [name for name in scraping.get("label/__name__/values") if COUNTED.fullmatch(name)]
    assert len(counters) > 10
    assert [name for name in counters if scraping.number(f"sum(resets({name}[2m]))")] == []
    highest = scraping.number(f"max_over_time(sum(rate(iwrouting_decisions_total[2s]))[{round(seconds)}s:500ms])")
    assert 0.5 < highest / (answered / seconds) < 2.5


def test_every_query_of_the_dashboard__is_one_that_prometheus_takes(scraping: Prometheus) -> None:
    found = [(panel, scraping.ask(query)) for panel, query in queries("calls.json")]
    assert len(found) > 30
    without = {panel for panel, samples in found if not samples}
    assert without <= QUIET, without - QUIET


QUIET = {
    "Rungs passed over",
    "Breakers that opened",
    "Breakers not closed",
    "Errors",
    "Calls whose cost is not known",
    "Input that the provider had cached",
}
"""Panels for what did not happen here."""


@pytest.mark.parametrize("label", ["gen_ai_request_model", "gen_ai_response_model", "alias", "model"])
def test_no_label__is_a_name_that_only_a_caller_knew(scraping: Prometheus, label: str) -> None:
    values = scraping.get(f"label/{label}/values")
    assert values
    assert "no-such-model-of-a-caller" not in values
