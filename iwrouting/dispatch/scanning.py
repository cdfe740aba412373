"""Which scanner watches a stream: by the API that the caller speaks, and the one that the rung's model is asked at."""

from __future__ import annotations

import time

from iwrouting.dispatch.job import Job
from iwrouting.types import AttemptRecord, Endpoint
from iwrouting.upstream import Scanner, StreamScanner
from iwrouting.upstream.responses import ResponsesScanner
from iwrouting.upstream.translate import ResponsesStream, TranslatingScanner
from iwrouting.upstream.translate.reverse import ChatStream, Echo, ReverseScanner


def choices_sent(attempt: AttemptRecord, asked: int) -> int:
    """How many choices a try asks for, of the `asked` ones: a rung that takes no `n` makes one."""
    return 1 if "dropped n" in attempt.changes else asked


def scanner_for(job: Job, attempt: AttemptRecord, *, choices: int, keep_usage: bool) -> Scanner:
    """A scanner for one try. `choices` and `keep_usage` are what a chat caller asked for."""
    if attempt.endpoint == job.endpoint:
        if job.endpoint == Endpoint.RESPONSES:
            return ResponsesScanner(at_once=job.goes_on or bool(job.path))
        return StreamScanner(choices=choices_sent(attempt, choices), keep_usage=keep_usage)
    if job.endpoint == Endpoint.RESPONSES:
        return ReverseScanner(ChatStream(echo_of(job)))
    return TranslatingScanner(ResponsesStream(job.chat_id, int(time.time()), include_usage=keep_usage))


def echo_of(job: Job) -> Echo:
    """What a translated response says of its request and itself: its ids name the decision."""
    return Echo(job.body, job.response_id, job.decision_id.replace("-", ""), int(time.time()))
