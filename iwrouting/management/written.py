"""The live matrix for the commands that write it down or compare it, and written ones from files."""

from __future__ import annotations

from dataclasses import replace

from django.core.management.base import CommandError

from iwrouting import catalogue
from iwrouting.management.bundle_files import called, read_given
from iwrouting.management.output import harmless
from iwrouting.planning.matrix import Form, MatrixRefused, Written, read_matrix
from iwrouting.snapshot import builtin_configuration
from iwrouting.types import Configuration


def builtin_matrix(profile: str) -> Configuration:
    """The built-in configuration with the defaults of a profile; no database is read."""
    config = builtin_configuration()
    matrix = catalogue.matrix()
    aliases = {
        name: replace(facts, default_model=matrix[name].model(profile)) for name, facts in config.aliases.items()
    }
    return replace(config, aliases=aliases)


def read_matrix_file(name: str, form: Form | None) -> Written:
    """The written matrix of a file, or of standard input for `-`. Raises CommandError with a line for each fault."""
    data = read_given(name)
    try:
        return read_matrix(data, form)
    except MatrixRefused as error:
        lines = [harmless(fault.told(called(name))) for fault in error.faults]
        raise CommandError("\n".join(lines)) from None
