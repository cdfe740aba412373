"""`manage.py routing_resolve`: which model serves an alias, and why; records nothing and calls nobody."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.autoroute import infer, measure
from iwrouting.calls.deciding import AUTO_NAMES
from iwrouting.errors import RoutingError
from iwrouting.management.asking import add_as_of, configuration_asked, project_asked
from iwrouting.management.output import add_format, as_json, as_table
from iwrouting.resolver import endpoint_for, resolve
from iwrouting.snapshot.moments import moment_text
from iwrouting.types import Inference, Resolution

STDIN = "-"
MOST_TEXT = 8 * 2**20
LADDER = ("source", "state", "value", "ref")
CHAIN = ("rung", "alias", "model", "source", "upstream", "skip")
EPILOG = """examples:
  manage.py routing_resolve manager --project atlas
  manage.py routing_resolve manager --project atlas --as-of 41
  manage.py routing_resolve code --as-of 2026-11-01T00:00:00Z --format json
  echo "Why does this loop never end?" | manage.py routing_resolve auto --text -
The same resolver as for calls. It records nothing, calls no model, and shows nothing of the text.
Exit codes: 0 done, 1 there is no such name, project or revision, 4 the configuration can't be read.
"""


class Command(BaseCommand):
    """Resolve, and show the ladder and the chain."""

    help = "Show which model serves an alias, the ladder of sources, and the chain of fallbacks; also of the past."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("name", metavar="ALIAS", help="An alias such as manager, role:manager, or a model id.")
        parser.add_argument("--project", default="", metavar="SLUG", help="For this project (default: for none).")
        add_as_of(parser)
        parser.add_argument("--text", metavar="FILE", help="What is asked, for the inference of auto; - for stdin.")
        add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Resolve, and show."""
        config, now = configuration_asked(self, options["as_of"])
        project = project_asked(config, options["project"])
        name = options["name"]
        inference = _inference(name, options["text"])
        try:
            endpoint = endpoint_for(config, name)
            found = resolve(config, name, project=project, now=now, inference=inference, endpoint=endpoint)
        except RoutingError as error:
            raise CommandError(str(error)) from None
        if options["format"] == "json":
            self.stdout.write(as_json(**as_dict(found), project=project, at=moment_text(now)))
            return
        self.stdout.write(as_table(LADDER, [step.as_dict() for step in found.ladder]))
        self.stdout.write("\n" + as_table(CHAIN, [rung.as_dict() for rung in found.chain]))
        self.stderr.write(_sentence(found, project))
        for warning in found.warnings:
            self.stderr.write(f"warning: {warning}")


def as_dict(found: Resolution) -> dict[str, Any]:
    """An answer of the resolver, by the names of the REST answer."""
    inference = found.inference
    return {
        "alias": found.alias,
        "kind": found.kind,
        "inferred_mode": inference.mode if inference else None,
        "reason": inference.reason if inference else None,
        "features": dict(inference.features) if inference else None,
        "model": found.model,
        "upstream": found.upstream,
        "source": found.source,
        "ladder": [step.as_dict() for step in found.ladder],
        "chain": [rung.as_dict() for rung in found.chain],
        "warnings": list(found.warnings),
        "revision": found.revision,
        "environment_id": found.environment_id,
    }


def _sentence(found: Resolution, project: str | None) -> str:
    whom = f" for {project}" if project else ""
    inferred = f", taken for {found.inference.mode} ({found.inference.reason})" if found.inference else ""
    return f"{found.asked}{whom}{inferred}: {found.model} ({found.source}), revision {found.revision}."


def _inference(name: str, file: str | None) -> Inference | None:
    if file is None:
        return None
    if name not in AUTO_NAMES:
        raise CommandError(f"--text: a mode is inferred for auto alone, not for {name}.", returncode=2)
    try:
        data = sys.stdin.buffer.read(MOST_TEXT) if file == STDIN else Path(file).read_bytes()[:MOST_TEXT]
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror or error}.") from None
    return infer(measure([{"role": "user", "content": data.decode("utf-8", "replace")}]))
