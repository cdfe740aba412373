"""Imports point down only: the real tree, and proof that each breach would be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import floors

ROOT = Path(__file__).resolve().parents[1]


def package_sources() -> tuple[dict[str, str], frozenset[str]]:
    """The package's modules but its migrations, and which of them are packages."""
    sources, packages = {}, set()
    for path in sorted((ROOT / floors.PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if floors.room_of(name) == "migrations":
            continue
        sources[name] = path.read_text(encoding="utf-8")
        if path.name == "__init__.py":
            packages.add(name)
    return sources, frozenset(packages)


def test_the_package_keeps_its_floors() -> None:
    sources, packages = package_sources()
    assert "iwrouting.types" in sources
    assert "iwrouting.models" in packages
    assert floors.violations(sources, packages) == []


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("iwrouting.cellar", "", "'cellar' is no known room"),
        ("iwrouting.types", "import orjson", "types may import the standard library only, not orjson"),
        ("iwrouting.errors", "from iwrouting.conf import settings", "errors may not import conf"),
        ("iwrouting.conf.settings", "import iwrouting.models", "conf may not import models"),
        ("iwrouting.conf", "from iwrouting import catalogue", "conf may not import catalogue"),
        ("iwrouting.catalogue", "import iwrouting.conf", "catalogue may not import conf"),
        ("iwrouting.catalogue.load", "import yaml", "catalogue may import the standard library only, not yaml"),
        ("iwrouting.models.keys", "from iwrouting.catalogue import load", "models may not import catalogue"),
        ("iwrouting.models.keys", "from ..snapshot import now", "models may not import snapshot"),
        ("iwrouting.resolver", "from iwrouting.snapshot import now", "resolver may not import snapshot"),
        ("iwrouting.upstream.http", "from iwrouting import tokens", "upstream may not import tokens"),
        ("iwrouting.pricing", "from iwrouting.audit import writer", "pricing may not import audit"),
        ("iwrouting.dispatch.walk", "from iwrouting.audit.writing.writer import put", "dispatch may not import audit"),
        ("iwrouting.audit.writing.writer", "import iwrouting.reports.views", "audit may not import reports"),
        ("iwrouting.reports", "from iwrouting.dispatch import walk", "reports may not import dispatch"),
        ("iwrouting.audit.writing.writer", "from iwrouting.calls import chat", "audit may not import calls"),
        ("iwrouting.calls.chat", "from iwrouting.api import views", "calls may not import api"),
        ("iwrouting.api.views", "from iwrouting.client import call", "api may not import client"),
        ("iwrouting.api.views", "from iwrouting import sandbox", "api may not import sandbox"),
        ("iwrouting.client", "from iwrouting.resolver import resolve", "client may not import resolver"),
        ("iwrouting.client", "import aiohttp", "client may need only httpx2, openai, not aiohttp"),
        ("iwrouting.sandbox.app", "from iwrouting.errors import Refused", "sandbox may not import errors"),
        ("iwrouting.sandbox.app", "import django.conf", "must do without Django"),
        ("iwrouting.resolver", "from rest_framework import views", "must do without Django"),
        ("iwrouting.calls.chat", "from config import settings", "calls may not import config"),
        ("iwrouting.calls.chat", "def f():\n    import iwrouting.audit", "imported inside a function"),
        ("iwrouting.calls.chat", "async def f():\n    from iwrouting.audit import put", "imported inside a function"),
        ("iwrouting.calls.chat", "import importlib\nimportlib.import_module('x')", "import_module() hides an import"),
        ("iwrouting.calls.chat", "api = __import__('iwrouting.api')", "__import__() hides an import"),
    ],
)
def test_a_breach_is_reported(module: str, source: str, fault: str) -> None:
    assert [line for line in floors.violations({module: source}) if line.startswith(module) and fault in line]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("iwrouting.types", "import json\nfrom iwrouting.errors import Refused"),
        (
            "iwrouting.models.keys",
            "import django.db\nfrom iwrouting.models.base import Base\nfrom iwrouting import conf",
        ),
        ("iwrouting.resolver", "from iwrouting.types import Resolution"),
        ("iwrouting.snapshot.load", "from iwrouting.catalogue import models\nfrom iwrouting.models import Alias"),
        ("iwrouting.dispatch.walk", "from iwrouting.upstream import http"),
        ("iwrouting.calls.chat", "from iwrouting.audit import put\nfrom iwrouting.dispatch import walk"),
        ("iwrouting.management.commands.serve", "from iwrouting.server import up"),
        ("iwrouting.server.app", "from iwrouting import __version__"),
        ("iwrouting.client", "def f():\n    import openai\n    return openai"),
        ("iwrouting.apps", "def ready():\n    from iwrouting.reports import connect_views"),
        ("iwrouting.sandbox.app", "import aiohttp\nfrom iwrouting.catalogue import models"),
    ],
)
def test_what_the_floors_allow_passes(module: str, source: str) -> None:
    assert floors.violations({module: source}) == []


def test_django_reached_through_another_module_is_reported_with_the_way() -> None:
    sources = {
        "iwrouting.pricing": "from iwrouting.conf.money import unit",
        "iwrouting.conf": "",
        "iwrouting.conf.money": "import django.utils",
    }
    assert floors.violations(sources) == [
        "iwrouting.pricing: must do without Django, but imports iwrouting.conf.money -> django"
    ]


def test_django_reached_through_a_package_above_is_reported() -> None:
    sources = {
        "iwrouting.pricing": "from iwrouting.conf.money import unit",
        "iwrouting.conf": "from django.conf import settings",
        "iwrouting.conf.money": "",
    }
    assert floors.violations(sources) == [
        "iwrouting.pricing: must do without Django, but imports iwrouting.conf -> django"
    ]


def test_a_relative_import_counts_from_its_package() -> None:
    sources = {"iwrouting.audit": "from .writer import put\nfrom ..reports import views"}
    assert floors.violations(sources, frozenset(sources)) == ["iwrouting.audit:2: audit may not import reports"]


def test_doors_that_import_each_other_in_a_ring_are_reported() -> None:
    sources = {"iwrouting.api.views": "import iwrouting.admin", "iwrouting.admin.site": "import iwrouting.api"}
    assert floors.violations(sources) == [
        "admin: a ring of rooms: admin -> api -> admin",
        "api: a ring of rooms: api -> admin -> api",
    ]
