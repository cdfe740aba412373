"""Sends the scenes: the calls of one side by side, one scene after the other."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping

import aiohttp

from iwrouting.management.demo.script import Call, Json, Scene

AT_ONCE = 8
TIMEOUT_S = 60.0
Say = Callable[[str], None]
Lift = Callable[[str], None]


async def play(scenes: list[Scene], service: str, sandbox: str, keys: Mapping[str, str], say: Say, lift: Lift) -> None:
    """Send all of them, telling after each which statuses came. `lift` raises the budget of a run."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for scene in scenes:
            await plan(session, sandbox, scene.faults)
            if scene.raised:
                await asyncio.to_thread(lift, scene.raised)
            statuses = await perform(session, service, keys, scene)
            told = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
            say(f"{scene.name}: {told}")
        await plan(session, sandbox, [])


async def plan(session: aiohttp.ClientSession, sandbox: str, rules: list[Json]) -> None:
    """Put the faults of a scene in force."""
    async with session.put(f"{sandbox.removesuffix('/v1')}/_sandbox/plan", json={"rules": rules}) as answer:
        answer.raise_for_status()


async def perform(session: aiohttp.ClientSession, service: str, keys: Mapping[str, str], scene: Scene) -> Counter[str]:
    """Send the calls of a scene; how often each status came."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(call: Call) -> str:
        async with gate:
            return await send(session, service, keys[call.key], call)

    return Counter(await asyncio.gather(*(one(call) for call in scene.calls)))


async def send(session: aiohttp.ClientSession, service: str, key: str, call: Call) -> str:
    """Send one call and read its answer, or leave it; its status, or how it ended."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", **call.headers}
    try:
        async with session.post(service + call.path, data=json.dumps(call.body), headers=headers) as answer:
            if call.leave is None:
                await answer.read()
            else:
                await answer.content.readexactly(call.leave)
                answer.close()
            return str(answer.status)
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
        return type(error).__name__
