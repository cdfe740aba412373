"""What the InfinityWindow backend imports: models by role and by mode, through the routing service.

    from iwrouting.client import call_model_for_role, routing_context

    with routing_context(project="atlas", run_id="run-42"):
        answer = call_model_for_role("manager", [{"role": "user", "content": "What is next?"}])

Needs only `openai`. IW_BASE_URL and IW_API_KEY say where the service is (or `configure()` does); the owner's
OPENAI_API_KEY, OPENAI_BASE_URL and the SDK's other variables are not used. Every function has an async twin with the
prefix `a`.

While the service is unavailable, `get_*` and `resolve` answer from its last known answer, then from the alias's
variable (OPENAI_MODEL_<ALIAS>, OPENAI_EMBEDDING_MODEL), then from the built-in matrix; they log a warning,
`last_answer` says which, and the next request tells the service. Calls raise RouterUnavailable; no provider is ever
called directly. What the service itself refuses (401, 403, 404, ...) comes as the SDK's own exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, overload

from openai import AsyncStream, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from iwrouting._client import router as _router
from iwrouting._client.answers import Answer
from iwrouting._client.context import routing_context
from iwrouting._client.drivers import arun, run
from iwrouting._client.embeddings import ALIAS, embedding
from iwrouting._client.errors import MixedEmbeddings, RouterNotConfigured, RouterUnavailable
from iwrouting._client.flows import calling, counting, model_for, resolving
from iwrouting._client.settings import configure
from iwrouting.types import Kind

__all__ = [
    "Answer",
    "Messages",
    "MixedEmbeddings",
    "RouterNotConfigured",
    "RouterUnavailable",
    "acall_model_for_mode",
    "acall_model_for_role",
    "aclose",
    "aembed_texts_batched",
    "aget_embedding_model",
    "aget_model_for_mode",
    "aget_model_for_role",
    "areset_telemetry",
    "aresolve",
    "atelemetry",
    "call_model_for_mode",
    "call_model_for_role",
    "close",
    "configure",
    "embed_texts_batched",
    "get_embedding_model",
    "get_model_for_mode",
    "get_model_for_role",
    "last_answer",
    "reset_telemetry",
    "resolve",
    "routing_context",
    "telemetry",
]

Messages: TypeAlias = Iterable[Mapping[str, Any]]
"""Chat messages in OpenAI's shape."""


def resolve(alias: str) -> Answer:
    """Which model stands behind an alias for the current project, who said so, and why. Nothing is recorded.

    Kept for as long as the service allows (`ttl_s`), then revalidated. Raises RouterUnavailable only where the service
    is unavailable and the alias has no last known answer, variable or built-in default; openai.NotFoundError for an
    unknown alias, naming the nearest one.
    """
    return run(resolving, alias)


async def aresolve(alias: str) -> Answer:
    """`resolve`, async."""
    return await arun(resolving, alias)


def last_answer(alias: str) -> Answer | None:
    """The last answer given for an alias and the current project, without asking; None if there was none."""
    return _router.current().last(alias)


def get_model_for_role(role: str) -> str:
    """The model that a role such as `manager` has now. Raises as `resolve`, and ValueError if it is no role."""
    return run(model_for, Kind.ROLE, role)


async def aget_model_for_role(role: str) -> str:
    """`get_model_for_role`, async."""
    return await arun(model_for, Kind.ROLE, role)


def get_model_for_mode(mode: str) -> str:
    """The model that a chat mode such as `fast` has now; `auto` without messages is its own model.

    Raises as `resolve`, and ValueError if it is no chat mode.
    """
    return run(model_for, Kind.CHAT_MODE, mode)


async def aget_model_for_mode(mode: str) -> str:
    """`get_model_for_mode`, async."""
    return await arun(model_for, Kind.CHAT_MODE, mode)


def get_embedding_model() -> str:
    """The embedding model now in force. Raises as `resolve`."""
    return run(model_for, Kind.EMBEDDING, ALIAS)


async def aget_embedding_model() -> str:
    """`get_embedding_model`, async."""
    return await arun(model_for, Kind.EMBEDDING, ALIAS)


@overload
def call_model_for_role(
    role: str, messages: Messages, *, stream: Literal[False] = False, **kwargs: Any
) -> ChatCompletion: ...
@overload
def call_model_for_role(
    role: str, messages: Messages, *, stream: Literal[True], **kwargs: Any
) -> Stream[ChatCompletionChunk]: ...
@overload
def call_model_for_role(
    role: str, messages: Messages, *, stream: bool, **kwargs: Any
) -> ChatCompletion | Stream[ChatCompletionChunk]: ...
def call_model_for_role(role: str, messages: Messages, **kwargs: Any) -> Any:
    """Call the model that a role has, with fallback and audit by the service; `kwargs` as for the SDK's `create`.

    Returns the SDK's ChatCompletion, or its Stream with `stream=True`.
    Raises RouterUnavailable, or what the SDK does.
    """
    return run(calling, Kind.ROLE, role, messages, kwargs)


@overload
async def acall_model_for_role(
    role: str, messages: Messages, *, stream: Literal[False] = False, **kwargs: Any
) -> ChatCompletion: ...
@overload
async def acall_model_for_role(
    role: str, messages: Messages, *, stream: Literal[True], **kwargs: Any
) -> AsyncStream[ChatCompletionChunk]: ...
@overload
async def acall_model_for_role(
    role: str, messages: Messages, *, stream: bool, **kwargs: Any
) -> ChatCompletion | AsyncStream[ChatCompletionChunk]: ...
async def acall_model_for_role(role: str, messages: Messages, **kwargs: Any) -> Any:
    """`call_model_for_role`, async: an AsyncStream with `stream=True`."""
    return await arun(calling, Kind.ROLE, role, messages, kwargs)


@overload
def call_model_for_mode(
    mode: str, messages: Messages, *, stream: Literal[False] = False, **kwargs: Any
) -> ChatCompletion: ...
@overload
def call_model_for_mode(
    mode: str, messages: Messages, *, stream: Literal[True], **kwargs: Any
) -> Stream[ChatCompletionChunk]: ...
@overload
def call_model_for_mode(
    mode: str, messages: Messages, *, stream: bool, **kwargs: Any
) -> ChatCompletion | Stream[ChatCompletionChunk]: ...
def call_model_for_mode(mode: str, messages: Messages, **kwargs: Any) -> Any:
    """Call the model that a chat mode has; for `auto` the service infers the mode from the messages.

    `kwargs`, result and errors as for `call_model_for_role`.
    """
    return run(calling, Kind.CHAT_MODE, mode, messages, kwargs)


@overload
async def acall_model_for_mode(
    mode: str, messages: Messages, *, stream: Literal[False] = False, **kwargs: Any
) -> ChatCompletion: ...
@overload
async def acall_model_for_mode(
    mode: str, messages: Messages, *, stream: Literal[True], **kwargs: Any
) -> AsyncStream[ChatCompletionChunk]: ...
@overload
async def acall_model_for_mode(
    mode: str, messages: Messages, *, stream: bool, **kwargs: Any
) -> ChatCompletion | AsyncStream[ChatCompletionChunk]: ...
async def acall_model_for_mode(mode: str, messages: Messages, **kwargs: Any) -> Any:
    """`call_model_for_mode`, async: an AsyncStream with `stream=True`."""
    return await arun(calling, Kind.CHAT_MODE, mode, messages, kwargs)


def embed_texts_batched(texts: Sequence[str], model: str | None = None) -> list[list[float]]:
    """One vector a text, in order, all or nothing; no texts, no request. `model` None: the embedding alias.

    The service cuts batches by its limits; here only requests over 4 MB or 2,048 texts are cut. Raises
    RouterUnavailable, MixedEmbeddings, or what the SDK does, with a note that says which texts the request held.
    """
    return run(embedding, texts, model)


async def aembed_texts_batched(texts: Sequence[str], model: str | None = None) -> list[list[float]]:
    """`embed_texts_batched`, async."""
    return await arun(embedding, texts, model)


def telemetry(window: str | None = None) -> dict[str, Any]:
    """Routes by inferred mode with their rules, and fallbacks, as `GET /api/v1/telemetry` tells them (docs/api.md).

    `window`: `1h`, `24h`, `7d`, `30d` or `reset`; None: since this key's last reset, or else of 24 hours. The key needs
    the scope `read_audit`. Raises RouterUnavailable, or what the SDK does.
    """
    return run(counting, window)


async def atelemetry(window: str | None = None) -> dict[str, Any]:
    """`telemetry`, async."""
    return await arun(counting, window)


def reset_telemetry() -> dict[str, Any]:
    """What `telemetry` gives, which from now on counts from now, for this key alone; nothing is deleted."""
    return run(counting, None, reset=True)


async def areset_telemetry() -> dict[str, Any]:
    """`reset_telemetry`, async."""
    return await arun(counting, None, reset=True)


def close() -> None:
    """Close the connections of the sync functions. What is known stays; the next call opens new ones."""
    for router in _router.used():
        router.clients.close()


async def aclose() -> None:
    """Close the connections of the async functions in the running event loop; call it before the loop ends."""
    for router in _router.used():
        await router.clients.aclose()
