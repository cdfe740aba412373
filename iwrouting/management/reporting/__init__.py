"""What `manage.py reporting` can do: one module for each of its subcommands."""

from __future__ import annotations

from iwrouting.management.reporting import dictionary, grant, guidance, rebuild, status
from iwrouting.management.reporting.subcommand import Subcommand

SUBCOMMANDS: tuple[Subcommand, ...] = (grant, dictionary, guidance, status, rebuild)
"""In the order in which the help lists them."""

__all__ = ["SUBCOMMANDS", "Subcommand"]
