"""The help of the commands on the configuration: what they are for, two examples, their exit codes."""

from __future__ import annotations

import pytest
from django.core.management import load_command_class

COMMANDS = [
    "config_adopt",
    "config_apply",
    "config_diff",
    "config_export",
    "config_history",
    "config_plan",
    "config_restore",
    "loaddata",
    "matrix_load",
    "routing_list",
    "routing_override",
    "routing_resolve",
]


@pytest.mark.parametrize("name", COMMANDS)
def test_help__shows_examples(name: str) -> None:
    text = load_command_class("iwrouting", name).create_parser("manage.py", name).format_help()
    assert "examples:\n" in text
    assert text.count(f"\n  manage.py {name}") >= 2
    assert max(len(line) for line in text.partition("examples:")[2].splitlines()) <= 120
