"""The Grafana dashboards of the docs: what their panels ask, with Grafana's variables filled in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "docs" / "grafana"
FILLED = {"$__rate_interval": "10s", "$__range": "1m", "$host": ".*", "$alias": ".*"}


def panels(name: str) -> list[dict[str, Any]]:
    """The panels of a dashboard that ask something."""
    found = json.loads((FOLDER / "dashboards" / name).read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def queries(name: str) -> list[tuple[str, str]]:
    """Title and PromQL of every target."""
    asked = [(panel["title"], target["expr"]) for panel in panels(name) for target in panel["targets"]]
    return [(title, filled(expression)) for title, expression in asked]


def filled(expression: str) -> str:
    """An expression with values in the place of variables."""
    for variable, value in FILLED.items():
        expression = expression.replace(variable, value)
    return expression
