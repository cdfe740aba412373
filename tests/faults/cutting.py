"""Recorded streams cut at byte offsets, many at a time: what each call must be, and whether it was."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from iwrouting.models import Alias, Attempt, Model, Outcome, Upstream
from tests.faults.matrix import BEHIND
from tests.faults.modes import CHAT, MODES, RESPONSES
from tests.faults.replay import WAYS, Replay
from tests.live.databases import ALIAS
from tests.sandbox import raw

AT_ONCE = 24
HEARD = "Grüße 你好 🙂"
ADD = {
    "name": "add",
    "parameters": {"type": "object", "properties": {"zahl": {"type": "string"}}, "required": ["zahl"]},
}
USAGE = {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}}
PLAIN = {"stream": True, "stream_options": {"include_obfuscation": False}}
RECORDED: dict[str, tuple[str, dict[str, Any]]] = {
    "chattext": (CHAT, {**USAGE, "messages": [{"role": "user", "content": HEARD}]}),
    "chattools": (
        CHAT,
        {
            **USAGE,
            "messages": [{"role": "user", "content": "call add"}],
            "tools": [{"type": "function", "function": ADD}],
        },
    ),
    "responsestext": (RESPONSES, {**PLAIN, "input": HEARD}),
    "responsestools": (
        RESPONSES,
        {**PLAIN, "input": "call add", "tools": [{"type": "function", "strict": False, **ADD}]},
    ),
}
PLAYED = (
    ("chat streamed", "chattext"),
    ("chat streamed", "chattools"),
    ("chat by responses streamed", "responsestext"),
    ("chat by responses streamed", "responsestools"),
    ("responses streamed", "responsestext"),
    ("responses by chat streamed", "chattext"),
    ("responses by chat streamed", "chattools"),
)
"""Each recording in each mode that can meet it."""


@dataclass(frozen=True)
class Cut:
    """One call: the recording is cut after so many bytes."""

    mode: str
    recording: str
    offset: int
    way: str


@dataclass
class Played:
    """What came of one cut."""

    cut: Cut
    status: int
    body: bytes
    decision: str
    model: str


@dataclass
class Tally:
    """How often each kind of end was seen, and what was wrong."""

    ends: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def make_replay_rows(port: int) -> None:
    """Store the replaying upstream, a model of each API behind it, and an alias with a healthy model behind each."""
    upstream = Upstream(slug="replay", base_url=f"http://127.0.0.1:{port}/v1", secret_ref="env:IW_UPSTREAM_API_KEY")
    upstream.save(using=ALIAS)
    for served in ("chat", "responses"):
        Model(model_id=f"replay-{served}", endpoints=[served], upstream=upstream).save(using=ALIAS)
        name, model = f"replay_{served}", f"replay-{served}"
        Alias(name=name, kind="role", default_model=model, chain=[BEHIND]).save(using=ALIAS)


def record(base_url: str) -> dict[str, bytes]:
    """The streams, as the sandbox sends them."""
    return {
        name: raw.post(base_url, path, {"model": "gpt-4.1-mini", **body}).body
        for name, (path, body) in RECORDED.items()
    }


def borders(recording: bytes) -> list[int]:
    """The offsets after each frame."""
    return [at + 2 for at in range(len(recording)) if recording.startswith(b"\n\n", at)]


def whole_from(recording: bytes) -> int:
    """The offset from which an answer is whole: after the frame that says how it ended."""
    for border in borders(recording):
        frame = recording[:border].rstrip(b"\n").rpartition(b"\n\n")[2]
        if b'"finish_reason":"' in frame or b"event: response.completed" in frame:
            return border
    raise AssertionError("the recording has no end")


def all_cuts(recordings: dict[str, bytes]) -> Iterator[Cut]:
    """Every offset of every recording in every mode, each in every way."""
    for mode, name in PLAYED:
        for offset in range(len(recordings[name]) + 1):
            yield from (Cut(mode, name, offset, way) for way in WAYS)


def some_cuts(recordings: dict[str, bytes], spread: int) -> Iterator[Cut]:
    """So many offsets spread over each recording, and every border of its frames, in changing ways."""
    for mode, name in PLAYED:
        size = len(recordings[name])
        offsets = {size * part // spread for part in range(spread)} | set(borders(recordings[name]))
        for number, offset in enumerate(sorted(offsets)):
            yield Cut(mode, name, offset, WAYS[number % len(WAYS)])


async def play(url: str, key: str, run: str, replay: Replay, cuts: Iterable[Cut]) -> list[Played]:
    """Make all the calls, some at a time."""
    waiting = list(cuts)
    random.Random(1).shuffle(waiting)  # noqa: S311 - an order, no secret
    done: list[Played] = []
    timeout = aiohttp.ClientTimeout(total=60)
    headers = {"authorization": f"Bearer {key}", "x-iw-run-id": run}
    async with replay.serving(), aiohttp.ClientSession(timeout=timeout, headers=headers) as session:

        async def worker() -> None:
            while waiting:
                done.append(await one(session, url, waiting.pop()))

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return done


async def one(session: aiohttp.ClientSession, url: str, cut: Cut) -> Played:
    """One call."""
    mode = MODES[cut.mode]
    text = f"replay {cut.recording} {cut.offset} {cut.way}"
    asked = {"input": text} if mode.path == RESPONSES else {"messages": [{"role": "user", "content": text}]}
    body = {"model": f"replay_{mode.served}", "stream": True, **asked}
    async with session.post(url + mode.path, json=body) as answer:
        data = await answer.read()
        model = answer.headers.get("x-iw-model", "")
        return Played(cut, answer.status, data, answer.headers.get("x-iw-decision-id", ""), model)


def tally(run: str, played: list[Played], recordings: dict[str, bytes], replay: Replay) -> Tally:
    """Judge every call of a run against the recording, the audit and the replay's own log."""
    outcomes = Outcome.objects.using(ALIAS).filter(decision__run_id=run).values_list("decision_id", "result")
    attempts = Attempt.objects.using(ALIAS).filter(decision__run_id=run, upstream="replay")
    arrived = Counter(name.rpartition("-")[0] for name in replay.played)
    found = Tally()
    results = {str(key): value for key, value in outcomes}
    tries = Counter(str(key) for key in attempts.values_list("decision_id", flat=True))
    for each in played:
        end, fault = judged(each, recordings[each.cut.recording])
        result = results.get(each.decision, "no outcome")
        if result != RESULTS.get(end, "?"):
            fault = fault or f"the audit says {result}"
        if tries[each.decision] != arrived[each.decision]:
            fault = fault or f"{tries[each.decision]} attempts, {arrived[each.decision]} calls arrived"
        found.ends[each.cut.mode, each.cut.recording, end] += 1
        if fault:
            found.wrong.append(f"{each.cut}: {end}: {fault}")
    return found


RESULTS = {"whole": "ok", "whole by the next model": "ok_after_fallback", "error event": "truncated"}


def judged(each: Played, recording: bytes) -> tuple[str, str]:
    """How a call ended, and what is wrong with that; an empty string: nothing."""
    if each.status != 200:
        return f"status {each.status}", each.body[:200].decode(errors="replace")
    frames = each.body.split(b"\n\n")
    last = frames[-2].rpartition(b"data: ")[2] if len(frames) > 1 else b""
    ended = last == b"[DONE]" or b'"type":"response.completed"' in last
    given = content(each.body)
    if not ended:
        failed = last.startswith(b"{") and bool(json.loads(last).get("error"))
        fault = "" if failed else "an end that is none"
        wanted = content(recording)
        return "error event", fault or ("" if wanted.startswith(given) else "not the beginning of the answer")
    if each.model == BEHIND:
        return "whole by the next model", "" if given.startswith(f"sandbox: {BEHIND} heard") else "another text"
    fault = "" if given == content(recording) else "half an answer that looks whole"
    return "whole", fault or ("" if each.cut.offset >= whole_from(recording) else "more than was sent")


def content(stream: bytes) -> str:
    """The text and the tool arguments of a stream of either API, as far as its frames are whole."""
    return "".join(piece for frame in stream.split(b"\n\n")[:-1] for piece in pieces(frame))


def pieces(frame: bytes) -> Iterator[str]:
    """What one frame adds."""
    try:
        event = json.loads(frame.rpartition(b"data: ")[2])
    except ValueError:
        return
    if not isinstance(event, dict):
        return
    if event.get("type") in ("response.output_text.delta", "response.function_call_arguments.delta"):
        yield event["delta"]
    for choice in event.get("choices") or ():
        yield choice["delta"].get("content") or ""
        yield from (call["function"].get("arguments", "") for call in choice["delta"].get("tool_calls") or ())
