"""Objects of the configuration as options name them: `alias:manager`, `override:manager for atlas`."""

from __future__ import annotations

import argparse

from iwrouting.models.contents import CONFIGURATION
from iwrouting.planning.bundles.faults import instead

FORM = "give the kind and the name, such as alias:manager or 'override:manager for atlas'"


def add_objects(parser: argparse.ArgumentParser, said: str) -> None:
    """`--object`, which may be given again."""
    parser.add_argument(
        "--object", dest="objects", action="append", type=named_object, default=[], metavar="KIND:NAME", help=said
    )


def named_object(text: str) -> tuple[str, str]:
    """An object by kind and name, for argparse."""
    word, colon, name = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} names no object: {FORM}")
    if word not in CONFIGURATION:
        raise argparse.ArgumentTypeError(f"there is no kind {word!r}. {instead(word, CONFIGURATION)}")
    return word, name.strip()
