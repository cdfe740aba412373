"""What no change of parameters can mend: a kind of input, or a tool, that the model surely does not take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from iwrouting.errors import BadRequest
from iwrouting.types import FUNCTION_TOOLS, Endpoint, ModelFacts

IMAGE = "image"
LISTS = {Endpoint.CHAT: "messages", Endpoint.RESPONSES: "input"}
IMAGE_PARTS = ("image_url", "input_image")


def check_capabilities(body: Mapping[str, Any], facts: ModelFacts, endpoint: str) -> None:
    """Raise BadRequest that names the part or the tool. Nothing is refused where the catalogue does not know."""
    if endpoint not in LISTS:
        return
    if facts.input_modalities and IMAGE not in facts.input_modalities:
        _check_images(body, facts, LISTS[Endpoint(endpoint)])
    if endpoint == Endpoint.RESPONSES:
        _check_tools(body, facts)


def _check_images(body: Mapping[str, Any], facts: ModelFacts, name: str) -> None:
    for index, part, kind in _parts(body.get(name)):
        if kind in IMAGE_PARTS:
            where = f"{name}[{index}].content[{part}]"
            raise BadRequest(
                f"{where}: {facts.id} does not read images. Name a model that does.",
                param=where,
                code="unsupported_value",
            )


def _parts(items: Any) -> Iterator[tuple[int, int, Any]]:
    for index, item in enumerate(items if isinstance(items, list) else ()):
        content = item.get("content") if isinstance(item, dict) else None
        for number, part in enumerate(content if isinstance(content, list) else ()):
            if isinstance(part, dict):
                yield index, number, part.get("type")


def _check_tools(body: Mapping[str, Any], facts: ModelFacts) -> None:
    tools = body.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if isinstance(kind, str) and not _takes(facts, kind):
            raise BadRequest(
                f"tools[{index}]: {facts.id} does not take tools of this type. Leave it out, or name another model.",
                param=f"tools[{index}]",
                code="unsupported_value",
            )


def _takes(facts: ModelFacts, kind: str) -> bool:
    if kind == "function":
        return FUNCTION_TOOLS not in facts.refused_params
    # web_search_preview_2025_03_11 and the like are dated kinds of the tool before the date.
    return facts.hosted_tools is None or any(
        kind == tool or kind.startswith(f"{tool}_20") for tool in facts.hosted_tools
    )
