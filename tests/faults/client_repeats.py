"""The rows C10 to C12 (faults.md 4): a request again, many at once, and one connection for several.

Each scenario does one thing to a running service and says what the caller got and what the audit holds.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.faults.client_rows import Scene
from tests.sandbox import raw


def same_idempotency_key(scene: Scene) -> tuple[str, str]:
    bodies = [scene.body(), scene.body(), scene.body(user="another")]
    statuses = [scene.send(body, idempotency_key="one-key").status for body in bodies]
    results = [record.outcome.result for record in scene.records(3)]
    return ", ".join(map(str, statuses)), ", ".join(results)


def many_at_once(scene: Scene) -> tuple[str, str]:
    with ThreadPoolExecutor(48) as pool:
        answers = list(pool.map(lambda _: scene.send().status, range(150)))
    other = scene.live.tenant()
    assert scene.live.chat("fast", client=scene.live.client(other)).answer.choices
    assert len(scene.records(150)) == 150
    return f"{answers.count(200)} of 150 answers", "150 outcomes, no other project held up"


def again_after_an_error(scene: Scene) -> tuple[str, str]:
    with raw.connect(scene.live.base_url) as sock:
        sock.sendall(scene.request(b"{") + scene.request() + scene.request({**scene.body(), "model": "no-such"}))
        data = b""
        while data.count(b"HTTP/1.1 ") < 3 or not data.rstrip().endswith((b"}", b"0")):
            data += sock.recv(65536)
    statuses = [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]
    results = [record.outcome.result for record in scene.records(2)]
    return ", ".join(map(str, statuses)), ", ".join(results)
