"""Writes the pages' answers anew from a database that holds the demo data: `python -m tests.cookbook.answers`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence

from tests.cookbook.pages import FOLDER, SECTION, questions, table


def renewed(page: str, answers: Mapping[str, Sequence[str]]) -> str:
    """The text of a page with these tables below its queries, by their questions; all else as it is."""

    def section(found: re.Match[str]) -> str:
        asked = found[0].partition("\n")[0].removeprefix("### ")
        if asked not in answers:
            return found[0]
        query = found[0].rpartition("```")[0]
        end = "\n" if found.end() < len(page) else ""
        return f"{query}```\n\n" + "\n".join(answers[asked]) + f"\n{end}"

    return SECTION.sub(section, page)


def main() -> int:
    """Ask DATABASE_URL everything and write the pages. Returns the exit code."""
    os.environ.setdefault("IW_ENV", "development")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.db import connection

    from tests.audit_tables.reading import select

    answers = {each.asked: table(select(each.query(connection.vendor))) for each in questions()}
    for name in {each.page for each in questions()}:
        path = FOLDER / name
        path.write_text(renewed(path.read_text(encoding="utf-8"), answers), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
