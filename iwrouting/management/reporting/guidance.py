"""`manage.py reporting guidance`: where a cheaper tier would have done, ranked, with where to change it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.asking import configuration_asked, project_asked
from iwrouting.management.output import Findings, add_format, as_csv, as_json, as_jsonl, counted, harmless
from iwrouting.management.tier_advice import advice, money
from iwrouting.reports.guidance import Excess, excesses

NAME = "guidance"
HELP = "Tell where a stronger model than the task needs served, what its tier would have cost, and where to change it."
EPILOG = """examples:
  manage.py reporting guidance
  manage.py reporting guidance --from 2026-11-01 --to 2026-12-01 --project atlas
  manage.py reporting guidance --format csv > guidance.csv
Days are of UTC, the last one not included. docs/guidance.md says what is compared. Exit code 3: there are findings.
"""
DAYS = 30
TOP = 20
WRONG_USAGE = 2
COLUMNS = (
    "project", "alias", "inferred_mode", "model_served", "task_tier", "model_tier", "reference_models", "calls",
    "not_compared", "is_estimated", "cost_pico", "cost_usd", "compared_pico", "compared_usd", "cost_at_tier_pico",
    "cost_at_tier_usd", "saving_pico", "saving_usd", "told", "fix",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--from", dest="start", type=day, metavar="DAY", help=f"From this day on ({DAYS} days back).")
    parser.add_argument("--to", dest="end", type=day, metavar="DAY", help="Up to this day, not included (tomorrow).")
    parser.add_argument("--project", default="", metavar="SLUG", help="Of this project alone.")
    parser.add_argument("--top", type=int, default=TOP, metavar="N", help=f"How many are shown ({TOP}).")
    add_format(parser, "jsonl", "csv")


def run(command: BaseCommand, options: Mapping[str, Any]) -> None:
    """Print it."""
    end = options["end"] or datetime.now(UTC).date() + timedelta(days=1)
    start = options["start"] or end - timedelta(days=DAYS)
    if start >= end:
        raise CommandError(f"--from {start} is not before --to {end}: give an earlier day.", returncode=WRONG_USAGE)
    if options["top"] < 1:
        raise CommandError(f"--top {options['top']}: give a whole number from 1 on.", returncode=WRONG_USAGE)
    config, at = configuration_asked(command, None)
    project = project_asked(config, options["project"]) or ""
    every = [each for each in excesses(start, end, project) if each.saving_pico is None or each.saving_pico > 0]
    shown = every[: options["top"]]
    rows = [{**each.as_dict(), **advice(config, each, at)} for each in shown]
    _show(command, rows, options["format"], start, end, len(every))
    if every:
        raise Findings(_summed(every))
    command.stderr.write(f"From {start} up to {end} no stronger model than the task needs served for more money.")


def day(text: str) -> date:
    """A day, for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: give one such as 2026-11-01") from None


def _show(
    command: BaseCommand, rows: Sequence[Mapping[str, Any]], form: str, start: date, end: date, found: int
) -> None:
    told = {
        "table": lambda: _in_words(rows, found),
        "json": lambda: as_json(**{"from": str(start), "to": str(end), "found": found, "findings": rows}) + "\n",
        "jsonl": lambda: as_jsonl(rows),
        "csv": lambda: as_csv(
            COLUMNS, [{**row, "reference_models": " ".join(row["reference_models"])} for row in rows]
        ),
    }
    command.stdout.write(told[form](), ending="")


def _in_words(rows: Sequence[Mapping[str, Any]], found: int) -> str:
    lines = [
        f"{number}. {harmless(row['told'])}\n   {harmless(row['fix'])}\n" for number, row in enumerate(rows, start=1)
    ]
    if found > len(rows):
        lines.append(f"and {found - len(rows)} more: --top shows them\n")
    return "".join(lines)


def _summed(every: Sequence[Excess]) -> str:
    known = [each for each in every if each.saving_pico is not None]
    count = counted(len(every), "finding")
    if not known:
        return f"{count}; what could be saved is not known."
    saved = money(sum(each.saving_pico or 0 for each in known))
    calls = sum(each.calls for each in every)
    return f"{count} over {counted(calls, 'call')}; {saved} could have been saved."
