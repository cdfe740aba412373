"""What a stream used that ended before its usage came: the caller left, or it broke off (faults.md T9).

Reported numbers are never mixed with estimated ones.
"""

from __future__ import annotations

from iwrouting.calls.draft import Draft, Ending
from iwrouting.dispatch import Job, OpenStream
from iwrouting.tokens import SOURCE_BYTES, estimate
from iwrouting.types import Usage


def take_usage(draft: Draft, job: Job, ending: Ending, stream: OpenStream, *, cut: bool) -> None:
    """Put what the provider reported into the ending; for a stream that was `cut` before it came, an estimate.

    The estimate is the decision's own for the input, and a quarter of the bytes of text that came for the output. It
    knows nothing of reasoning that was not shown, so it is a lower bound. Usage that was reported on the way, before
    the answer was whole, is a part of it: its cost is an estimate too. What goes on in the background, or is only
    looked at, is not estimated: its usage is told at its end.
    """
    cut = cut and not draft.goes_on and draft.fetches is None
    scanner = stream.scanner
    ending.usage = scanner.usage
    ending.estimated = cut and not (scanner.whole and scanner.usage)
    if cut and scanner.usage is None and not job.goes_on:
        asked = draft.count.total if draft.count else estimate(draft.size)
        ending.usage = Usage(prompt_tokens=asked, completion_tokens=estimate(scanner.text_bytes))
        ending.tokens_source = SOURCE_BYTES
