"""`manage.py keys_create`: an API key, alone on stdout."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand
from django.utils.text import slugify

from iwrouting.management.changing import add_author, author_of, change_by
from iwrouting.models import ApiKey, Project, new_key
from iwrouting.models.keys import default_scopes
from iwrouting.types import Scope

EPILOG = """examples:
  manage.py keys_create --project atlas --name backend
  manage.py keys_create --project ops --name dashboards --scopes read_audit
  manage.py keys_create --project infinitywindow --name backend --scopes resolve,call,manage --projects '*'
"""


class Command(BaseCommand):
    """Make an API key, and its project if that is new. Never asks."""

    help = "Make an API key. The key stands alone on stdout and is shown this once; words go to stderr."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options."""
        parser.epilog = EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("--project", required=True, metavar="SLUG", help="Its calls count for this project.")
        parser.add_argument("--name", required=True, help="Who or what uses it.")
        parser.add_argument(
            "--scopes", default="", metavar="A,B", help="Of resolve, call, read_audit, manage. Default: resolve,call."
        )
        add_author(parser, "Made by keys_create")
        parser.add_argument("--projects", default="", metavar="A,B", help="Further projects that it may act for, or *.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it."""
        with change_by(options):
            key = make_key(
                options["project"],
                options["name"],
                scopes=_scopes(options["scopes"]) if options["scopes"] else default_scopes(),
                projects=_names(options["projects"]),
                by=author_of(options["user"]),
            )
        slug, may = options["project"], ", ".join(key.scopes)
        if key.new_project:
            self.stderr.write(f"Made the project {slug}.")
        self.stderr.write(f"Made the key iw_{key.key_id} for {slug} with {may}. It is shown this once:")
        self.stdout.write(key.text)


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that now exists; `text` is shown once."""

    text: str
    key_id: str
    scopes: list[str]
    new_project: bool


def make_key(project: str, name: str, *, scopes: list[str], projects: list[str], by: str) -> MadeKey:
    """Make a key and, if it is new, its project, inside a change. Raises ValidationError."""
    if slugify(project) != project.lower() or not project:
        raise ValidationError(f"--project {project!r}: use letters, digits, - and _, such as atlas.")
    row = Project.objects.filter(slug=project).first()
    new_project = row is None
    if row is None:
        row = Project(slug=project, name=project)
        row.full_clean()
        row.save()
    made = new_key()
    key = ApiKey(
        key_id=made.key_id,
        sha256=made.sha256,
        name=name,
        project=row,
        projects=projects,
        scopes=scopes,
        created_by=by,
    )
    key.full_clean()
    key.save()
    return MadeKey(made.text, made.key_id, scopes, new_project)


def _scopes(text: str) -> list[str]:
    names, known = _names(text), sorted(scope.value for scope in Scope)
    if not names:
        raise ValidationError(f"--scopes {text!r}: name at least one of {', '.join(known)}.")
    if unknown := [name for name in names if name not in known]:
        raise ValidationError(f"--scopes {','.join(unknown)}: there are {', '.join(known)}.")
    return names


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
