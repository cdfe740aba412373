"""The parts that both a whole Responses answer and its stream hold, as chat has them (openai-facts.md 2b). Pure.

What comes in is the provider's: any of it may be missing or malformed, and nothing is invented in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from iwrouting.types import HOSTED_CALLS, Usage
from iwrouting.upstream.failures import Failure, Step, bad_answer, in_band
from iwrouting.upstream.usage import MAX_COUNT, read_usage

Json = dict[str, Any]

CUT = "length"
"""Any incomplete response but one that a filter ended: max_output_tokens, max_tokens, or what is unknown here."""


UNBILLED = frozenset({"function_call", "custom_tool_call", "mcp_call"})
"""Calls that somebody else than the provider answers."""


CITATION = {"start_index": int, "end_index": int, "url": str, "title": str}


def failure_of(response: Mapping[str, Any]) -> Failure | None:
    """Why a response object is no answer, though its HTTP status was 200; None if it is one."""
    status, error = response.get("status"), response.get("error")
    if status == "failed" or isinstance(error, dict):
        return in_band(error if isinstance(error, dict) else {})
    if status == "cancelled":
        # Somebody cancelled it at the provider: no other model is asked in its place.
        return Failure(Step.STOP, "cancelled", code="response_cancelled", status=499)
    if status in ("queued", "in_progress"):
        return bad_answer("not_finished", 200)
    return None if status in ("completed", "incomplete") else bad_answer("bad_body", 200)


def finish_reason(response: Mapping[str, Any], *, called: bool) -> str:
    """Why a completed or incomplete response ended; `called`: it holds a function call."""
    if response.get("status") != "incomplete":
        return "tool_calls" if called else "stop"
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    return "content_filter" if reason == "content_filter" else CUT


def chat_usage(response: Mapping[str, Any]) -> Json | None:
    """The usage in chat's names, with every count that its details hold; None where the totals are not reported."""
    usage = response.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage.get("input_tokens")), _count(usage.get("output_tokens"))
    if prompt is None or completion is None:
        return None
    total = _count(usage.get("total_tokens"))
    details = {
        "prompt_tokens_details": _counts(usage.get("input_tokens_details")),
        "completion_tokens_details": _counts(usage.get("output_tokens_details")),
    }
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion if total is None else total,
        **{name: counts for name, counts in details.items() if counts},
    }


def responses_usage(response: Mapping[str, Any]) -> Usage | None:
    """The usage for the record. `hosted_calls` counts what the provider's own tools did, billed by the call."""
    usage = read_usage({"usage": chat_usage(response), "service_tier": response.get("service_tier")})
    output = response.get("output")
    kinds = [item.get("type") for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    hosted = sum(1 for kind in kinds if isinstance(kind, str) and kind.endswith("_call") and kind not in UNBILLED)
    return replace(usage, reported={**usage.reported, HOSTED_CALLS: hosted}) if usage and hosted else usage


def tail(answer: Mapping[str, Any], turned: Callable[[Json], Json]) -> Json:
    """What an answer's end tells beside its choices: the tier that served, and moderation where it was asked for.

    `turned` puts a moderation result into the other API's form.
    """
    found: Json = {}
    if isinstance(answer.get("service_tier"), str):
        found["service_tier"] = answer["service_tier"]
    moderation = answer.get("moderation")
    if isinstance(moderation, dict):
        found["moderation"] = {
            side: turned(value) if isinstance(value, dict) else value for side, value in moderation.items()
        }
    return found


def chat_moderation(given: Json) -> Json:
    """One side's moderation, of input or output, as chat has it: a list of results, here of one."""
    if given.get("type") != "moderation_result":
        return given
    return {"type": "moderation_results", "model": given.get("model"), "results": [given]}


def responses_moderation(given: Json) -> Json:
    """The same the other way: the first result that flags, else the first."""
    results = given.get("results")
    found = [each for each in results if isinstance(each, dict)] if isinstance(results, list) else []
    return next((each for each in found if each.get("flagged")), found[0]) if found else given


def citations(part: Mapping[str, Any], offset: int) -> Iterator[Json]:
    """The part's web citations, nested as chat has them, moved by the length of the text before the part."""
    annotations = part.get("annotations")
    for each in annotations if isinstance(annotations, list) else ():
        if isinstance(each, dict) and each.get("type") == "url_citation" and is_citation(each):
            flat = {name: value for name, value in each.items() if name != "type"}
            flat |= {name: flat[name] + offset for name in ("start_index", "end_index")}
            yield {"type": "url_citation", "url_citation": flat}


def is_citation(given: Mapping[str, Any]) -> bool:
    """Whether a web citation has its four members; one that has not is left out: it would break strict clients."""
    return all(type(given.get(name)) is kind for name, kind in CITATION.items())


def probabilities(given: object) -> list[Json]:
    """Log probabilities with the bytes that chat wants and a stream's events leave out; malformed ones are left out."""
    found = []
    for each in given if isinstance(given, list) else ():
        if _is_probability(each):
            top = each.get("top_logprobs")
            rivals = [_probability(rival) for rival in top if _is_probability(rival)] if isinstance(top, list) else []
            found.append({**_probability(each), "top_logprobs": rivals})
    return found


def _is_probability(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("token"), str):
        return False
    return type(value.get("logprob")) in (int, float)


def _probability(entry: Json) -> Json:
    token, raw = entry["token"], entry.get("bytes")
    whole = isinstance(raw, list) and all(type(octet) is int for octet in raw)
    octets = raw if whole else list(token.encode("utf-8", "surrogatepass"))
    return {"token": token, "logprob": entry["logprob"], "bytes": octets}


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < MAX_COUNT else None


def _counts(details: object) -> dict[str, int]:
    given = details if isinstance(details, dict) else {}
    return {name: value for name, value in given.items() if _count(value) is not None}
