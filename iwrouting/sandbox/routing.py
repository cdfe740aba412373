"""From a received request to its answer: which endpoint, who asks, which fault, what the endpoint says."""

from __future__ import annotations

import time
from urllib.parse import unquote

from iwrouting.sandbox import KEY, chat, embeddings
from iwrouting.sandbox.answer import Answer, Json, refused_answer
from iwrouting.sandbox.edits import edited, replaced
from iwrouting.sandbox.exchange import Exchange
from iwrouting.sandbox.faults import Fault
from iwrouting.sandbox.presets import from_header
from iwrouting.sandbox.refusals import Refused
from iwrouting.sandbox.state import Sandbox
from iwrouting.sandbox.words import digest

POSTS = {"/v1/chat/completions": "chat", "/v1/responses": "responses", "/v1/embeddings": "embeddings"}
GETS = "/v1/models"


def respond(sandbox: Sandbox, exchange: Exchange) -> tuple[Answer, Fault | None]:
    """The answer to a request, and the fault that delivery still has to carry out."""
    try:
        endpoint = endpoint_of(exchange)
        authorise(exchange.headers.get("authorization"))
        request = read(exchange, endpoint)
        fault = choose(sandbox, exchange, endpoint)
    except Refused as refused:
        return refused_answer(refused), None
    if fault is not None and fault.answers:
        return replaced(fault), fault
    try:
        answer = answered(sandbox, exchange, endpoint, request)
    except Refused as refused:
        return refused_answer(refused), fault
    return (answer if fault is None else edited(answer, fault)), fault


def endpoint_of(exchange: Exchange) -> str:
    """The endpoint's short name. Refused: 404 for an unknown path, 405 for another method than the path's own."""
    path = exchange.path
    wanted = "POST" if path in POSTS else "GET" if path == GETS or path.startswith(GETS + "/") else None
    if wanted is None:
        raise Refused(404, f"Invalid URL ({exchange.method[:16]} {path[:200]})")
    if exchange.method != wanted:
        message = (
            f"Not allowed to {exchange.method[:16]} on {path[:200]}. (HINT: Perhaps you meant to use a different HTTP "
            "method?)"
        )
        raise Refused(405, message, code="method_not_supported")
    return POSTS.get(path, "models")


def authorise(header: str | None) -> None:
    """Refuses with 401 a request without key, or with another than the sandbox's; the message masks the key."""
    scheme, _, given = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
            "auth (i.e. Authorization: Bearer YOUR_KEY). The sandbox takes the key sk-sandbox."
        )
        raise Refused(401, message)
    if given.strip() != KEY:
        message = f"Incorrect API key provided: {masked(given.strip())}. The sandbox takes the key sk-sandbox."
        raise Refused(401, message, code="invalid_api_key")


def masked(key: str) -> str:
    """A key as the provider shows it: three characters at the front, four at the end, of long ones only."""
    return f"{key[:3]}{'*' * 8}{key[-4:]}" if len(key) >= 20 else "*" * 8


def read(exchange: Exchange, endpoint: str) -> Json:
    """The request's body as JSON (none on GET), with the model and the stream flag noted for plan and log."""
    if endpoint == "models":
        name = exchange.path.removeprefix(GETS).lstrip("/")
        exchange.model = unquote(name) or None
        return {}
    request = exchange.json()
    model = request.get("model")
    exchange.model = model if isinstance(model, str) else None
    exchange.stream = request.get("stream") is True
    return request


def choose(sandbox: Sandbox, exchange: Exchange, endpoint: str) -> Fault | None:
    """The fault for this request: a rule of the plan, else the header's; noted for the log."""
    fault = sandbox.plan.choose(endpoint, exchange.model, exchange.stream, exchange.headers)
    header = exchange.headers.get("x-sandbox-fault")
    if fault is None and header:
        fault = from_header(header)
    if fault is not None:
        exchange.fault = fault.label
        sandbox.counters.faults += 1
    return fault


def answered(sandbox: Sandbox, exchange: Exchange, endpoint: str, request: Json) -> Answer:
    """What the endpoint says to a request that reached it."""
    if endpoint == "models":
        name = exchange.model
        models = sandbox.models
        return Answer(models.listing() if name is None else models.entry(models.find(name).facts))
    if endpoint == "embeddings":
        return embeddings.embed(sandbox.models, request)
    key = f"{digest(exchange.body)}{exchange.n:x}"
    if endpoint == "responses":
        raise Refused(404, f"Invalid URL (POST {exchange.path})")
    return chat.complete(sandbox.models, sandbox.cache, request, key, int(time.time()))
