"""`manage.py routing_override`: overrides from the command line, also where the database is away."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iwrouting.management.break_glass import lift, plain, switch_off
from iwrouting.management.moments import span, time
from iwrouting.management.output import as_json, as_table
from iwrouting.management.overriding import KEPT_DAYS, NEVER, Overriding
from iwrouting.management.planned import WRONG_USAGE, add_planned, agreed, carry_out, need_reason, refused
from iwrouting.planning import Plan

EPILOG = """examples:
  manage.py routing_override set manager --project atlas --model gpt-5.1 --expires 14d --reason "Trial, ticket 812"
  manage.py routing_override extend manager --project atlas --by 7d --reason "The trial goes on" --yes
  manage.py routing_override disable manager --project atlas --reason "Back to the default" --yes
  manage.py routing_override disable 12 --reason "gpt-5.1 is down, back to the default" --yes
  manage.py routing_override disable 12 --from-snapshot --reason "The same, while the database is away" --yes
  manage.py routing_override disable 12 --from-snapshot --end --reason "It is well again" --yes
An override is named by its number, or by its alias with --project (without: the one for all projects).
--from-snapshot switches it off on this host alone and asks no database. It holds until the override is disabled in the
database or --end lifts it, and stands in the change list as soon as the database is back.
Exit codes: 0 done or nothing to do, 1 refused, 2 not confirmed, 3 a dry run found changes, 4 not ready.
"""
ACTIONS = {
    "set": "Make an override, or let the one that is there serve another model.",
    "disable": "Keep it, without effect.",
    "enable": "Give it effect again.",
    "extend": "Let it end later.",
    "delete": "Delete it; history keeps it, and config_restore brings it back.",
}
COLUMNS = ("ref", "told", "host", "at", "by", "reason", "ended_at", "ended_by", "ended_reason")


class Command(BaseCommand):
    """Do one thing to one override."""

    help = "Set, disable, enable, extend or delete an override; disable also on this host alone, without the database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Subcommands and options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar=" | ".join(ACTIONS))
        made = {name: actions.add_parser(name, help=told, description=told) for name, told in ACTIONS.items()}
        for name, each in made.items():
            what, told = ("ALIAS", "Whose model is replaced.") if name == "set" else ("ID|ALIAS", "Which one.")
            each.add_argument("override", metavar=what, help=told)
            each.add_argument("--project", default="", metavar="SLUG", help="For this project (default: for all).")
            add_planned(each)
        _add_setting(made["set"])
        made["extend"].add_argument("--by", type=span, default=span("7d"), metavar="SPAN", help="By so much (7d).")
        made["extend"].add_argument("--expires", type=expiry, metavar="TIME", help="Or until then, or 'never'.")
        made["disable"].add_argument(
            "--from-snapshot", action="store_true", help="Without the database, on this host alone."
        )
        made["disable"].add_argument("--end", action="store_true", help="Lift what --from-snapshot did.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options.get("end") and not options["from_snapshot"]:
            raise CommandError("--end lifts what --from-snapshot did: name both.", returncode=WRONG_USAGE)
        if options.get("from_snapshot"):
            self._from_snapshot(options)
            return
        need_reason(options["reason"])
        with refused():
            work = Overriding.begin()
            plan = self._plan(work, options)
            for line in work.effect(plan):
                self.stderr.write(line)
        # What serves wrongly must be switched off at once: what that brings is told and noted, and asks nobody.
        carry_out(self, plan, options, asks=options["action"] != "disable")

    def _plan(self, work: Overriding, options: dict[str, Any]) -> Plan:
        action = options["action"]
        if action == "set":
            return work.set(options)
        content = work.found(options["override"], options["project"])
        if action == "delete":
            return work.deleted(content)
        if action == "extend":
            return work.extended(content, options["by"], options["expires"])
        return work.switched(content, action == "enable")

    def _from_snapshot(self, options: dict[str, Any]) -> None:
        if not options["override"].isdecimal():
            raise CommandError("--from-snapshot: name the override by its number.", returncode=WRONG_USAGE)
        options = {**options, "override": int(options["override"])}
        what = "Let count again" if options["end"] else "Disable"
        question = f"{what} {options['override']} on this host alone?"
        if options["dry_run"] or agreed(self, options["yes"], question):
            self._without_database(options)

    def _without_database(self, options: dict[str, Any]) -> None:
        pane = lift(options["override"], options) if options["end"] else switch_off(options["override"], options)
        row = plain(pane)
        self.stdout.write(as_json(**row) if options["format"] == "json" else as_table(COLUMNS, [row]))
        if options["dry_run"]:
            self.stderr.write("Nothing was changed.")
        elif options["end"]:
            self.stderr.write(f"{pane.ref} ({pane.told}) counts again on {pane.host} within about a second.")
        else:
            self.stderr.write(
                self.style.ERROR(
                    f"BREAK-GLASS: {pane.ref} ({pane.told}) is switched off on {pane.host} ALONE, within about a "
                    "second, whatever the database says."
                )
            )
            self.stderr.write("Do the same on every other host. Once the database is back, disable it for all:")
            self.stderr.write(f"  manage.py routing_override disable {options['override']} --reason ...")


def _add_setting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, metavar="ID", help="The model that serves instead.")
    parser.add_argument(
        "--expires",
        type=expiry,
        metavar="TIME",
        help=f"Until then: a time, 14d from now, or 'never' (default: {KEPT_DAYS}d, or as it was).",
    )
    parser.add_argument("--starts", type=time, metavar="TIME", help="From then on (default: at once).")
    parser.add_argument("--infer", choices=("on", "off"), help="Only for auto: off pins it to this model.")


def expiry(text: str) -> datetime | str:
    """A time to come, or `never`, for argparse."""
    if text == NEVER:
        return text
    found = time(text)
    if found <= datetime.now(UTC):
        raise argparse.ArgumentTypeError(f"{text} has passed: give a later time, or 'never'")
    return found
