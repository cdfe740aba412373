"""How long a what-if takes: `python -m benchmarks.what_if [--rows 1000000]`, on the database of DATABASE_URL.

With --rows it fills an empty audit first: never a database that anybody needs.
"""

from __future__ import annotations

import argparse
import os
import time
from datetime import UTC, datetime, timedelta

import django


def main() -> None:
    """Fill, and measure one override and a whole profile, the best of three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=0, help="Decisions to make, over 7 days and 20 projects.")
    parser.add_argument("--days", type=int, default=7)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from benchmarks.what_if_rows import fill
    from iwrouting.planning.whatif import what_if
    from iwrouting.planning.whatif.proposals import Wish, propose

    if options.rows:
        fill(options.rows, options.days)
    one, profile = Wish(), Wish()
    one.override("manager", "gpt-4.1")
    profile.profile("design")
    end = datetime.now(UTC)
    for name, wish in (("one override", one), ("profile design", profile)):
        proposal, best = propose(wish), float("inf")
        for _ in range(3):
            began = time.monotonic()
            found = what_if(proposal.before, proposal.after, end - timedelta(days=options.days), end)
            best = min(best, time.monotonic() - began)
        print(f"{name}: {best:.2f} s, {found.total.changed} of {found.total.calls} calls change")


if __name__ == "__main__":
    main()
