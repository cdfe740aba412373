"""From a received request to its answer: which endpoint, who asks, which fault, what the endpoint says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from iwrouting.sandbox import KEY, chat, embeddings, responses
from iwrouting.sandbox.answer import Answer, Json, refused_answer
from iwrouting.sandbox.edits import echoed, edited, replaced
from iwrouting.sandbox.exchange import Exchange
from iwrouting.sandbox.faults import Fault
from iwrouting.sandbox.presets import from_header
from iwrouting.sandbox.refusals import Refused
from iwrouting.sandbox.state import Sandbox
from iwrouting.sandbox.words import digest

ENDPOINTS = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
    "/v1/embeddings": "embeddings",
    "/v1/models": "models",
}
CREATES = ("chat", "responses", "embeddings")


@dataclass(frozen=True, slots=True)
class Route:
    """What a request is for: endpoint, action, and the id in its path (empty: none)."""

    endpoint: str
    action: str
    id: str = ""


def respond(sandbox: Sandbox, exchange: Exchange) -> tuple[Answer, Fault | None]:
    """The answer to a request, and the fault that delivery still has to carry out."""
    try:
        route = route_of(exchange)
        authorise(exchange.headers.get("authorization"))
        request = read(exchange, route)
        fault = choose(sandbox, exchange, route)
    except Refused as refused:
        return refused_answer(refused), None
    if fault is None:
        return answered(sandbox, exchange, route, request, Fault()), None
    answer = replaced(fault) if fault.answers else answered(sandbox, exchange, route, request, fault)
    return (echoed(answer, exchange.headers["authorization"]) if fault.echo_key else answer), fault


def route_of(exchange: Exchange) -> Route:
    """What the request is for. Refused: 404 for an unknown path, 405 for another method than the path's own."""
    known = routes(exchange.path)
    if not known:
        raise Refused(404, f"Invalid URL ({exchange.method[:16]} {exchange.path[:200]})")
    route = known.get(exchange.method)
    if route is None:
        message = (
            f"Not allowed to {exchange.method[:16]} on {exchange.path[:200]}. (HINT: Perhaps you meant to use a "
            "different HTTP method?)"
        )
        raise Refused(405, message, code="method_not_supported")
    return route


def routes(path: str) -> dict[str, Route]:
    """The methods of a path; empty: no such path."""
    if path in ENDPOINTS:
        endpoint = ENDPOINTS[path]
        return {"POST": Route(endpoint, "create")} if endpoint in CREATES else {"GET": Route(endpoint, "list")}
    base, _, rest = path.removeprefix("/v1/").partition("/")
    if base == "models" and rest:
        return {"GET": Route(base, "get", unquote(rest))}
    found, _, action = rest.partition("/")
    if base == "responses" and found and not action:
        return {"GET": Route(base, "get", unquote(found)), "DELETE": Route(base, "delete", unquote(found))}
    if base == "responses" and found and action == "cancel":
        return {"POST": Route(base, "cancel", unquote(found))}
    if base == "responses" and found and action == "input_items":
        return {"GET": Route(base, "input_items", unquote(found))}
    return {}


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


def read(exchange: Exchange, route: Route) -> Json:
    """The body of a creating request as JSON, with model and stream flag noted for plan and log; else empty."""
    if route.action != "create":
        exchange.model = route.id or None if route.endpoint == "models" else None
        return {}
    request = exchange.json()
    model = request.get("model")
    exchange.model = model if isinstance(model, str) else None
    exchange.stream = request.get("stream") is True
    return request


def choose(sandbox: Sandbox, exchange: Exchange, route: Route) -> Fault | None:
    """The fault for this request: a rule of the plan, else the header's; noted for the log."""
    fault = sandbox.plan.choose(route.endpoint, route.action, exchange.model, exchange.stream, exchange.headers)
    header = exchange.headers.get("x-sandbox-fault")
    if fault is None and header:
        fault = from_header(header)
    if fault is not None:
        exchange.fault = fault.label
        sandbox.counters.faults += 1
    return fault


def answered(sandbox: Sandbox, exchange: Exchange, route: Route, request: Json, fault: Fault) -> Answer:
    """What the endpoint says to a request that reached it, as the fault changes it; a refusal stays as it is."""
    if fault.mode is not None and route.endpoint in ("chat", "responses"):
        request = moded(request, streamed=fault.mode == "sse")
    try:
        return edited(endpoint_answer(sandbox, exchange, route, request, fault), fault)
    except Refused as refused:
        return refused_answer(refused)


def moded(request: Json, *, streamed: bool) -> Json:
    """The request as if the other kind of answer had been asked for."""
    kept = {name: value for name, value in request.items() if streamed or name != "stream_options"}
    return {**kept, "stream": streamed}


def endpoint_answer(sandbox: Sandbox, exchange: Exchange, route: Route, request: Json, fault: Fault) -> Answer:
    """What the endpoint says. Refused as the real one refuses."""
    if route.endpoint == "models":
        models = sandbox.models
        return Answer(models.entry(models.find(route.id).facts) if route.id else models.listing())
    if route.endpoint == "embeddings":
        return embeddings.embed(sandbox.models, request)
    key = f"{digest(exchange.body)}{exchange.n:x}"
    if route.endpoint == "chat":
        return chat.complete(sandbox, request, key, int(time.time()))
    if route.action == "create":
        return responses.create(sandbox, request, key, int(time.time()), fault)
    if route.action == "get":
        return responses.fetch(sandbox.store, route.id, dict(parse_qsl(exchange.query)))
    act = {"cancel": responses.cancel, "delete": responses.delete, "input_items": responses.input_items}[route.action]
    return act(sandbox.store, route.id)
